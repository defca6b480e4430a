"""Six ready composites to try: one CC0 portrait pasted beside another, with where each came from.

``docs/gallery_pictures.py`` made the files in ``demo/studio/gallery/``, and ``credits.csv`` with them.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from iph.errors import InputError
from iph.placement import Placement

FOLDER = Path(__file__).parent / "gallery"


@dataclass(frozen=True)
class Example:
    """A background and a person; x: the person's middle in widths, height: of their picture in heights of it."""

    id: str
    title: str
    x: float
    height: float
    mirrored: bool = False

    def file(self, kind: str) -> Path:
        """The picture of the "background" or the "person" (a cut-out), or the "card" of both in small."""
        return FOLDER / (f"{self.id}-person.webp" if kind == "person" else f"{self.id}-{kind}.jpg")

    @property
    def placement(self) -> Placement:
        """Where the person stands: on the lower edge."""
        with Image.open(self.file("background")) as below, Image.open(self.file("person")) as person:
            shape = below.height / below.width
            alpha = np.asarray(person.getchannel("A"))
        rows, columns = alpha.shape
        left, top, width, tall = cv2.boundingRect((alpha >= 128).astype(np.uint8))
        across = self.height * columns / rows * shape  # of their picture, in widths of the background
        aside = ((left + width / 2) / columns - 0.5) * across
        ground = 1 - ((top + tall) / rows - 0.5) * self.height
        return Placement(self.x + (aside if self.mirrored else -aside), ground, self.height, self.mirrored)


EXAMPLES = (  # what needs most change first: who tries one sees at once what this is for
    Example("forest", "Dusk in the forest", 0.75, 0.97, mirrored=True),
    Example("studio", "A grey studio", 0.74, 0.95),
    Example("sea", "Overcast at the sea", 0.25, 1.0),
    Example("wall", "A teal wall", 0.24, 0.95),
    Example("haze", "Under the clouds", 0.74, 0.96),
    Example("orange", "Before an orange wall", 0.22, 0.86, mirrored=True),
)


def find(name: object) -> Example:
    """The example of that id. Raises InputError if there is none."""
    for example in EXAMPLES:
        if example.id == name:
            return example
    raise InputError(f"expected one of {', '.join(e.id for e in EXAMPLES)}, got {str(name)[:20]!r}")


def credits() -> list[dict[str, str]]:
    """Where every photo of the gallery came from: composite, role, file, page, licence, changes."""
    with open(FOLDER / "credits.csv", newline="") as file:
        return list(csv.DictReader(file))
