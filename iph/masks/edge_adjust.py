"""The edge of a mask, moved, softened or smoothed: what a retoucher does to a cut-out after it was found.

Distances are pixels of the mask. Masks are (H, W) float32 in [0, 1]; so is what comes back. Moving an edge takes the
soft edge along: the greatest or least value within a disc (grey morphology, Serra 1982), its radius cut to fractions of
a pixel by mixing the two whole radii around it.
"""

from dataclasses import asdict, dataclass, fields
from math import isfinite
from numbers import Real

import cv2
import numpy as np

from iph.errors import InputError

LIMITS = {"expand": (-100.0, 100.0), "feather": (0.0, 100.0), "smooth": (0.0, 100.0)}  # pixels
FAR = 8  # pixels: beyond, a disc is taken by distance from the half, and the edge is as soft as it was on average


def expand(mask: np.ndarray, pixels: float) -> np.ndarray:
    """The mask grown by so many pixels, or shrunk where they are negative."""
    if pixels == 0:
        return mask.copy()
    if pixels < 0:
        return 1 - expand(1 - mask, -pixels)
    whole = int(pixels)
    grown = _dilated(mask, whole)
    part = np.float32(pixels - whole)
    return grown if part == 0 else (1 - part) * grown + part * _dilated(mask, whole + 1)


def feather(mask: np.ndarray, pixels: float) -> np.ndarray:
    """The mask with its edge softened: blurred by a Gaussian of that standard deviation."""
    if pixels < 0:
        raise InputError(f"expected a feather of 0 pixels or more, got {pixels:g}")
    return (
        mask.copy() if pixels == 0 else cv2.GaussianBlur(mask, (0, 0), float(pixels), borderType=cv2.BORDER_REPLICATE)
    )


def smooth(mask: np.ndarray, pixels: float) -> np.ndarray:
    """The mask with its outline smoothed: what is finer than so many pixels, a notch or a hair, is evened out.

    The edge is as sharp afterwards as it was: a blurred mask, its values around one half spread again.
    """
    if pixels < 0:
        raise InputError(f"expected a smoothing of 0 pixels or more, got {pixels:g}")
    if pixels == 0:
        return mask.copy()
    blurred = feather(mask, pixels)
    return np.clip((blurred - 0.5) * np.float32(max(1.0, 2.5 * pixels)) + 0.5, 0, 1)


@dataclass(frozen=True)
class EdgeAdjustment:
    """What is done to a mask's edge, in this order: smooth, expand (negative: contract), feather; in pixels of the
    picture. ``clean``: the old background's colour is taken out of the edge (``iph.masks.clean_edges``)."""

    expand: float = 0.0
    feather: float = 0.0
    smooth: float = 0.0
    clean: bool = False

    def __post_init__(self) -> None:
        for name, (least, most) in LIMITS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Real) or not isfinite(value):
                raise InputError(f"expected {name} of an edge as a number of pixels, got {str(value)[:20]!r}")
            if not least <= value <= most:
                raise InputError(f"expected {name} of an edge from {least:g} to {most:g} pixels, got {value:g}")
        if not isinstance(self.clean, bool):
            raise InputError("expected clean of an edge as true or false, got something else")

    @property
    def moves(self) -> bool:
        """Whether anything is done to a mask."""
        return bool(self.expand or self.feather or self.smooth)

    def apply(self, mask: np.ndarray, scale: float = 1.0) -> np.ndarray:
        """The adjusted mask; itself where nothing is to be done. scale: pixels of the mask by pixel of the picture."""
        if not self.moves:
            return mask
        moved = expand(smooth(mask, self.smooth * scale), self.expand * scale)
        return feather(moved, self.feather * scale)

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: object) -> "EdgeAdjustment":
        """What ``to_dict`` wrote. Raises InputError on anything else."""
        names = {one.name for one in fields(cls)}
        if not isinstance(data, dict) or not data.keys() <= names:
            raise InputError(f"expected {', '.join(sorted(names))} of an edge, got something else")
        return cls(**data)


def _dilated(mask: np.ndarray, radius: int) -> np.ndarray:
    if radius == 0:
        return mask
    if radius <= FAR:
        return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)))
    away = cv2.distanceTransform((mask < 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.maximum(mask, np.clip(radius + 1 - away, 0, 1))
