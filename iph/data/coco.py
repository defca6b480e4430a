"""COCO (Lin et al. 2014) as material of IntHarmony: 118,287 photos to train and 959 to test.

Layout: ``annotations/instances_{train,val}2017.json``, and ``{train,val}2017/*.jpg`` beside it or below ``images``;
masks are decoded by ``pycocotools``.
Crowd annotations are left out here, tiny instances in ``iph.data.composites``. All of train2017 is built, also the
thousand photos without an annotation: that is the paper's number. Which 959 photos it tests on is not known; here they
are those of val2017 with two instances or more whose ids hash lowest, whatever the seed.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from iph.data.pictures import read_image
from iph.data.regions import MIN_SHARE
from iph.data.sources import Source
from iph.errors import InputError

TEST_PHOTOS = 959
PERSON = 1  # COCO's category
YEARS = {"train": "train2017", "test": "val2017"}


@dataclass(frozen=True)
class CocoRecord:
    """One photo; ``segmentations`` are polygons or run lengths as the annotation file has them."""

    id: str
    image: Path
    shape: tuple[int, int]
    segmentations: tuple[list | dict, ...]
    persons: tuple[bool, ...]

    def read_image(self) -> np.ndarray:
        """(H, W, 3) uint8, as stored: the annotations know nothing of EXIF's orientation."""
        return read_image(self.image)

    def read_masks(self) -> np.ndarray:
        """(K, H, W) bool, one layer an instance."""
        layers = np.zeros((len(self.segmentations), *self.shape), bool)
        for layer, drawn in zip(layers, self.segmentations, strict=True):
            layer[:] = decode(drawn, self.shape)
        return layers


@dataclass(frozen=True)
class Annotated:
    """One photo of an annotation file; ``notes`` are its annotations without crowds, as the file has them."""

    file_name: str
    shape: tuple[int, int]
    notes: list[dict]


def read_instances(table: Path, wanted: Collection[int] | None = None) -> dict[int, Annotated]:
    """The photos of an ``instances_*.json`` by number, or the ``wanted`` ones. InputError where it is no such file."""
    try:
        content = json.loads(table.read_text(encoding="utf-8"))
        photos = {
            image["id"]: Annotated(
                image.get("file_name", f"{image['id']:012d}.jpg"), (image["height"], image["width"]), []
            )
            for image in content["images"]
            if wanted is None or image["id"] in wanted
        }
        for note in content["annotations"]:
            if note["image_id"] in photos and not note.get("iscrowd"):
                photos[note["image_id"]].notes.append(note)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"expected COCO's instances_*.json with instance annotations in {table}, but they cannot be read: {error}"
        ) from None
    return dict(sorted(photos.items()))


def decode(segmentation: list | dict, shape: tuple[int, int]) -> np.ndarray:
    """The mask (H, W) bool of an annotation's polygons or run lengths on a photo of ``shape``."""
    from pycocotools import mask

    packed = mask.frPyObjects(segmentation, *shape)
    return mask.decode(mask.merge(packed) if isinstance(packed, list) else packed).astype(bool)


def read_coco(folder: str | Path) -> list[Source]:
    """The photos of both splits, or of the one whose annotations are there, sorted by id."""
    folder = Path(folder)
    tables = {split: folder / "annotations" / f"instances_{year}.json" for split, year in YEARS.items()}
    present = {split: path for split, path in tables.items() if path.is_file()}
    if not present:
        raise InputError(f"expected annotations/instances_train2017.json or instances_val2017.json in {folder}")
    return [Source(record, split) for split, path in present.items() for record in _records(folder, split, path)]


def _records(folder: Path, split: str, table: Path) -> list[CocoRecord]:
    images = next((path for path in (folder / YEARS[split], folder / "images" / YEARS[split]) if path.is_dir()), None)
    if images is None:
        raise InputError(f"expected the folder {YEARS[split]} or images/{YEARS[split]} in {folder}, found neither")
    photos = list(read_instances(table).values())
    if split == "test":
        photos = _test_photos(photos)
    return [_record(photo, images, table) for photo in photos]


def _record(photo: Annotated, images: Path, table: Path) -> CocoRecord:
    try:
        drawn = [(note["segmentation"], note["category_id"] == PERSON) for note in photo.notes]
    except KeyError as error:
        raise InputError(f"expected a segmentation and a category in every annotation of {table}: {error}") from None
    return CocoRecord(
        id=Path(photo.file_name).stem,
        image=images / photo.file_name,
        shape=photo.shape,
        segmentations=tuple(segmentation for segmentation, _ in drawn),
        persons=tuple(person for _, person in drawn),
    )


def _test_photos(photos: list[Annotated]) -> list[Annotated]:
    """The fixed choice among photos in which a second instance can be pointed at."""

    def fits(photo: Annotated) -> bool:
        least = MIN_SHARE * photo.shape[0] * photo.shape[1]
        return sum(note["area"] >= least for note in photo.notes) >= 2

    def name(photo: Annotated) -> str:
        return Path(photo.file_name).stem

    fit = filter(fits, photos)
    chosen = sorted(fit, key=lambda photo: hashlib.sha256(name(photo).encode()).digest())[:TEST_PHOTOS]
    return sorted(chosen, key=name)
