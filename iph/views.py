"""Smaller views of a photo: the proxy that regions are checked on, and the square picture that networks see."""

import numpy as np

from iph.masks.forms import HALF, as_mask
from iph.pixels import FULL_SCALE, resized

SMALL_SHARE = 0.02  # a region below this share of its picture is looked at from nearer
MOSTLY = 0.75  # share of a network's pixel that a region covers at least: mixed pixels belong to neither side
Window = tuple[slice, slice]  # rows and columns
WHOLE: Window = (slice(None), slice(None))
MARGIN = 1.6  # side of the nearer view, in sides of the region's box


def read_mask(
    mask: np.ndarray, shape: tuple[int, ...], small: tuple[int, ...], name: str, allow_full: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """A mask of a picture of ``shape``, and the same at the size ``small`` of its proxy as float32 in [0, 1].

    A plain mask (bool, 0/255 or float32) of the picture's size stays as it is; every other form is read by
    ``as_mask``. Raises InputError for what is no mask of this picture.
    """
    mask = np.asarray(mask)
    if mask.shape != tuple(shape[:2]) or mask.dtype not in (np.bool_, np.uint8, np.float32):
        mask = as_mask(mask, shape, name, allow_full)
    elif mask.dtype == np.uint8 and mask.max() <= 1:
        mask = mask != 0
    elif mask.dtype == np.float32 and (mask.min() < 0 or mask.max() > 1):  # a blurred one overshoots by a hair
        mask = as_mask(mask, shape, name, allow_full)
    levels = mask.view(np.uint8) * np.uint8(255) if mask.dtype == bool else mask
    shrunk = resized(levels, small[:2]).astype(np.float32) / np.float32(FULL_SCALE[levels.dtype])
    if 0 < shrunk.max() < HALF:  # a hair-thin region: its densest pixels stand for it
        shrunk = (shrunk >= shrunk.max()).astype(np.float32)
    return mask, as_mask(shrunk, small, name, allow_full)


def shrink(image: np.ndarray, size: int) -> np.ndarray:
    """``image`` (h, w, 3), squeezed to the square (size, size, 3) that a network sees."""
    return resized(image, (size, size))


def shrink_mask(mask: np.ndarray, size: int) -> np.ndarray:
    """A mask (h, w), bool or float32 in [0, 1], as (size, size) float32 in {0, 1}: pixels that lie mostly inside."""
    small = resized(mask.astype(np.float32), (size, size))
    return ((small > 0) & (small >= min(MOSTLY, small.max()))).astype(np.float32)


def window_on(mask: np.ndarray) -> Window:
    """What of a picture is looked at for a region (h, w) float32: all of it, or a small one's surroundings."""
    return around(mask, MARGIN) if (mask >= HALF).mean() < SMALL_SHARE else WHOLE


def around(mask: np.ndarray, margin: float) -> Window:
    """A window around a region (h, w) float32, ``margin`` times as wide and as high as its box where the picture
    allows; ``WHOLE`` where that is all of it."""
    window = []
    for axis in (1, 0):
        places = np.flatnonzero((mask >= HALF).any(axis))
        middle, half = (places[0] + places[-1] + 1) / 2, (places[-1] + 1 - places[0]) * margin / 2 + 1
        limit = mask.shape[1 - axis]
        window.append(slice(max(0, int(middle - half)), min(limit, int(np.ceil(middle + half)))))
    everything = [slice(0, size) for size in mask.shape]
    return WHOLE if window == everything else (window[0], window[1])
