"""Makes ``docs/pictures/cutouts.jpg``: where the automatic cut-out goes wrong, at 100 %, over three grounds.

Run as ``PYTHONPATH=. python docs/cutouts_picture.py PORTRAITS``; with a folder as second argument all
twelve portraits of docs/segmentation.md are written there whole, as PNG. The portraits are CC0; the pages they are from
and what was changed are written beside the picture.
"""

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from iph.masks.cutout import CutOut, cutout

SEED, COUNT = 18, 12
WRONG = {  # left and top of what is shown of a portrait
    "cc0_022": (590, 140),
    "cc0_059": (640, 380),
    "cc0_051": (570, 40),
    "cc0_007": (180, 70),
    "cc0_089": (250, 40),
}
SHOWN = 360, 240  # width and height
DARK, BRIGHT, CHECKS = 24, 245, (235, 150)
CHECK = 16  # pixels
CREDIT = ("portrait", "page", "licence", "changes")
CHANGES = "cut out, laid over other grounds, cropped and recompressed"
OUT = Path("docs/pictures/cutouts.jpg")


def chosen(portraits: Path) -> list[str]:
    """The twelve, by seed and not by eye."""
    names = sorted(path.stem for path in (portraits / "images").glob("*.jpg"))
    return sorted(np.random.default_rng(SEED).choice(names, COUNT, replace=False).tolist())


def person(portraits: Path, name: str) -> CutOut:
    return cutout(np.asarray(Image.open(portraits / "images" / f"{name}.jpg").convert("RGB")))


def laid(cut: CutOut) -> list[np.ndarray]:
    """A person over a dark, a bright and a checkered ground, each (H, W, 3) uint8."""
    height, width = cut.alpha.shape
    ys, xs = np.mgrid[:height, :width] // CHECK
    grounds = np.full((height, width), DARK), np.full((height, width), BRIGHT), np.choose((xs + ys) % 2, CHECKS)
    alpha = cut.alpha[..., None] / 255
    return [np.rint(cut.pixels * alpha + ground[..., None] * (1 - alpha)).astype(np.uint8) for ground in grounds]


def main(portraits: Path, folder: Path | None = None) -> None:
    cv2.setNumThreads(1)
    for name in chosen(portraits) if folder else ():
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.hstack(laid(person(portraits, name)))).save(folder / f"{name}.png")
    rows = []
    for name, (x, y) in WRONG.items():
        parts = (picture[y : y + SHOWN[1], x : x + SHOWN[0]] for picture in laid(person(portraits, name)))
        rows.append(np.hstack(list(parts)))
    Image.fromarray(np.vstack(rows)).save(OUT, quality=88, optimize=True)
    write_credits(OUT, portraits, WRONG, CHANGES)


def write_credits(picture: Path, portraits: Path, names: Iterable[str], changes: str) -> None:
    """A table beside a picture: the page and the licence of each portrait in it, and what was changed."""
    with open(portraits / "index.csv", newline="") as file:
        sources = {row["id"]: row for row in csv.DictReader(file)}
    with open(picture.with_suffix(".csv"), "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CREDIT)
        writer.writerows((name, sources[name]["url"], sources[name]["licence"], changes) for name in names)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
