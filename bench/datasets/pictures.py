"""Composites, masks and targets as arrays, checked as they are read.

Images are (H, W, 3) uint8 sRGB and masks (H, W) bool. At a fixed size composites and targets are resized as the
protocol says, by default as iHarmony4's ``evaluation.py`` resizes images (Pillow, bicubic), masks as DoveNet's loader
does (the nearest pixel). What that loader does to images (Pillow, bilinear) belongs to the network: see
``bench/methods/learned.py``.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bench.datasets.manifest import Entry
from bench.metrics.protocols import PROTOCOLS, resized, soft
from iph.errors import InputError
from iph.images.imagefile import read_photo
from iph.images.photo import Photo
from iph.masks.forms import HALF, from_photo, pair_from_photo
from iph.pixels import as_uint8


@dataclass(frozen=True)
class Picture:
    """What a method is given and judged by, all of one size. ``reference`` and ``target`` may be None.

    ``weights`` (H, W) float in [0, 1] is how a protocol with soft masks scores the foreground, None where it is bool.
    """

    composite: np.ndarray
    foreground: np.ndarray
    reference: np.ndarray | None
    target: np.ndarray | None
    weights: np.ndarray | None = None


def load(entry: Entry, size: int | None = None, protocol: str = "strict") -> Picture:
    """Read an entry at its own size, or at ``size`` x ``size`` as ``protocol`` resizes.

    Raises InputError when a file cannot be used.
    """
    composite = read_image(entry.composite)
    target = None if entry.target is None else read_image(entry.target)
    foreground, reference = _read_masks(entry)
    for role, array in (("foreground", foreground), ("reference", reference), ("target", target)):
        if array is not None and array.shape[:2] != composite.shape[:2]:
            raise InputError(
                f"expected {role} of {entry.id} to be {_size(composite)} like its composite, but it is {_size(array)}"
            )
    if not foreground.any():
        raise InputError(f"expected a foreground in the mask of {entry.id}, but {entry.foreground.name} is empty")
    if reference is not None and not reference.any():
        raise InputError(f"expected a reference in the mask of {entry.id}, but {entry.reference.name} is empty")
    if size is None:
        return Picture(composite, foreground, reference, target)
    spec = PROTOCOLS[protocol]
    return Picture(
        resized(composite, size, spec),
        resize_mask(foreground, size),
        None if reference is None else resize_mask(reference, size),
        None if target is None else resized(target, size, spec),
        soft(foreground.astype(np.float64), size) if spec.resize == "cv2-linear" else None,
    )


def read_image(path: Path) -> np.ndarray:
    """(H, W, 3) uint8, upright, in the file's own numbers: what the compared methods' scripts read too."""
    return as_uint8(_photo(path, "image").pixels)


def read_mask(path: Path) -> np.ndarray:
    """(H, W) bool: half inside or more, of any form of mask file that ``iph.masks`` reads."""
    photo = _photo(path, "mask")
    return from_photo(photo, photo.pixels.shape, f"mask {path}") >= HALF


def read_two_color_mask(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Foreground and reference, (H, W) bool each, from red and blue on black (the paper's own figures)."""
    photo = _photo(path, "mask")
    foreground, reference = pair_from_photo(photo, photo.pixels.shape)
    return foreground >= HALF, reference >= HALF


def resize_mask(mask: np.ndarray, size: int) -> np.ndarray:
    """The nearest pixel's value; where a thin mask would vanish, every pixel that it touches."""
    small = np.asarray(Image.fromarray(mask).resize((size, size), Image.Resampling.NEAREST))
    return small if small.any() else cv2.resize(mask.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA) > 0


def _read_masks(entry: Entry) -> tuple[np.ndarray, np.ndarray | None]:
    if entry.reference is not None and entry.reference == entry.foreground:
        return read_two_color_mask(entry.foreground)
    return read_mask(entry.foreground), None if entry.reference is None else read_mask(entry.reference)


def _photo(path: Path, what: str) -> Photo:
    if not path.is_file():
        raise InputError(f"expected {'an' if what == 'image' else 'a'} {what} at {path}, found none")
    try:
        return read_photo(path)
    except InputError as error:
        raise InputError(f"expected a readable {what}, but {path} is none: {error}") from None


def _size(array: np.ndarray) -> str:
    return f"{array.shape[1]}x{array.shape[0]}"
