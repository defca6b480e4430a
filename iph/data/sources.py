"""What the builder builds from: photos with their split, whatever the collection they lie in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from iph.data.photos import read_folder, read_splits


class Record(Protocol):
    """A photo to be read: its id, its pixels (H, W, 3) uint8, its instances (K, H, W) bool, and which are people."""

    id: str
    persons: Sequence[bool]

    def read_image(self) -> np.ndarray: ...

    def read_masks(self) -> np.ndarray: ...


@dataclass(frozen=True)
class Source:
    """A photo and the split it belongs to."""

    record: Record
    split: str


def read_photos(folder: str | Path) -> list[Source]:
    """Every photo of a folder like ``iph.data.photos`` describes, with its split; all ``train`` without split.csv."""
    if not (Path(folder) / "split.csv").is_file():
        return [Source(record, "train") for record in read_folder(folder)]
    splits = read_splits(folder)["split"].unique()
    return [Source(record, split) for split in sorted(splits) for record in read_folder(folder, split)]


def first_of_each_split(sources: Sequence[Source], count: int) -> list[Source]:
    """The first ``count`` photos of every split: a small data set with all of its parts."""
    kept: dict[str, list[Source]] = {}
    for source in sources:
        kept.setdefault(source.split, []).append(source)
    return [source for part in kept.values() for source in part[:count]]
