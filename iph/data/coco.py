"""COCO (Lin et al. 2014) as material of IntHarmony: 118,287 photos to train and 959 to test, read by ``pycocotools``.

Layout: ``annotations/instances_{train,val}2017.json``, and ``{train,val}2017/*.jpg`` beside it or below ``images``.
Crowd annotations are left out here, tiny instances in ``iph.data.compose``. All of train2017 is built, also the
thousand photos without an annotation: that is the paper's number. Which 959 photos it tests on is not known; here they
are those of val2017 with two instances or more whose ids hash lowest, whatever the seed.
"""

import contextlib
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

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
        pixels = cv2.imread(str(self.image), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if pixels is None:
            raise InputError(f"expected a readable photo at {self.image}, found none")
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)

    def read_masks(self) -> np.ndarray:
        """(K, H, W) bool, one layer an instance."""
        from pycocotools import mask

        layers = np.zeros((len(self.segmentations), *self.shape), bool)
        for layer, drawn in zip(layers, self.segmentations, strict=True):
            packed = mask.frPyObjects(drawn, *self.shape)
            layer[:] = mask.decode(mask.merge(packed) if isinstance(packed, list) else packed)
        return layers


def read_coco(folder: str | Path) -> list[Source]:
    """The photos of both splits, or of the one whose annotations are there, sorted by id."""
    folder = Path(folder)
    tables = {split: folder / "annotations" / f"instances_{year}.json" for split, year in YEARS.items()}
    present = {split: path for split, path in tables.items() if path.is_file()}
    if not present:
        raise InputError(f"expected annotations/instances_train2017.json or instances_val2017.json in {folder}")
    return [Source(record, split) for split, path in present.items() for record in _records(folder, split, path)]


def _records(folder: Path, split: str, table: Path) -> list[CocoRecord]:
    from pycocotools.coco import COCO

    images = next((path for path in (folder / YEARS[split], folder / "images" / YEARS[split]) if path.is_dir()), None)
    if images is None:
        raise InputError(f"expected the folder {YEARS[split]} or images/{YEARS[split]} in {folder}, found neither")
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
            coco = COCO(table)
        records = [_record(coco, number, images) for number in sorted(coco.getImgIds())]
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise InputError(f"expected COCO's instance annotations in {table}, but they cannot be read: {error}") from None
    return records if split == "train" else _test_photos(coco, records)


def _record(coco, number: int, images: Path) -> CocoRecord:
    image = coco.imgs[number]
    notes = [note for note in coco.imgToAnns[number] if not note["iscrowd"]]
    return CocoRecord(
        id=Path(image["file_name"]).stem,
        image=images / image["file_name"],
        shape=(image["height"], image["width"]),
        segmentations=tuple(note["segmentation"] for note in notes),
        persons=tuple(note["category_id"] == PERSON for note in notes),
    )


def _test_photos(coco, records: list[CocoRecord]) -> list[CocoRecord]:
    """The fixed choice among photos in which a second instance can be pointed at."""

    def large(note: dict) -> bool:
        image = coco.imgs[note["image_id"]]
        return not note["iscrowd"] and note["area"] >= MIN_SHARE * image["height"] * image["width"]

    counts = {Path(coco.imgs[n]["file_name"]).stem: sum(map(large, coco.imgToAnns[n])) for n in coco.imgs}
    fit = [record for record in records if counts[record.id] >= 2]
    chosen = sorted(fit, key=lambda record: hashlib.sha256(record.id.encode()).digest())[:TEST_PHOTOS]
    return sorted(chosen, key=lambda record: record.id)
