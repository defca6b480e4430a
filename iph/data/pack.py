"""Photos shrunk to one size in two memory-mapped arrays, so that a training sample costs a slice and not a decode."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from iph.data.photos import PhotoRecord, read_folder
from iph.errors import InputError

MAX_INSTANCES = 8  # one bit each; the largest are kept


@dataclass(frozen=True)
class PackedPhotos:
    """``images`` (N, S, S, 3) uint8 and ``instances`` (N, S, S) uint8, where bit k is the k-th instance.

    ``persons[n]`` holds one flag an instance; ``ids[n]`` names the photo. The aspect is squeezed to a square, as the
    paper's 256 x 256 resize does.
    """

    images: np.ndarray
    instances: np.ndarray
    persons: list[list[bool]]
    ids: list[str]

    def __len__(self) -> int:
        return len(self.ids)

    def subset(self, keep: Sequence[int]) -> "PackedPhotos":
        """The photos at these places (copied out of the memory map)."""
        return PackedPhotos(
            self.images[keep],
            self.instances[keep],
            [self.persons[n] for n in keep],
            [self.ids[n] for n in keep],
        )


def packed_side(size: int) -> int:
    """Side of the packed photos for samples of ``size``: larger, for they are cropped, composed and shrunk then."""
    return max(160, size + size // 2)


def pack_for_runs(photos: Path, size: int, out: Path) -> PackedPhotos:
    """The photos to train on at ``size``, packed once for all runs beside ``out``; of a split folder, the train one."""
    side = packed_side(size)
    split = "train" if (photos / "split.csv").is_file() else None
    return pack(photos, split, side, out.resolve().parent / f"pack-{photos.resolve().name}-{side}")


def pack(folder: str | Path, split: str | None, size: int, cache: str | Path) -> PackedPhotos:
    """The photos of ``folder`` at ``size`` x ``size``; made once in ``cache``, opened from there afterwards."""
    cache = Path(cache)
    described = cache / "pack.json"
    records = read_folder(folder, split)
    wanted = {"size": size, "ids": [record.id for record in records]}
    if not described.is_file() or {key: json.loads(described.read_text())[key] for key in wanted} != wanted:
        _write(records, size, cache, wanted)
    info = json.loads(described.read_text())
    return PackedPhotos(
        np.load(cache / "images.npy", mmap_mode="r"),
        np.load(cache / "instances.npy", mmap_mode="r"),
        info["persons"],
        info["ids"],
    )


def _write(records: list[PhotoRecord], size: int, cache: Path, description: dict) -> None:
    if not records:
        raise InputError("expected photos with at least one instance mask, found none")
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "pack.json").unlink(missing_ok=True)
    shape = (len(records), size, size)
    images = np.lib.format.open_memmap(cache / "images.npy", "w+", np.uint8, (*shape, 3))
    instances = np.lib.format.open_memmap(cache / "instances.npy", "w+", np.uint8, shape)
    persons: list[list[bool]] = [[] for _ in records]

    def one(place: int) -> None:
        record = records[place]
        images[place] = cv2.resize(record.read_image(), (size, size), interpolation=cv2.INTER_AREA)
        masks = record.read_masks()
        largest = np.argsort(-masks.sum((1, 2)), kind="stable")[:MAX_INSTANCES]
        bits = np.zeros((size, size), np.uint8)
        for bit, k in enumerate(largest):
            small = cv2.resize(masks[k].astype(np.uint8) * 255, (size, size), interpolation=cv2.INTER_AREA)
            bits |= (small > 127).astype(np.uint8) << bit
        instances[place] = bits
        persons[place] = [record.persons[k] for k in largest]

    with ThreadPoolExecutor(2) as pool:
        list(tqdm(pool.map(one, range(len(records))), total=len(records), desc="packing photos", unit="photo"))
    images.flush()
    instances.flush()
    (cache / "pack.json").write_text(json.dumps(description | {"persons": persons}))
