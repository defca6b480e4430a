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
from PIL import Image, UnidentifiedImageError

from bench.datasets.manifest import Entry
from bench.errors import InputError
from bench.metrics.protocols import PROTOCOLS, resized, soft

MASK_MODES = {"1", "L", "LA", "RGB", "RGBA", "CMYK", "YCbCr"}
STRONG = 128  # a colour channel from here on is "on" in a mask; JPEG masks have soft edges
GREY_SPREAD = 48  # how far the channels of a grey mask may drift apart when it was stored as JPEG


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
    """(H, W, 3) uint8 sRGB; an orientation note in the file is not followed, because masks do not carry it."""
    if not path.is_file():
        raise InputError(f"expected an image at {path}, found none")
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        raise InputError(f"expected a readable image, but {path} is broken or no image")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def read_mask(path: Path) -> np.ndarray:
    """(H, W) bool from an 8-bit grey mask, or from a grey one stored as RGB."""
    pixels = _mask_pixels(path)
    if pixels.ndim == 3:
        spread = pixels.max(axis=2).astype(int) - pixels.min(axis=2)
        if spread.max() > GREY_SPREAD:
            raise InputError(f"expected a grey mask, but {path} has colours; name a two-colour mask for both regions")
        pixels = pixels[..., 0]
    return pixels >= STRONG


def read_two_colour_mask(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Foreground and reference, (H, W) bool each, from red and blue on black (the paper's own figures)."""
    pixels = _mask_pixels(path)
    if pixels.ndim != 3:
        raise InputError(f"expected red for the foreground and blue for the reference, but {path} is grey")
    on = pixels >= STRONG  # (H, W, 3)
    return on[..., 0] & ~on[..., 1] & ~on[..., 2], on[..., 2] & ~on[..., 0] & ~on[..., 1]


def resize_mask(mask: np.ndarray, size: int) -> np.ndarray:
    """The nearest pixel's value; where a thin mask would vanish, every pixel that it touches."""
    small = np.asarray(Image.fromarray(mask).resize((size, size), Image.Resampling.NEAREST))
    return small if small.any() else cv2.resize(mask.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA) > 0


def _read_masks(entry: Entry) -> tuple[np.ndarray, np.ndarray | None]:
    if entry.reference is not None and entry.reference == entry.foreground:
        return read_two_colour_mask(entry.foreground)
    return read_mask(entry.foreground), None if entry.reference is None else read_mask(entry.reference)


def _mask_pixels(path: Path) -> np.ndarray:
    """(H, W) or (H, W, 3) uint8."""
    if not path.is_file():
        raise InputError(f"expected a mask at {path}, found none")
    try:
        with Image.open(path) as file:
            mode = file.mode
            if mode not in MASK_MODES:
                kind = "a palette mask" if mode == "P" else f"one with {mode} pixels (16 bits or more)"
                raise InputError(f"expected an 8-bit grey or RGB mask, but {path} is {kind}")
            return np.asarray(file.convert("L" if mode in ("1", "L", "LA") else "RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise InputError(f"expected a readable mask, but {path} is broken or no image ({error})") from None


def _size(array: np.ndarray) -> str:
    return f"{array.shape[1]}x{array.shape[0]}"
