"""Photos shrunk to one size in two memory-mapped arrays, so that a training sample costs a slice and not a decode."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from filelock import FileLock
from tqdm import tqdm

from iph.data.photos import PhotoRecord, read_folder
from iph.errors import InputError

MAX_INSTANCES = 8  # one bit each; the largest are kept


@dataclass(frozen=True)
class PackedPhotos:
    """``images`` (N, S, S, 3) uint8 and ``instances`` (N, S, S) uint8, where bit k is the k-th instance.

    ``persons[n]`` holds one flag an instance; ``ids[n]`` names the photo. The aspect is squeezed to a square, as we
    read the paper's "resized to 256 × 256".
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
    """The photos of ``folder`` at ``size`` x ``size``: made in ``cache``, opened from there until a file changes.

    Whoever has the old ones open keeps them. Raises InputError for photos that cannot be read or do not fit the disk.
    """
    cache = Path(cache)
    records = read_folder(folder, split)
    if not records:
        raise InputError("expected photos with at least one instance mask, found none")
    cache.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(cache.with_name(f".{cache.name}.lock")):
        wanted = {"size": size, "ids": [record.id for record in records], "files": _fingerprint(records)}
        info = _described(cache)
        if {key: info.get(key) for key in wanted} != wanted:
            _replace(cache, records, size, wanted)
            info = _described(cache)
        return PackedPhotos(
            np.load(cache / "images.npy", mmap_mode="r"),
            np.load(cache / "instances.npy", mmap_mode="r"),
            info["persons"],
            info["ids"],
        )


def _described(cache: Path) -> dict:
    try:
        return json.loads((cache / "pack.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def _fingerprint(records: list[PhotoRecord]) -> str:
    """A digest of which files were packed, of their sizes and times, and of who is a person."""
    digest = hashlib.sha256()
    for record in records:
        for path in (record.image, *record.masks):
            try:
                found = path.stat()
            except OSError as error:
                raise InputError(f"expected a file of the photo {record.id} at {path}: {error.strerror}") from None
            digest.update(f"{path.resolve()} {found.st_size} {found.st_mtime_ns}\n".encode())
        digest.update(f"{record.persons}\n".encode())
    return digest.hexdigest()


def _replace(cache: Path, records: list[PhotoRecord], size: int, description: dict) -> None:
    """Pack beside ``cache`` and move it there when it is whole."""
    try:
        with tempfile.TemporaryDirectory(prefix=f".{cache.name}-", dir=cache.parent) as folder:
            packed = Path(folder) / "packed"
            packed.mkdir()
            _write(records, size, packed, description)
            shutil.rmtree(cache, ignore_errors=True)
            packed.rename(cache)
    except OSError as error:
        raise InputError(f"expected room for the packed photos in {cache.parent}, but: {error.strerror}") from None


def _reserved(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """A memory-mapped array whose place on the disk is taken: a full disk is an error now and no crash later."""
    array = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    with open(path, "r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def _write(records: list[PhotoRecord], size: int, cache: Path, description: dict) -> None:
    shape = (len(records), size, size)
    images = _reserved(cache / "images.npy", (*shape, 3))
    instances = _reserved(cache / "instances.npy", shape)
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
        list(
            tqdm(
                pool.map(one, range(len(records))),
                total=len(records),
                desc="packing photos",
                unit="photo",
                disable=None,
            )
        )
    images.flush()
    instances.flush()
    (cache / "pack.json").write_text(json.dumps(description | {"persons": persons}))
