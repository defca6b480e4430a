"""What a photo looks like: sRGB, with nothing in it of what is hidden. Networks, masks and statistics see only this.

Colours under transparent pixels can be anything, and no result may depend on them. They weigh nothing when pixels are
averaged (premultiplied alpha: Porter & Duff 1984), and stand as the mean of what is visible.
"""

import cv2
import numpy as np

from iph.errors import InputError
from iph.images.rgb_space import space_of
from iph.pixels import PROXY_SIDE, full_scale, proxy, proxy_size, resized

ROWS = 64  # at a time: what a full-size picture takes as float stays small


def small_appearance(
    pixels: np.ndarray, alpha: np.ndarray | None = None, icc: bytes | None = None, side: int = PROXY_SIDE
) -> tuple[np.ndarray, np.ndarray | None]:
    """The proxy of a picture in sRGB, (h, w, 3) of its dtype, and its alpha (h, w) float32 in [0, 1] or None.

    pixels (H, W, 3) uint8, uint16 or float32 in [0, 1], numbers of the RGB profile ``icc`` (None: sRGB); alpha (H, W)
    of any such dtype. A pixel that is partly visible has its own colour, unmixed. Raises InputError where all is clear.
    """
    if alpha is None or is_opaque(alpha):
        return _in_srgb(proxy(pixels, side), icc), None
    height, width = proxy_size(pixels.shape, side)
    small, full = pixels, full_scale(pixels)
    share = _share(alpha)
    if (height, width) != pixels.shape[:2]:
        deep = 65535 if full > 1 else 1  # integers as uint16: half the memory of float
        weight = _scaled(alpha, deep)
        weighted = resized(
            cv2.multiply(_scaled(pixels, deep), cv2.merge([weight] * 3), scale=1 / deep), (height, width)
        )
        share = resized(weight, (height, width)).astype(np.float32) / np.float32(deep)  # (h, w)
        small = weighted / np.float32(deep) / np.maximum(share, 1e-6)[..., None]
        small = _levels(np.clip(small, 0, 1), pixels.dtype)
    return np.where(share[..., None] > 0, _in_srgb(small, icc), _mean(small, share, icc)), share


def appearance(pixels: np.ndarray, alpha: np.ndarray | None = None, icc: bytes | None = None) -> np.ndarray:
    """A picture in sRGB at its own size, on a ground of its mean colour; arguments as in ``small_appearance``."""
    if alpha is None or is_opaque(alpha):
        return _in_srgb(pixels, icc)
    small, share = small_appearance(pixels, alpha, icc)
    mean = _mean(small, share, None).astype(np.float32)
    result = np.empty_like(pixels)
    for y in range(0, len(pixels), ROWS):
        rows = slice(y, y + ROWS)
        share = _share(alpha[rows])[..., None]
        mixed = _in_srgb(pixels[rows], icc) * share + mean * (1 - share)
        result[rows] = mixed if pixels.dtype.kind == "f" else np.rint(mixed)
    return result


def on_black(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) uint8 or uint16, in its own numbers, times its alpha (H, W)."""
    return np.rint(pixels * _share(alpha)[..., None]).astype(pixels.dtype)


def without_hidden(pixels: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """A picture in its own numbers, its clear pixels replaced by the mean of what is visible; itself if none is."""
    if alpha is None or alpha.min() > 0:
        return pixels
    return np.where(alpha[..., None] > 0, pixels, _mean(*small_appearance(pixels, alpha), None))


def is_opaque(alpha: np.ndarray) -> bool:
    """Whether an alpha channel hides nothing."""
    return bool(alpha.min() >= full_scale(alpha, "alpha channel"))


def _in_srgb(pixels: np.ndarray, icc: bytes | None) -> np.ndarray:
    """A picture of a profile in sRGB and its own dtype; itself if it is sRGB."""
    space = space_of(icc)
    if space is None:
        return pixels
    result = np.empty_like(pixels)
    for y in range(0, len(pixels), ROWS):
        colors = space.decoded(pixels[y : y + ROWS])
        result[y : y + ROWS] = _levels(np.clip(colors, 0, 1, out=colors), pixels.dtype)
    return result


def _mean(small: np.ndarray, share: np.ndarray, icc: bytes | None) -> np.ndarray:
    """The mean colour (3,) of what is visible."""
    if not share.any():
        raise InputError("expected a picture of which something is visible, but all of it is transparent")
    mean = np.average(small.reshape(-1, 3), axis=0, weights=share.ravel())
    mean = mean if small.dtype.kind == "f" else np.rint(mean)
    return _in_srgb(mean.astype(small.dtype)[None, None], icc)[0, 0]


def _share(alpha: np.ndarray) -> np.ndarray:
    return alpha.astype(np.float32) / np.float32(full_scale(alpha, "alpha channel"))


def _scaled(values: np.ndarray, full: int) -> np.ndarray:
    """Levels of any dtype on another full scale: 65535 as uint16, 1 as float32."""
    dtype = cv2.CV_16U if full > 1 else cv2.CV_32F
    return cv2.multiply(np.ascontiguousarray(values), full / full_scale(values), dtype=dtype)


def _levels(colors: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Float colours in [0, 1] on the scale of ``dtype``."""
    if dtype.kind == "f":
        return colors.astype(dtype)
    return np.rint(colors * np.float32(np.iinfo(dtype).max)).astype(dtype)
