"""Six ready composites to try: one CC0 portrait pasted beside another, with where each came from.

``python -m demo.studio.gallery ../shared/data/portraits`` makes the files in ``demo/studio/gallery/`` again, with
``credits.csv``.
"""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from iph.errors import InputError
from iph.placement import Placement, compose

FOLDER = Path(__file__).parent / "gallery"
CARD_SIDE = 480
CREDIT = ("composite", "role", "file", "page", "licence", "changes")
CHANGES = {
    "background": "cropped to a square, scaled and recompressed; a person was pasted into it for the card",
    "person": "cropped to a square, scaled and recompressed; the surroundings made transparent",
}


@dataclass(frozen=True)
class Example:
    """A background and a person, named as in the portrait set; x and height of the person in backgrounds."""

    id: str
    title: str
    background: str
    person: str
    x: float
    height: float

    def file(self, kind: str) -> Path:
        """The picture of the "background" or the "person" (a cut-out)."""
        return FOLDER / (f"{self.id}-person.webp" if kind == "person" else f"{self.id}-{kind}.jpg")

    @property
    def placement(self) -> Placement:
        """Where the person stands: on the lower edge."""
        with Image.open(self.file("person")) as picture:
            alpha = np.asarray(picture.getchannel("A"), np.float32) / 255
        return _standing(alpha, self.x, self.height)


EXAMPLES = (  # what needs most change first: who tries one sees at once what this is for
    Example("haze", "Under the clouds", "cc0_033", "cc0_010", 0.18, 0.74),
    Example("night", "Flash at night", "cc0_015", "cc0_031", 0.80, 0.62),
    Example("orange", "Before an orange wall", "cc0_091", "cc0_034", 0.18, 0.74),
    Example("lake", "Grey morning at the lake", "cc0_001", "cc0_063", 0.86, 0.66),
    Example("court", "Teal court", "cc0_029", "cc0_071", 0.17, 0.66),
    Example("forest", "Dusk in the forest", "cc0_021", "cc0_089", 0.20, 0.68),
)


def find(name: object) -> Example:
    """The example of that id. Raises InputError if there is none."""
    for example in EXAMPLES:
        if example.id == name:
            return example
    raise InputError(f"expected one of {', '.join(e.id for e in EXAMPLES)}, got {str(name)[:20]!r}")


def credits() -> list[dict[str, str]]:
    """Where every photo of the gallery came from: rows of ``CREDIT``."""
    with open(FOLDER / "credits.csv", newline="") as file:
        return list(csv.DictReader(file))


def _standing(alpha: np.ndarray, x: float, height: float) -> Placement:
    """The person's middle at x, their whole picture so high, their lowest part on the background's lower edge."""
    left, top, width, tall = cv2.boundingRect((alpha >= 0.5).astype(np.uint8))
    rows, columns = alpha.shape  # backgrounds and people of the gallery are square
    return Placement(
        x - ((left + width / 2) / columns - 0.5) * height, 1 - ((top + tall) / rows - 0.5) * height, height
    )


def build(portraits: Path) -> None:
    """Make every file of the gallery from the portrait set."""
    with open(portraits / "index.csv", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    FOLDER.mkdir(exist_ok=True)
    sources = []
    for example in EXAMPLES:
        background = _read(portraits / "images" / f"{example.background}.jpg")
        person = _read(portraits / "images" / f"{example.person}.jpg")
        alpha = np.asarray(Image.open(portraits / "masks" / f"{example.person}.png").convert("L"))
        Image.fromarray(background).save(example.file("background"), quality=90, optimize=True)
        Image.fromarray(np.dstack([person, alpha])).save(example.file("person"), quality=90, method=6)
        unit = alpha.astype(np.float32) / 255
        composite, _ = compose(background, person, unit, _standing(unit, example.x, example.height))
        card = cv2.resize(composite, (CARD_SIDE, CARD_SIDE), interpolation=cv2.INTER_AREA)
        Image.fromarray(card).save(example.file("card"), quality=88, optimize=True)
        for role, source in (("background", example.background), ("person", example.person)):
            page, licence = rows[source]["url"], rows[source]["licence"]
            sources.append((example.title, role, example.file(role).name, page, licence, CHANGES[role]))
    with open(FOLDER / "credits.csv", "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([CREDIT, *sources])


def _read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


if __name__ == "__main__":
    build(Path(sys.argv[1]))
