"""Open test sets, rebuilt from their definitions: which photo, which instances, which seed (paper Sec. 3, Appendix).

A definition is a table in ``definitions/``. One row is one composite: the look drawn from ``seed`` is put on the
instance ``foreground`` of ``photo``; the region to match is the instance ``reference`` or the box ``box``.
``checksum`` is that of the composite's pixels, so that a rebuilt set is known to be the same. Belief-Open's composites
are those that ``iph.training.belief`` makes of a photo, one for each kind of reference (``subset``).
"""

import csv
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

from bench.datasets.catalogue import CATALOGUE
from bench.datasets.pictures import read_image, read_mask
from bench.datasets.usual_forms import write_usual_forms
from iph.data.augment import random_look
from iph.data.composites import Composed, put_look
from iph.data.manifest import NAME, Entry, write_manifest
from iph.data.pictures import make_folders, write_composite
from iph.errors import InputError
from iph.files import replacing

DEFINITIONS = Path(__file__).parent / "definitions"
QUALITY = 86  # of the sample's JPEG files, which ship
CHUNK = 8  # composites that a process is handed at a time
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Definition:
    """One row of a definition table. ``box`` is (x0, y0, x1, y1) in pixels of the photo, the end outside the box.

    In Belief-Open the photo's name and the kind of reference (``subset``) say all: no ``foreground``, nor the others.
    """

    id: str
    photo: str
    subset: str
    foreground: int | None
    reference: int | None
    box: Box | None
    seed: int
    look: str = ""
    checksum: str = ""


def rebuild(definition: Definition, photo: np.ndarray, mask_of: Callable[[int], np.ndarray]) -> Composed:
    """Put the definition's look on its foreground. ``photo`` (H, W, 3) uint8; ``mask_of(k)`` (H, W) bool."""
    foreground = mask_of(definition.foreground)
    if definition.reference is not None:
        reference = mask_of(definition.reference) & ~foreground
    else:
        reference = box_mask(definition.box, foreground.shape) & ~foreground
    look = random_look(np.random.default_rng(definition.seed))
    return put_look(look, photo, foreground, reference, definition.subset)


def box_mask(box: Box, shape: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    x0, y0, x1, y1 = box
    mask[y0:y1, x0:x1] = True
    return mask


def rebuild_from_folder(photos: Path, definition: Definition) -> Composed:
    """``rebuild`` with the files of a photo folder (``images/<id>.jpg``, ``masks/<id>_<k>.png``)."""
    image = read_image(photos / "images" / f"{definition.photo}.jpg")
    return rebuild(definition, image, lambda k: read_mask(photos / "masks" / f"{definition.photo}_{k}.png"))


def rebuild_belief(photos: Path, definition: Definition) -> Composed:
    """A composite of Belief-Open, by its photo and the kind of its reference."""
    from iph.training.belief import belief_composites  # needs torch, which no other set does

    return next(made for made in belief_composites(photos, definition.photo) if made.subset == definition.subset)


Rebuild = Callable[[Path, Definition], Composed]
REBUILT_BY: dict[str, Rebuild] = {"belief-open": rebuild_belief}  # the others from their folder's files


def read_definitions(path: Path) -> list[Definition]:
    """The rows of a definition table."""
    with path.open(newline="", encoding="utf-8") as file:
        return [_definition(row) for row in csv.DictReader(file)]


def write_definitions(path: Path, definitions: Iterable[Definition]) -> None:
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Definition)], lineterminator="\n")
        writer.writeheader()
        for definition in definitions:
            row = asdict(definition) | {"box": " ".join(map(str, definition.box)) if definition.box else None}
            writer.writerow({key: "" if value is None else value for key, value in row.items()})


def _definition(row: dict[str, str]) -> Definition:
    box = tuple(map(int, row["box"].split())) if row["box"] else None
    numbers = {name: int(row[name]) if row[name] else None for name in ("foreground", "reference")}
    return Definition(**row | numbers | {"box": box, "seed": int(row["seed"])})


def build(name: str, photos: Path, out: Path, progress: Callable[[Iterable, int], Iterable] = lambda it, n: it) -> int:
    """Rebuild the set ``name`` into ``out/name``; returns how many composites differ from the published ones.

    The sample is stored as JPEG: composite and target with one quality and no chroma subsampling, so that their
    backgrounds stay equal. The others are lossless.
    """
    definitions = read_definitions(DEFINITIONS / f"{name}.csv")
    if not (photos / "images").is_dir() or not (photos / "masks").is_dir():
        raise InputError(f"expected the folders images and masks in {photos}, found them not")
    folder = new_folder(out / name)
    # spawned: a process that is forked while OpenCV's or a hash's threads run can wait for their locks for ever
    workers = min(os.cpu_count() or 1, math.ceil(len(definitions) / CHUNK))
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        one = partial(
            _write, REBUILT_BY.get(name, rebuild_from_folder), photos, folder, ".jpg" if name == "sample" else ".png"
        )
        done = list(progress(pool.map(one, definitions, chunksize=CHUNK), len(definitions)))
    entries = [entry for entry, _ in done]
    write_manifest(folder, entries, by_id=False)
    write_usual_forms(folder, CATALOGUE[name], entries)
    return sum(not same for _, same in done)


def new_folder(folder: Path) -> Path:
    """``folder`` with a place for every picture. Raises InputError where it holds a data set already."""
    if (folder / NAME).exists():
        raise InputError(f"expected a new folder, but {folder} holds a data set already; remove it to build it again")
    make_folders(folder)
    return folder


def _write(rebuilt: Rebuild, photos: Path, folder: Path, suffix: str, definition: Definition) -> tuple[Entry, bool]:
    cv2.setNumThreads(1)
    built = rebuilt(photos, definition)
    return write_rebuilt(folder, definition, built, suffix), built.checksum() == definition.checksum


def write_rebuilt(folder: Path, definition: Definition, built: Composed, suffix: str) -> Entry:
    """Write the four pictures of a rebuilt row; composites of one photo share its target."""
    return Entry(
        id=definition.id,
        split="test",
        subset=built.subset,
        photo=definition.photo,
        look=built.look,
        seed=str(definition.seed),
        **write_composite(folder, definition.id, built, suffix, QUALITY, shared_target=definition.photo),
    )
