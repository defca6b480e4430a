"""Every form a mask comes in, made into one: (H, W) float32 in [0, 1].

The two-colour form (red foreground, blue reference, on black) is that of the paper's published mask pictures.
"""

import cv2
import numpy as np

from iph.errors import InputError

HALF = 0.5
OTHER_ASPECT = 0.01  # how far the aspect of a mask may be from the picture's, rounding of small sides aside
GREY = 24  # channels of a grey mask saved as JPEG differ by less than this, of 255


def as_mask(mask: np.ndarray, shape: tuple[int, ...], name: str = "mask", allow_full: bool = False) -> np.ndarray:
    """Read a mask in any form.

    mask: (H, W), (H, W, 1) or grey (H, W, 3), as bool, float in [0, 1], or integers: 0/255, 0/65535 or, where nothing
    exceeds 1, 0/1. With an alpha channel, (H, W, 2) or (H, W, 4), the mask is the alpha, unless it is opaque
    everywhere: then it is the grey of the colours, as in a painted PNG.
    shape: (H, W, ...) of the picture. A mask of another size but the same aspect (within 1 %) is resized: averaged
    down, or linearly up. allow_full: whether a mask of everything makes sense, as for a whole other photo.

    Returns (H, W) float32 in [0, 1]. Raises InputError for NaN, another aspect, colours, an empty or a full mask.
    """
    mask = _one_channel(np.asarray(mask), name)
    mask = _unit(mask, name)
    mask = _sized(mask, shape[:2], name)
    if not (mask >= HALF).any():
        raise InputError(f"the {name} is empty: at least one pixel more than half inside was expected")
    if not allow_full and (mask >= HALF).all():
        raise InputError(f"the {name} covers the whole picture: some of it was expected to stay outside")
    return mask


def from_alpha(layer: np.ndarray) -> np.ndarray:
    """The mask of a cut-out: (H, W) alpha or (H, W, 4) RGBA, uint8, uint16 or float, to (H, W) float32."""
    layer = np.asarray(layer)
    if layer.ndim == 3 and layer.shape[2] not in (2, 4):
        raise InputError(f"a picture with an alpha channel was expected, this one has {layer.shape[2]} channels")
    alpha = layer[..., -1] if layer.ndim == 3 else layer
    mask = _unit(alpha, "alpha channel")
    if (mask >= HALF).all():
        raise InputError("a cut-out was expected, but its alpha channel is opaque everywhere")
    if not (mask >= HALF).any():
        raise InputError("a cut-out was expected, but its alpha channel is transparent everywhere")
    return mask


def from_two_color(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Foreground and reference, each (H, W) float32 0/1, of an (H, W, 3) picture: red, blue, and the rest black.

    Each pixel goes to the nearest of the three colours, so JPEG noise does no harm.
    """
    picture = np.asarray(picture)
    if picture.ndim != 3 or picture.shape[2] not in (3, 4):
        raise InputError(f"a two-colour mask has shape (H, W, 3), this one has {picture.shape}")
    red, green, blue = (_unit(picture[..., c], "two-colour mask") for c in range(3))
    if (green >= HALF).mean() > 0.01:
        raise InputError("a two-colour mask is red, blue and black, but this one has other colours")
    foreground, reference = (red >= HALF) & (red >= blue), (blue >= HALF) & (blue > red)
    for mask, colour, name in ((foreground, "red", "foreground"), (reference, "blue", "reference")):
        if not mask.any():
            raise InputError(f"a two-colour mask marks the {name} in {colour}, but nothing of this one is {colour}")
    return foreground.astype(np.float32), reference.astype(np.float32)


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
        raise InputError("the reference lies inside the foreground: a region outside of it was expected")
    return foreground, rest


def _size(mask: np.ndarray) -> str:
    return f"{mask.shape[1]} x {mask.shape[0]}"


def _one_channel(mask: np.ndarray, name: str) -> np.ndarray:
    if mask.ndim == 2 and mask.size:
        return mask
    if mask.ndim != 3 or not mask.size or mask.shape[2] > 4:
        raise InputError(f"the {name} was expected as (H, W) or a picture of 1 to 4 channels, not {mask.shape}")
    colours = mask.shape[2] - (mask.shape[2] in (2, 4))
    if mask.shape[2] != colours and not (_unit(mask[..., -1], name) >= HALF).all():
        return mask[..., -1]
    mask = mask[..., :colours]
    values = _unit(mask, name)
    if np.percentile(np.ptp(values, axis=2), 99) * 255 > GREY:
        raise InputError(f"the {name} was expected in grey, but it has colours: two-colour masks have their own form")
    return mask[..., 0]


def _unit(values: np.ndarray, name: str) -> np.ndarray:
    """Any dtype to float32 in [0, 1]."""
    if values.dtype == bool:
        return values.astype(np.float32)
    if np.issubdtype(values.dtype, np.integer):
        low, high = int(values.min()), int(values.max())
        if low < 0 or high > 65535:
            raise InputError(f"the {name} was expected between 0 and 255, but goes from {low} to {high}")
        top = 1 if high <= 1 else 255 if high <= 255 else 65535
        return (values / np.float32(top)).astype(np.float32)
    if not np.issubdtype(values.dtype, np.floating):
        raise InputError(f"the {name} was expected as numbers, not as {values.dtype}")
    if not np.isfinite(values).all():
        raise InputError(f"the {name} was expected between 0 and 1, but has values that are not finite (NaN)")
    low, high = float(values.min()), float(values.max())
    if low < -1e-3 or high > 1 + 1e-3:
        raise InputError(f"the {name} was expected between 0 and 1, but goes from {low:.3g} to {high:.3g}")
    return np.clip(values, 0, 1).astype(np.float32)


def _sized(mask: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    if mask.shape == tuple(shape):
        return mask
    (h, w), (height, width) = mask.shape, shape
    rounding = 1 / min(h, w, height, width)
    if abs(np.log((w / h) / (width / height))) > OTHER_ASPECT + rounding:
        raise InputError(f"the {name} is {w} x {h}, but the picture is {width} x {height}, of another aspect")
    way = cv2.INTER_AREA if h > height else cv2.INTER_LINEAR
    return np.clip(cv2.resize(mask, (width, height), interpolation=way), 0, 1)  # averages overshoot by a rounding
