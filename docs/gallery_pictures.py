"""Makes the studio's gallery of CC0 portraits, as a retoucher would: room for two, no old colours under the edges.

Run as ``PYTHONPATH=. python docs/gallery_pictures.py PORTRAITS``. A portrait has no room beside its
person, so the background gets it: the surroundings, with the person filled in, mirrored at the edge. Whoever is pasted
reaches the frame's edge where their photo cut them, and covers nothing of the other one but a shoulder.
"""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from demo.studio.gallery import FOLDER, find
from iph.masks import clean_edges
from iph.masks.edge_adjust import EdgeAdjustment
from iph.placement import compose

ROOM = 400  # pixels that a background of 1000 gets on one side
AROUND = 20  # pixels around a person that are filled in with them
CARD_WIDTH = 480
CREDIT = ("composite", "role", "file", "page", "licence", "changes")
CHANGES = {
    "background": "cropped to a square, scaled and recompressed; its surroundings widened to one side",
    "person": "cropped to a square, scaled and recompressed; the surroundings made transparent",
}


@dataclass(frozen=True)
class Source:
    """Background and person as named in the portrait set; on which side there is to be room; how far the person's mask
    is drawn inwards, in pixels."""

    background: str
    room: str
    person: str
    inwards: float = 1.0


SOURCES = {
    "forest": Source("cc0_021", "right", "cc0_046"),
    "studio": Source("cc0_050", "right", "cc0_063"),
    "sea": Source("cc0_075", "left", "cc0_065"),
    "wall": Source("cc0_084", "left", "cc0_079", 2.5),
    "haze": Source("cc0_033", "right", "cc0_071", 1.5),
    "orange": Source("cc0_091", "left", "cc0_072", 1.5),
}


def filled(pixels: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) float32 with a hole (H, W) bool filled, coarse to fine (pull-push, Gortler 1996)."""
    known = (~hole).astype(np.float32)
    if min(hole.shape) <= 2:
        mean = (pixels * known[..., None]).sum((0, 1)) / max(known.sum(), 1e-6)
        return np.where(hole[..., None], mean, pixels).astype(np.float32)
    half = tuple((side + 1) // 2 for side in hole.shape[::-1])
    weighted = cv2.resize(np.dstack([pixels * known[..., None], known]), half, interpolation=cv2.INTER_AREA)
    share = weighted[..., 3]
    coarse = filled(weighted[..., :3] / np.maximum(share, 1e-6)[..., None], share < 1e-3)
    return np.where(hole[..., None], cv2.resize(coarse, hole.shape[::-1]), pixels)


def widened(pixels: np.ndarray, alpha: np.ndarray, side: str) -> np.ndarray:
    """A portrait (H, W, 3) uint8, whose person has that alpha, with more of its surroundings on one side."""
    hole = cv2.dilate((alpha > 0.02).astype(np.uint8), np.ones((2 * AROUND + 1,) * 2)) > 0
    empty = cv2.GaussianBlur(filled(pixels.astype(np.float32), hole), (0, 0), 8)
    fine = (pixels - cv2.GaussianBlur(pixels, (0, 0), 2).astype(np.float32)).mean(2)  # grain, and of what is not seen
    grain = cv2.GaussianBlur(np.random.default_rng(0).normal(size=hole.shape).astype(np.float32), (0, 0), 0.7)
    empty += (grain * fine[~hole].std() / grain.std())[..., None]
    empty = np.where(hole[..., None], empty, pixels)
    room = empty[:, :ROOM][:, ::-1] if side == "left" else empty[:, -ROOM:][:, ::-1]
    room = np.clip(np.rint(room), 0, 255).astype(np.uint8)
    return np.hstack([room, pixels] if side == "left" else [pixels, room])


def pixels_of(portraits: Path, name: str) -> np.ndarray:
    return np.asarray(Image.open(portraits / "images" / f"{name}.jpg").convert("RGB"))


def alpha_of(portraits: Path, name: str) -> np.ndarray:
    return np.asarray(Image.open(portraits / "masks" / f"{name}.png").convert("L")) / np.float32(255)


def main(portraits: Path) -> None:
    with open(portraits / "index.csv", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    for old in FOLDER.iterdir():
        old.unlink()
    credits = []
    for name, source in SOURCES.items():
        example = find(name)
        below = widened(pixels_of(portraits, source.background), alpha_of(portraits, source.background), source.room)
        alpha = EdgeAdjustment(expand=-source.inwards).apply(alpha_of(portraits, source.person))
        person = clean_edges(pixels_of(portraits, source.person), alpha)
        Image.fromarray(below).save(example.file("background"), quality=90, optimize=True)
        levels = np.rint(alpha * 255).astype(np.uint8)
        Image.fromarray(np.dstack([person, levels])).save(example.file("person"), quality=90, method=6)
        composite, _ = compose(below, person, levels / np.float32(255), example.placement)
        size = CARD_WIDTH, round(CARD_WIDTH * below.shape[0] / below.shape[1])
        card = cv2.resize(composite, size, interpolation=cv2.INTER_AREA)
        Image.fromarray(card).save(example.file("card"), quality=88, optimize=True)
        for role, photo in (("background", source.background), ("person", source.person)):
            page, licence = rows[photo]["url"], rows[photo]["licence"]
            credits.append((example.title, role, example.file(role).name, page, licence, CHANGES[role]))
    with open(FOLDER / "credits.csv", "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([CREDIT, *credits])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
