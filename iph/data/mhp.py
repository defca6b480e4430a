"""LV-MHP v1 (Li et al. 2017) and v2 (Zhao et al. 2018): photos of several people, for the portrait stage (Sec. 4).

v1: ``images/0001.jpg``, ``annotations/0001_02_01.png`` (photo, people, person) and ``{train,val,test}_list.txt``.
v2: ``list/{train,val,test_all}.txt``, ``train/images/<id>.jpg`` and ``train/parsing_annos/<id>_02_01.png``, of which
the first channel counts.
A label above zero is the person, whatever the part.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from iph.data.pictures import read_image
from iph.data.sources import Source
from iph.errors import InputError
from iph.files import listed

ANNOTATION = re.compile(r"(.+)_\d+_\d+\.png")
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class MhpRecord:
    """One photo and the label map of each person in it."""

    id: str
    image: Path
    labels: tuple[Path, ...]

    @property
    def persons(self) -> tuple[bool, ...]:
        return (True,) * len(self.labels)

    def read_image(self) -> np.ndarray:
        """(H, W, 3) uint8, as stored."""
        return read_image(self.image)

    def read_masks(self) -> np.ndarray:
        """(K, H, W) bool, one layer a person."""
        return np.stack([_person(path) for path in self.labels])


def _person(path: Path) -> np.ndarray:
    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if labels is None:
        raise InputError(f"expected a readable label map at {path}, found none")
    return (labels if labels.ndim == 2 else labels[..., 2]) > 0  # OpenCV reads BGR: the file's first channel is last


def read_mhp(folder: str | Path) -> list[Source]:
    """Every listed photo with at least one person's label map. InputError where the layout is neither version's."""
    folder = Path(folder)
    if (folder / "annotations").is_dir():
        places = {split: (f"{split}_list.txt", "images", "annotations") for split in SPLITS}
    elif (folder / "list").is_dir():
        places = {split: (f"list/{split}.txt", f"{split}/images", f"{split}/parsing_annos") for split in SPLITS}
        places["test"] = ("list/test_all.txt", *places["test"][1:])
    else:
        raise InputError(f"expected LV-MHP in {folder}: a folder annotations (v1) or list (v2), found neither")
    sources = [
        Source(record, split)
        for split, place in places.items()
        for record in _records(split, *(folder / part for part in place))
    ]
    if not sources:
        raise InputError(f"expected lists of photos with their label maps in {folder}, found no photo that has one")
    return sources


def _records(split: str, listed: Path, images: Path, annotations: Path) -> Iterator[MhpRecord]:
    """The listed photos of a split that have label maps; ids are led by the split, as the numbers may repeat."""
    if not listed.is_file():
        return
    labels = _labels_by_photo(annotations)
    for name in sorted({line.removesuffix(".jpg") for line in listed.read_text().split()}):
        if name in labels:
            yield MhpRecord(f"{split}_{name}", images / f"{name}.jpg", tuple(labels[name]))


def _labels_by_photo(folder: Path) -> dict[str, list[Path]]:
    labels = defaultdict(list)
    for path in listed(folder, (".png",)):
        if match := ANNOTATION.fullmatch(path.name):
            labels[match[1]].append(path)
    return labels
