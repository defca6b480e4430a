"""Open test sets, rebuilt from their definitions: which photo, which instances, which seed (paper Sec. 3, Appendix).

A definition is a table in ``definitions/``. One row is one composite: the look drawn from ``seed`` is put on the
instance ``foreground`` of ``photo``; the region to match is the instance ``reference`` or the box ``box``.
``checksum`` is that of the composite's pixels, so that a rebuilt set is known to be the same.
"""

import csv
import hashlib
import math
import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from bench.datasets.manifest import Entry, write_manifest
from bench.datasets.pictures import read_image, read_mask
from bench.errors import InputError
from iph.data.augment import random_look
from iph.files import replacing

DEFINITIONS = Path(__file__).parent / "definitions"
JPEG = (cv2.IMWRITE_JPEG_QUALITY, 86, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
PNG = (cv2.IMWRITE_PNG_COMPRESSION, 3)
CHUNK = 8  # composites that a process is handed at a time
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Recipe:
    """One row of a definition. ``box`` is (x0, y0, x1, y1) in pixels of the photo, the end outside the box."""

    id: str
    photo: str
    subset: str
    foreground: int
    reference: int | None
    box: Box | None
    seed: int
    look: str = ""
    checksum: str = ""


@dataclass(frozen=True)
class Composite:
    """A built row: images (H, W, 3) uint8, masks (H, W) bool, and the name of the look that was drawn."""

    composite: np.ndarray
    target: np.ndarray
    foreground: np.ndarray
    reference: np.ndarray
    look: str

    def checksum(self) -> str:
        """16 hex digits of the composite's pixels."""
        return hashlib.sha256(f"{self.composite.shape}".encode() + self.composite.tobytes()).hexdigest()[:16]


def compose(recipe: Recipe, photo: np.ndarray, mask_of: Callable[[int], np.ndarray]) -> Composite:
    """Put the recipe's look on its foreground. ``photo`` (H, W, 3) uint8; ``mask_of(k)`` (H, W) bool."""
    foreground = mask_of(recipe.foreground)
    if recipe.reference is not None:
        reference = mask_of(recipe.reference) & ~foreground
    else:
        reference = box_mask(recipe.box, foreground.shape) & ~foreground
    look = random_look(np.random.default_rng(recipe.seed))
    changed = look.apply(photo.astype(np.float32) / 255, foreground.astype(np.float32))
    composite = np.rint(changed * 255).astype(np.uint8)
    return Composite(composite, photo, foreground, reference, look.name)


def box_mask(box: Box, shape: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    x0, y0, x1, y1 = box
    mask[y0:y1, x0:x1] = True
    return mask


def compose_from_folder(photos: Path, recipe: Recipe) -> Composite:
    """``compose`` with the files of a photo folder (``images/<id>.jpg``, ``masks/<id>_<k>.png``)."""
    image = read_image(photos / "images" / f"{recipe.photo}.jpg")
    return compose(recipe, image, lambda k: read_mask(photos / "masks" / f"{recipe.photo}_{k}.png"))


def read_definition(path: Path) -> list[Recipe]:
    """The recipes of a definition table."""
    with path.open(newline="", encoding="utf-8") as file:
        return [_recipe(row) for row in csv.DictReader(file)]


def write_definition(path: Path, recipes: Iterable[Recipe]) -> None:
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Recipe)], lineterminator="\n")
        writer.writeheader()
        for recipe in recipes:
            row = asdict(recipe) | {"box": " ".join(map(str, recipe.box)) if recipe.box else None}
            writer.writerow({key: "" if value is None else value for key, value in row.items()})


def _recipe(row: dict[str, str]) -> Recipe:
    box = tuple(map(int, row["box"].split())) if row["box"] else None
    numbers = {"foreground": int(row["foreground"]), "reference": int(row["reference"]) if row["reference"] else None}
    return Recipe(**row | numbers | {"box": box, "seed": int(row["seed"])})


def build(name: str, photos: Path, out: Path, progress: Callable[[Iterable, int], Iterable] = lambda it, n: it) -> int:
    """Rebuild the set ``name`` into ``out/name``; returns how many composites differ from the published ones.

    The sample is stored as JPEG: composite and target with one quality and no colour subsampling, so that their
    backgrounds stay equal. The others are lossless.
    """
    recipes = read_definition(DEFINITIONS / f"{name}.csv")
    if not (photos / "images").is_dir() or not (photos / "masks").is_dir():
        raise InputError(f"expected the folders images and masks in {photos}, found them not")
    folder = out / name
    if (folder / "manifest.csv").exists():
        raise InputError(f"expected a new folder, but {folder} holds a data set already; remove it to build it again")
    for part in ("composites", "foregrounds", "references", "targets"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    # spawned: a process that is forked while OpenCV's or a hash's threads run can wait for their locks for ever
    workers = min(os.cpu_count() or 1, math.ceil(len(recipes) / CHUNK))
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        one = partial(_write, photos, folder, ".jpg" if name == "sample" else ".png")
        done = list(progress(pool.map(one, recipes, chunksize=CHUNK), len(recipes)))
    write_manifest(folder, [entry for entry, _ in done])
    return sum(not same for _, same in done)


def _write(photos: Path, folder: Path, suffix: str, recipe: Recipe) -> tuple[Entry, bool]:
    cv2.setNumThreads(1)
    built = compose_from_folder(photos, recipe)
    return write_composite(folder, recipe, built, suffix), built.checksum() == recipe.checksum


def write_composite(folder: Path, recipe: Recipe, built: Composite, suffix: str) -> Entry:
    """Write the four pictures of a built row; composites of one photo share its target."""
    entry = Entry(
        id=recipe.id,
        composite=folder / "composites" / f"{recipe.id}{suffix}",
        foreground=folder / "foregrounds" / f"{recipe.id}.png",
        reference=folder / "references" / f"{recipe.id}.png",
        target=folder / "targets" / f"{recipe.photo}{suffix}",
        subset=recipe.subset,
        photo=recipe.photo,
    )
    packing = JPEG if suffix == ".jpg" else PNG
    _save(entry.composite, cv2.cvtColor(built.composite, cv2.COLOR_RGB2BGR), packing)
    if not entry.target.exists():
        _save(entry.target, cv2.cvtColor(built.target, cv2.COLOR_RGB2BGR), packing)
    for role, mask in {"foreground": built.foreground, "reference": built.reference}.items():
        _save(getattr(entry, role), mask.astype(np.uint8) * 255, (*PNG, cv2.IMWRITE_PNG_BILEVEL, 1))
    return entry


def _save(path: Path, pixels: np.ndarray, packing: tuple[int, ...]) -> None:
    with replacing(path) as temporary:
        if not cv2.imwrite(str(temporary), pixels, packing):
            raise InputError(f"expected to write {path}, but the picture could not be encoded")
