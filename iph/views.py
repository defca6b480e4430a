"""Smaller views of a photo: the proxy that regions are checked on, and the square picture the network sees."""

import cv2
import numpy as np
import torch
from torch import Tensor

from iph.mapping import FULL_SCALE
from iph.masks.forms import HALF, as_mask

PROXY_SIDE = 1024  # longest side; a colour change needs no more, and a 24 MP mask as float would cost 96 MB
WORKING_SIZE = 128  # the network's square input
SMALL_SHARE = 0.02  # a region below this share of its picture is looked at from nearer
MOSTLY = 0.75  # share of a network's pixel that a region covers at least: mixed pixels belong to neither side
MARGIN = 1.6  # side of the nearer view, in sides of the region's box


def proxy(image: np.ndarray) -> np.ndarray:
    """``image`` (H, W, 3) with a longest side of at most ``PROXY_SIDE``, dtype kept; itself if it is small."""
    scale = PROXY_SIDE / max(image.shape[:2])
    return image if scale >= 1 else _resized(image, tuple(max(1, round(side * scale)) for side in image.shape[:2]))


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
    shrunk = _resized(levels, small[:2]).astype(np.float32) / np.float32(FULL_SCALE[levels.dtype])
    if 0 < shrunk.max() < HALF:  # a hair-thin region: its densest pixels stand for it
        shrunk = (shrunk >= shrunk.max()).astype(np.float32)
    return mask, as_mask(shrunk, small, name, allow_full)


def network_view(image: np.ndarray, mask: np.ndarray) -> tuple[Tensor, Tensor]:
    """The network's square view of a region: pixels (1, 3, S, S) in [0, 1] and its mask (1, 1, S, S) in {0, 1}.

    ``image`` (h, w, 3) and ``mask`` (h, w) float32 are a proxy's. The whole picture is squeezed to a square, as in
    training; of a small region, only its surroundings.
    """
    inside = mask >= HALF
    if inside.mean() < SMALL_SHARE:
        window = _surroundings(inside)
        image, mask = image[window], mask[window]
    pixels = shrink(image, WORKING_SIZE).astype(np.float32) / np.float32(FULL_SCALE[image.dtype])
    small = shrink_mask(mask, WORKING_SIZE)
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None], torch.from_numpy(small)[None, None]


def shrink(image: np.ndarray, size: int) -> np.ndarray:
    """``image`` (h, w, 3), squeezed to the square (size, size, 3) that a network sees."""
    return _resized(image, (size, size))


def shrink_mask(mask: np.ndarray, size: int) -> np.ndarray:
    """A mask (h, w), bool or float32 in [0, 1], as (size, size) float32 in {0, 1}: pixels that lie mostly inside."""
    small = _resized(mask.astype(np.float32), (size, size))
    return ((small > 0) & (small >= min(MOSTLY, small.max()))).astype(np.float32)


def _resized(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``array`` at (height, width): averaged down, linearly up."""
    if array.shape[:2] == tuple(size):
        return array
    height, width = array.shape[:2]
    # Halving is what OpenCV is quickest at, and a mean of means is the mean: most of a large photo goes this way.
    while height >= 4 * size[0] and width >= 4 * size[1] and height % 2 == width % 2 == 0:
        height, width = height // 2, width // 2
        array = cv2.resize(array, (width, height), interpolation=cv2.INTER_AREA)
    way = cv2.INTER_AREA if array.shape[0] > size[0] or array.shape[1] > size[1] else cv2.INTER_LINEAR
    return cv2.resize(array, (size[1], size[0]), interpolation=way)


def _surroundings(inside: np.ndarray) -> tuple[slice, slice]:
    """A window around a region, wider than its box where the picture allows."""
    window = []
    for axis in (1, 0):
        places = np.flatnonzero(inside.any(axis))
        middle, half = (places[0] + places[-1] + 1) / 2, (places[-1] + 1 - places[0]) * MARGIN / 2 + 1
        limit = inside.shape[1 - axis]
        window.append(slice(max(0, int(middle - half)), min(limit, int(np.ceil(middle + half)))))
    return window[0], window[1]
