"""Levels and sizes of pictures as arrays: full scales, resizing, and the small copies that everything looks at."""

import cv2
import numpy as np

from iph.errors import InputError

PROXY_SIDE = 1024  # longest side; a colour change needs no more, and a 24 MP mask as float would cost 96 MB
GREY = 1 / 255  # what conversions of profile and JPEG leave of grey
# Largest value of each dtype that a picture or a mask may have.
FULL_SCALE = {
    np.dtype(np.uint8): 255.0,
    np.dtype(np.uint16): 65535.0,
    np.dtype(np.float32): 1.0,
    np.dtype(np.float64): 1.0,
    np.dtype(bool): 1.0,
}


def full_scale(array: np.ndarray, name: str = "picture") -> float:
    """The largest value that an array of this dtype may have. Raises InputError for a dtype of no picture."""
    try:
        return FULL_SCALE[array.dtype]
    except KeyError:
        raise InputError(f"expected uint8, uint16 or float32 values in the {name}, got {array.dtype}") from None


def resized(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``array`` (H, W, ...) at (height, width): averaged down, linearly up; itself at its own size."""
    if array.shape[:2] == tuple(size):
        return array
    height, width = array.shape[:2]
    # Halving is what OpenCV is quickest at, and a mean of means is the mean: most of a large photo goes this way.
    while height >= 4 * size[0] and width >= 4 * size[1] and height % 2 == width % 2 == 0:
        height, width = height // 2, width // 2
        array = cv2.resize(array, (width, height), interpolation=cv2.INTER_AREA)
    fewer = min(height, size[0]), min(width, size[1])  # apart, because OpenCV averages only where no side grows
    for (rows, columns), way in ((fewer, cv2.INTER_AREA), (size, cv2.INTER_LINEAR)):
        if array.shape[:2] != (rows, columns):
            array = cv2.resize(array, (columns, rows), interpolation=way)
    return array


def proxy(image: np.ndarray, side: int = PROXY_SIDE) -> np.ndarray:
    """``image`` (H, W, ...) with a longest side of at most ``side``, dtype kept; itself if it is small."""
    return resized(image, proxy_size(image.shape, side))


def proxy_size(shape: tuple[int, ...], side: int = PROXY_SIDE) -> tuple[int, int]:
    """Height and width of the proxy of a picture of ``shape`` (H, W, ...)."""
    scale = min(1.0, side / max(shape[:2]))
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def as_picture(image: np.ndarray, name: str = "image") -> np.ndarray:
    """``image`` if it is (H, W, 3) uint8, uint16 or float32 in [0, 1]; InputError says what came instead."""
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        shape = getattr(image, "shape", type(image).__name__)
        raise InputError(f"expected the {name} as an array of shape (H, W, 3), got {shape}")
    if image.dtype not in (np.uint8, np.uint16, np.float32):
        raise InputError(f"expected the {name} as uint8, uint16 or float32, got {image.dtype}")
    if image.dtype == np.float32:
        low, high = float(image.min()), float(image.max())  # NaN makes both comparisons false
        if not (low >= 0 and high <= 1):
            raise InputError(f"expected float values of the {name} from 0 to 1, got {low:g} to {high:g}")
    return image


def check_visible(image: np.ndarray, alpha: np.ndarray | None, icc: bytes | None) -> None:
    """Raise InputError for an alpha that is not of the picture's (H, W), or for a profile that is no bytes."""
    if alpha is not None and (getattr(alpha, "shape", None) != image.shape[:2] or alpha.dtype not in FULL_SCALE):
        found = f"{alpha.shape} of {alpha.dtype}" if isinstance(alpha, np.ndarray) else type(alpha).__name__
        raise InputError(f"expected an alpha of shape {image.shape[:2]}, got {found}")
    if not isinstance(icc, bytes | None):
        raise InputError(f"expected an ICC profile as bytes, got {type(icc).__name__}")


def small_copy(image: np.ndarray, side: int = PROXY_SIDE) -> np.ndarray:
    """A picture (H, W, 3) of uint8, uint16 or float32 in [0, 1] as uint8 with a longest side of at most ``side``.

    Raises InputError for another shape or dtype, and for values that are not finite.
    """
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise InputError(f"a picture has shape (H, W, 3), this one has {image.shape}")
    return as_uint8(proxy(image, side))


def is_grey(image: np.ndarray) -> bool:
    """Whether a picture (H, W, 3) has no colours: its channels differ by a level of 255 at most."""
    red, green, blue = cv2.split(np.ascontiguousarray(image))
    most = full_scale(image) * GREY
    return all(cv2.minMaxLoc(cv2.absdiff(one, green))[1] <= most for one in (red, blue))


def grey_plane(image: np.ndarray) -> np.ndarray | None:
    """The one plane (H, W) that a picture (H, W, 3) shows three times, as that of a grey file does; else None."""
    return image[..., 0] if image.ndim == 3 and image.strides[2] == 0 else None


def as_uint8(image: np.ndarray) -> np.ndarray:
    """A picture of any dtype as uint8, rounded; itself if it is. Raises InputError for what is not finite."""
    full = full_scale(image)
    if image.dtype == np.uint8:
        return image
    if not np.isfinite(image).all():
        raise InputError("a picture was expected between 0 and 1, but has values that are not finite (NaN)")
    return np.rint(np.clip(image / np.float32(full), 0, 1) * 255).astype(np.uint8)
