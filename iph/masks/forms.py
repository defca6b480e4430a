"""Every form a mask comes in, made into one: (H, W) float32 in [0, 1]. All of the project reads masks here.

The two-colour form (red foreground, blue reference, on black) is that of the masks in the paper's Figures 4 and 9.
Colours are looked at in bands of rows that stay in the processor's cache, so a mask of 12 MP takes less than its
decoding.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from iph.errors import InputError
from iph.images.photo import Photo
from iph.pixels import FULL_SCALE, full_scale, grey_plane, resized

HALF = 0.5
OTHER_ASPECT = 0.01  # how far the aspect of a mask may be from the picture's, rounding of small sides aside
GREY = 48 / 255  # channels of a grey mask saved as JPEG differ by less than this
NOISE = 0.01  # share of what a mask marks that JPEG may have coloured all the same
BAND = 1 << 16  # pixels that are looked at together


def as_mask(mask: np.ndarray, shape: tuple[int, ...], name: str = "mask", allow_full: bool = False) -> np.ndarray:
    """Read a mask in any form.

    mask: (H, W), (H, W, 1) or grey (H, W, 3), as bool, float in [0, 1], or integers: 0/255, 0/65535 or, where nothing
    exceeds 1, 0/1. With an alpha channel, (H, W, 2) or (H, W, 4), the mask is the alpha, unless it is opaque
    everywhere: then it is the grey of the colours, as in a painted PNG.
    shape: (H, W, ...) of the picture. A mask of another size but the same aspect (within 1 %) is resized: averaged
    down, or linearly up. allow_full: whether a mask of everything makes sense, as for a whole other photo.

    Returns (H, W) float32 in [0, 1]. Raises InputError for NaN, another aspect, colours, an empty or a full mask.
    """
    mask = np.asarray(mask)
    if mask.ndim not in (2, 3) or not mask.size or (mask.ndim == 3 and mask.shape[2] > 4):
        raise InputError(f"the {name} was expected as (H, W) or a picture of 1 to 4 channels, not {mask.shape}")
    if mask.ndim == 2:
        return _of(mask, shape, name, allow_full)
    colors = mask.shape[2] - (mask.shape[2] in (2, 4))
    alpha = mask[..., -1] if mask.shape[2] != colors else None
    if mask.dtype not in FULL_SCALE or mask.dtype == bool:  # what OpenCV has no form for
        mask = as_unit(mask, name)
    return _of(_one_plane(mask, alpha, name), shape, name, allow_full)


def from_photo(photo: Photo, shape: tuple[int, ...], name: str = "mask", allow_full: bool = False) -> np.ndarray:
    """The mask that a picture file is: its alpha, or its grey where it is opaque; else as ``as_mask``."""
    return _of(_one_plane(photo.pixels, photo.alpha, name), shape, name, allow_full)


def levels_from_photo(photo: Photo, shape: tuple[int, ...], name: str = "mask", allow_full: bool = False) -> np.ndarray:
    """``from_photo``, and where the file has 8 bits and the picture's size, in them: a quarter of the memory.

    Returns (H, W) bool, uint8 of 0 to 255, or float32 in [0, 1].
    """
    return _levels_of(_one_plane(photo.pixels, photo.alpha, name), shape, name, allow_full)


def pair_from_photo(photo: Photo, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Foreground and reference, each (H, W) float32 at the size of a picture of ``shape``, of a two-colour file."""
    foreground, reference = _two_color(photo.pixels, photo.alpha)
    return _of(foreground, shape, "foreground"), _of(reference, shape, "reference")


def marks_from_photo(photo: Photo, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray | None]:
    """Foreground, and reference if the file has two colours: for callers who take either form in one place."""
    foreground, reference = mark_levels_from_photo(photo, shape)
    return as_unit(foreground, "foreground"), reference


def mark_levels_from_photo(photo: Photo, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray | None]:
    """``marks_from_photo``, its foreground as ``levels_from_photo`` where the file has not two colours."""
    colored = _has_colors(photo.pixels)
    if colored and _is_two_color(photo.pixels, photo.alpha):
        return pair_from_photo(photo, shape)
    return _levels_of(_one_plane(photo.pixels, photo.alpha, "foreground", colored), shape, "foreground"), None


def own_mask(alpha: np.ndarray | None) -> np.ndarray | None:
    """The mask of a picture that is a cut-out by its alpha (H, W); None where that leaves everything in sight."""
    if alpha is None or (as_unit(alpha, "alpha channel") >= HALF).all():
        return None
    return from_alpha(alpha)


def from_alpha(layer: np.ndarray) -> np.ndarray:
    """The mask of a cut-out: (H, W) alpha or (H, W, 4) RGBA, uint8, uint16 or float, to (H, W) float32."""
    layer = np.asarray(layer)
    if layer.ndim == 3 and layer.shape[2] not in (2, 4):
        raise InputError(f"a picture with an alpha channel was expected, this one has {layer.shape[2]} channels")
    mask = as_unit(layer[..., -1] if layer.ndim == 3 else layer, "alpha channel")
    if (mask >= HALF).all():
        raise InputError("a cut-out was expected, but its alpha channel is opaque everywhere")
    if not (mask >= HALF).any():
        raise InputError("a cut-out was expected, but its alpha channel is transparent everywhere")
    return mask


def from_two_color(picture: np.ndarray, alpha: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Foreground and reference, each (H, W) float32 0/1, of an (H, W, 3) picture: red, blue, and the rest black.

    Each pixel goes to the nearest of the three colours, so JPEG noise does no harm. ``alpha`` (H, W): what is clear
    marks nothing, whatever its colour.
    """
    picture = np.asarray(picture)
    if picture.ndim != 3 or picture.shape[2] not in (3, 4):
        raise InputError(f"a two-colour mask has shape (H, W, 3), this one has {picture.shape}")
    foreground, reference = _two_color(picture, alpha)
    return foreground.astype(np.float32), reference.astype(np.float32)


def bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of what is set in a bool mask, the last two exclusive."""
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return x, y, x + width, y + height


def as_box(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 in whole pixels, corners in order and inside the picture. Raises InputError if nothing is left."""
    values = np.asarray(box, np.float64).ravel()
    if values.shape != (4,) or not np.isfinite(values).all():
        raise InputError(f"a box is four numbers x0, y0, x1, y1, not {box!r}")
    (x0, x1), (y0, y1) = sorted(values[0::2]), sorted(values[1::2])
    height, width = shape[:2]
    x0, x1 = (int(np.clip(round(x), 0, width)) for x in (x0, x1))
    y0, y1 = (int(np.clip(round(y), 0, height)) for y in (y0, y1))
    if x1 <= x0 or y1 <= y0:
        corners = ", ".join(f"{value:g}" for value in np.ravel(box))
        raise InputError(f"the box ({corners}) holds no pixel of a picture of {width} x {height}")
    return x0, y0, x1, y1


def from_box_region(shape: tuple[int, ...], box: tuple[float, float, float, float]) -> np.ndarray:
    """Everything inside a box x0, y0, x1, y1 (pixels, the last two exclusive), (H, W) float32 0/1."""
    x0, y0, x1, y1 = as_box(box, shape)
    mask = np.zeros(shape[:2], np.float32)
    mask[y0:y1, x0:x1] = 1
    return mask


def check_pair(foreground: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Check a foreground and a reference of one picture; both (H, W) float32, both come back.

    Where they overlap the reference gives way. Raises InputError for different sizes, an empty or full foreground, an
    empty reference, and a reference that lies inside the foreground.
    """
    if foreground.shape != reference.shape:
        raise InputError(
            f"foreground and reference of one picture have one size, not {_size(foreground)} and {_size(reference)}"
        )
    foreground = as_mask(foreground, foreground.shape, "foreground")
    reference = as_mask(reference, reference.shape, "reference", allow_full=True)
    rest = np.minimum(reference, 1 - foreground)
    if not (rest >= HALF).any():
        raise InputError(
            "the reference lies on the person: mark somebody or something beside them, whose light they should take"
        )
    return foreground, rest


def check_aspect(mask: tuple[int, int], picture: tuple[int, int], name: str = "mask") -> None:
    """Raise InputError where a mask of that (height, width) is of another aspect than a picture of that one."""
    (h, w), (height, width) = mask, picture
    rounding = 1 / min(h, w, height, width)
    if abs(np.log((w / h) / (width / height))) > OTHER_ASPECT + rounding:
        raise InputError(f"the {name} is {w} x {h}, but the picture is {width} x {height}, of another aspect")


def as_unit(values: np.ndarray, name: str = "mask", dtype: type = np.float32) -> np.ndarray:
    """Numbers of any dtype in [0, 1], as ``dtype``: bool, float in [0, 1], or integers 0/255, 0/65535 or 0/1.

    What is that already comes back itself. Raises InputError for what is no number, not finite or out of range.
    """
    if values.dtype == bool:
        return values.astype(dtype)
    if np.issubdtype(values.dtype, np.integer):
        low, high = int(values.min()), int(values.max())
        if low < 0 or high > 65535:
            raise InputError(f"the {name} was expected between 0 and 255, but goes from {low} to {high}")
        return np.divide(values, _top(high), dtype=dtype)
    if not np.issubdtype(values.dtype, np.floating):
        raise InputError(f"the {name} was expected as numbers, not as {values.dtype}")
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise InputError(f"the {name} was expected between 0 and 1, but has values that are not finite (NaN)")
    if low < -1e-3 or high > 1 + 1e-3:
        raise InputError(f"the {name} was expected between 0 and 1, but goes from {low:.3g} to {high:.3g}")
    if low < 0 or high > 1:
        values = np.clip(values, 0, 1)
    return values.astype(dtype, copy=False)


def as_levels(mask: np.ndarray) -> np.ndarray:
    """A mask (H, W) of any dtype in 8 bits, uint8 from 0 to 255 and to the nearest; one of yes and no, bool, itself."""
    if mask.dtype == bool or (mask.dtype == np.uint8 and top_of(mask) > 1):
        return mask
    return cv2.convertScaleAbs(mask, alpha=255 / top_of(mask))


def top_of(mask: np.ndarray) -> float:
    """What counts as all in a mask of any dtype: 1, 255 or 65535."""
    return _top(int(mask.max())) if mask.dtype.kind in "ui" else 1


def as_weights(mask: np.ndarray, name: str = "mask", shape: tuple[int, ...] | None = None) -> np.ndarray:
    """A mask (H, W), bool, integers or float in [0, 1], as weights (H, W) float64: to be computed with, not resized.

    Raises InputError for another form, or for a shape other than ``shape``.
    """
    mask = np.asarray(mask)
    if mask.ndim != 2 or not mask.size:
        raise InputError(
            f"expected the {name} as (H, W), one value a pixel, but got {mask.dtype} of shape {mask.shape}"
        )
    if shape is not None and mask.shape != tuple(shape):
        raise InputError(f"expected the {name} of shape {tuple(shape)} like its image, but got {mask.shape}")
    return as_unit(mask, name, np.float64)


def _of(plane: np.ndarray, shape: tuple[int, ...], name: str, allow_full: bool = False) -> np.ndarray:
    """One plane (h, w) of numbers as the mask of a picture, with every check that it is one."""
    mask = _sized(as_unit(plane, name), shape[:2], name)
    low, high, *_ = cv2.minMaxLoc(mask)
    _check_extent(low, high, name, allow_full)
    return mask


def _levels_of(plane: np.ndarray, shape: tuple[int, ...], name: str, allow_full: bool = False) -> np.ndarray:
    if plane.dtype != np.uint8 or plane.shape != tuple(shape[:2]):
        return _of(plane, shape, name, allow_full)
    low, high, *_ = cv2.minMaxLoc(plane)
    top = _top(int(high))
    _check_extent(low / top, high / top, name, allow_full)
    return plane if top > 1 else plane > 0


def _check_extent(low: float, high: float, name: str, allow_full: bool) -> None:
    """Raise InputError where a mask from ``low`` to ``high``, in [0, 1], marks nothing, or everything."""
    if high < HALF:
        raise InputError(f"the {name} is empty: at least one pixel more than half inside was expected")
    if not allow_full and low >= HALF:
        raise InputError(f"the {name} covers the whole picture: some of it was expected to stay outside")


def _one_plane(picture: np.ndarray, alpha: np.ndarray | None, name: str, colored: bool | None = None) -> np.ndarray:
    """The plane (H, W) that carries the mask: alpha, or the grey of a picture (H, W, 1 to 4) where it is opaque.

    colored: whether the picture has colours, where that is known.
    """
    if alpha is not None and not _opaque(alpha, name):
        return alpha
    if picture.shape[2] >= 3 and (_has_colors(picture) if colored is None else colored):
        raise InputError(f"the {name} was expected in grey, but it has colours: two-colour masks have their own form")
    plane = grey_plane(picture)
    return cv2.extractChannel(np.ascontiguousarray(picture), 0) if plane is None else plane


def _opaque(alpha: np.ndarray, name: str) -> bool:
    least = alpha.min() / _top(int(alpha.max())) if alpha.dtype.kind in "ui" else as_unit(alpha, name).min()
    return bool(least >= HALF)


def _top(high: int) -> int:
    """The full scale of integers whose largest is ``high``."""
    return 1 if high <= 1 else 255 if high <= 255 else 65535


def _half(array: np.ndarray) -> float:
    """The least value that is at least half of full, as an integer where the array has integers: ten times as quick."""
    full = full_scale(array)
    return HALF if full == 1 else int(full) // 2 + 1


def _bands(picture: np.ndarray) -> Iterator[tuple[slice, list[np.ndarray]]]:
    """Some rows of a picture (H, W, 3 or 4) after the other, and their three colours (rows, W)."""
    height, width = picture.shape[:2]
    step = max(1, BAND // width)
    for start in range(0, height, step):
        rows = slice(start, start + step)
        yield rows, list(cv2.split(np.ascontiguousarray(picture[rows]))[:3])


def _has_colors(picture: np.ndarray) -> bool:
    """Whether three planes are far apart in more than a trace of what is bright in some of them."""
    if grey_plane(picture) is not None:
        return False
    top = _top(int(picture[..., :3].max())) if picture.dtype.kind == "u" else 1
    half, limit = (top // 2 + 1, int(GREY * top)) if top > 1 else (HALF, GREY)
    apart = bright = 0
    for _, (red, green, blue) in _bands(picture):
        if max(cv2.norm(red, green, cv2.NORM_INF), cv2.norm(green, blue, cv2.NORM_INF)) > limit / 2:
            high, low = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
            apart += np.count_nonzero(cv2.subtract(high, low) > limit)
    if apart:
        bright = sum(
            np.count_nonzero(cv2.max(cv2.max(*planes[:2]), planes[2]) >= half) for _, planes in _bands(picture)
        )
    return apart > NOISE * bright


def _two_color(picture: np.ndarray, alpha: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Foreground and reference, each (H, W) bool, of a two-colour picture. Raises InputError where it is none."""
    half, others = _half(picture), 0
    foreground, reference = (np.empty(picture.shape[:2], bool) for _ in range(2))
    for rows, (red, green, blue) in _bands(picture):
        visible = True if alpha is None else alpha[rows] >= _half(alpha)
        others += np.count_nonzero((green >= half) & visible)
        foreground[rows] = (red >= half) & (red >= blue) & visible
        reference[rows] = (blue >= half) & (blue > red) & visible
    if others > NOISE * foreground.size:
        raise InputError("a two-colour mask is red, blue and black, but this one has other colours")
    for mask, color, name in ((foreground, "red", "foreground"), (reference, "blue", "reference")):
        if not mask.any():
            raise InputError(f"a two-colour mask marks the {name} in {color}, but nothing of this one is {color}")
    return foreground, reference


def _is_two_color(picture: np.ndarray, alpha: np.ndarray | None) -> bool:
    """Whether a picture, as far as it is visible, is red, blue and black, with red and blue in it."""
    half, total, only_red, only_blue = _half(picture), 0, 0, 0
    for rows, planes in _bands(picture):
        red, green, blue = (plane >= half for plane in planes)
        marked = red | green | blue
        if alpha is not None:
            marked &= alpha[rows] >= _half(alpha)
        total += np.count_nonzero(marked)
        marked &= ~green & (red ^ blue)
        only_red += np.count_nonzero(marked & red)
        only_blue += np.count_nonzero(marked & blue)
    return only_red > 0 and only_blue > 0 and total - only_red - only_blue <= NOISE * total


def _sized(mask: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    if mask.shape == tuple(shape):
        return mask
    check_aspect(mask.shape, shape, name)
    return np.clip(resized(mask, shape), 0, 1)  # averages overshoot by a rounding


def _size(mask: np.ndarray) -> str:
    return f"{mask.shape[1]} x {mask.shape[0]}"
