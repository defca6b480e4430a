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
from bench.metrics.protocols import PROTOCOLS, resized, scored_mask
from iph.errors import InputError
from iph.images.appearance import on_black
from iph.images.imagefile import read_photo
from iph.images.photo import Photo
from iph.masks.forms import HALF, from_photo, pair_from_photo
from iph.pixels import as_uint8


@dataclass(frozen=True)
class Picture:
    """What a method is given and judged by, all of one size. ``reference`` and ``target`` may be None.

    ``weights`` (H, W) float in [0, 1] is the foreground as a paper's protocol scores it, from the file's soft values;
    None under ``strict``, which scores what the methods are given.
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
    soft, reference = _read_masks(entry)
    foreground = soft >= HALF
    for role, array in (("foreground", foreground), ("reference", reference), ("target", target)):
        if array is not None and array.shape[:2] != composite.shape[:2]:
            raise InputError(
                f"expected {role} of {entry.id} to be {_size(composite)} like its composite, but it is {_size(array)}"
            )
    if not foreground.any():
        raise InputError(f"expected a foreground in the mask of {entry.id}, but {entry.foreground.name} is empty")
    if reference is not None and not reference.any():
        raise InputError(f"expected a reference in the mask of {entry.id}, but {entry.reference.name} is empty")
    spec = PROTOCOLS[protocol]
    weights = None if spec.any_size else scored_mask(soft.astype(np.float64), spec)
    if size is None:
        return Picture(composite, foreground, reference, target, weights)
    return Picture(
        resized(composite, size, spec),
        resize_mask(foreground, size),
        None if reference is None else resize_mask(reference, size),
        None if target is None else resized(target, size, spec),
        weights,
    )


def read_image(path: Path) -> np.ndarray:
    """(H, W, 3) uint8, upright, in the file's own numbers: what the compared methods' scripts read too.

    On black where it is transparent: colours that nobody sees are neither resized nor measured.
    """
    photo = _photo(path, "image")
    return as_uint8(photo.pixels if photo.is_opaque else on_black(photo.pixels, photo.alpha))


def read_mask(path: Path) -> np.ndarray:
    """(H, W) bool: half inside or more, of any form of mask file that ``iph.masks`` reads."""
    return _read_soft_mask(path) >= HALF


def _read_soft_mask(path: Path) -> np.ndarray:
    photo = _photo(path, "mask")
    return from_photo(photo, photo.pixels.shape, f"mask {path}")


def read_two_color_mask(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Foreground and reference, (H, W) bool each, from red and blue on black (as in the paper's Figures 4 and 9)."""
    photo = _photo(path, "mask")
    foreground, reference = pair_from_photo(photo, photo.pixels.shape)
    return foreground >= HALF, reference >= HALF


def resize_mask(mask: np.ndarray, size: int) -> np.ndarray:
    """The nearest pixel's value; where a thin mask would vanish, every pixel that it touches."""
    small = np.asarray(Image.fromarray(mask).resize((size, size), Image.Resampling.NEAREST))
    return small if small.any() else cv2.resize(mask.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA) > 0


def _read_masks(entry: Entry) -> tuple[np.ndarray, np.ndarray | None]:
    """The foreground (H, W) in [0, 1] and the reference (H, W) bool."""
    if entry.reference is not None and entry.reference == entry.foreground:
        foreground, reference = read_two_color_mask(entry.foreground)
        return foreground.astype(np.float32), reference
    return _read_soft_mask(entry.foreground), None if entry.reference is None else read_mask(entry.reference)


def _photo(path: Path, what: str) -> Photo:
    if not path.is_file():
        raise InputError(f"expected {'an' if what == 'image' else 'a'} {what} at {path}, found none")
    try:
        return read_photo(path)
    except InputError as error:
        raise InputError(f"expected a readable {what}, but {path} is none: {error}") from None


def _size(array: np.ndarray) -> str:
    return f"{array.shape[1]}x{array.shape[0]}"
