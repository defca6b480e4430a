"""Samples for the network that finds people unasked: photos whose every person is marked, as it sees them, squashed.

Only `train` splits are read, and of machine-made masks none: portraits of one person, and photos with several. Some
portraits are laid over another photo, so that what is behind a person is not always what photographers choose.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator

from iph.data.photos import read_index
from iph.masks.selfie import SIDE

PORTRAITS = 0.6  # of the samples; the others are photos of any kind
OVER_ANOTHER = 0.25  # of the portraits
NEAR = 0.5  # of the samples show the part around the people, as the second look does
KEPT = 384  # pixels of the longer side that are kept in memory
UNMARKED = "BIDS/BSDS500"  # its people are not marked: its masks are regions
ONE_ONLY = ("wonghan/coco-datasets-balloon", "bcmi/Image-Harmonization-Dataset-iHarmony4 (Lalonde&Efros onlineDb)")
ALONE = ("picsart", "eg1800")  # the portraits of the second folder, by how their ids begin


@dataclass(frozen=True, eq=False)
class Marked:
    """A photo (H, W, 3) uint8 RGB and where its people are, (H, W) uint8 0 to 255; both encoded, to save memory."""

    photo: np.ndarray
    people: np.ndarray

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        photo = cv2.cvtColor(cv2.imdecode(self.photo, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        return photo, cv2.imdecode(self.people, cv2.IMREAD_GRAYSCALE)


def load(folder: Path, portraits: bool) -> list[Marked]:
    """The `train` photos of a folder: its portraits, or those where every person is marked by hand (or nobody is)."""
    table = read_index(folder)
    table = table[(table["split"] == "train") & (table["mask_kind"] == "human") & (table["source"] != UNMARKED)]
    alone = table["id"].str.startswith(ALONE)
    table = table[alone] if portraits else table[~alone & ~table["source"].isin(ONE_ONLY)]
    return [_marked(folder, row.id, row.person_flags) for row in table.itertuples()]


def _marked(folder: Path, name: str, flags: str) -> Marked:
    photo = cv2.imread(str(folder / "images" / f"{name}.jpg"))
    masks = [cv2.imread(str(folder / "masks" / f"{name}_{k}.png"), 0) for k, flag in enumerate(flags) if flag == "1"]
    people = np.max(masks, axis=0) if masks else np.zeros(photo.shape[:2], np.uint8)
    scale = min(1.0, KEPT / max(photo.shape[:2]))
    photo, people = (cv2.resize(a, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for a in (photo, people))
    return Marked(cv2.imencode(".jpg", photo)[1], cv2.imencode(".png", people)[1])


def sample(rng: Generator, portraits: list[Marked], photos: list[Marked]) -> tuple[np.ndarray, np.ndarray]:
    """A picture (3, SIDE, SIDE) uint8 and its people (1, SIDE, SIDE) float32 in [0, 1]."""
    portrait = rng.random() < PORTRAITS
    photo, people = _drawn(rng, portraits if portrait else photos)
    if portrait and rng.random() < OVER_ANOTHER:
        photo, people = _over(rng, photo, people, *_drawn(rng, photos))
    photo, people = _cropped(rng, photo, people)
    size = (SIDE, SIDE)
    picture = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    truth = cv2.resize(people.astype(np.float32) / 255, size, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        picture, truth = picture[:, ::-1], truth[:, ::-1]
    return np.ascontiguousarray(_relit(rng, picture).transpose(2, 0, 1)), np.ascontiguousarray(truth[None])


def _drawn(rng: Generator, marked: list[Marked]) -> tuple[np.ndarray, np.ndarray]:
    return marked[int(rng.integers(len(marked)))].read()


def _over(
    rng: Generator, photo: np.ndarray, people: np.ndarray, ground: np.ndarray, there: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A portrait's person over another photo of the same size; who is there already stays marked."""
    size = photo.shape[1::-1]
    ground, there = (cv2.resize(a, size, interpolation=cv2.INTER_LINEAR) for a in (ground, there))
    alpha = cv2.GaussianBlur(people.astype(np.float32) / 255, (0, 0), rng.uniform(0.5, 1.2))[..., None]
    return (photo * alpha + ground * (1 - alpha)).astype(np.uint8), np.maximum(people, there)


def _cropped(rng: Generator, photo: np.ndarray, people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The part around the people with a margin, or most of the picture."""
    height, width = people.shape
    x, y, wide, high = cv2.boundingRect((people > 127).astype(np.uint8))
    if wide and rng.random() < NEAR:
        grow = rng.uniform(0.05, 0.5, 4) * max(wide, high)
        x0, y0, x1, y1 = np.array([x, y, x + wide, y + high]) + grow * (-1, -1, 1, 1)
    else:
        side = rng.uniform(0.75, 1.0)
        x0, y0 = rng.uniform(0, 1 - side) * width, rng.uniform(0, 1 - side) * height
        x1, y1 = x0 + side * width, y0 + side * height
    columns, rows = slice(max(0, int(x0)), min(width, int(x1) + 1)), slice(max(0, int(y0)), min(height, int(y1) + 1))
    return photo[rows, columns], people[rows, columns]


def _relit(rng: Generator, picture: np.ndarray) -> np.ndarray:
    """Other light, other colours of light, sometimes grey, sometimes a little out of focus."""
    curve = np.linspace(0, 1, 256) ** rng.uniform(0.7, 1.4)
    gains = rng.uniform(0.8, 1.15) * rng.uniform(0.92, 1.08, 3)
    tables = np.clip(curve[:, None] * gains * 255, 0, 255).astype(np.uint8)  # (256, 3)
    picture = cv2.LUT(np.ascontiguousarray(picture), tables[None])
    if rng.random() < 0.1:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    if rng.random() < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.2))
    return picture
