"""Masks in the forms that people have, as weights."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.errors import InputError


def weights_of(mask: ArrayLike, name: str, size: tuple[int, ...] | None = None) -> NDArray[np.float64]:
    """``mask`` (H, W) bool, uint8 0-255 or float in [0, 1] as weights (H, W) in [0, 1].

    Raises ``InputError`` for another form, or for a shape other than ``size``.
    """
    mask = np.asarray(mask)
    known = mask.dtype == np.bool_ or mask.dtype == np.uint8 or np.issubdtype(mask.dtype, np.floating)
    if mask.ndim != 2 or mask.size == 0 or not known:
        raise InputError(
            f"expected the {name} as bool, 8-bit or float of shape (H, W), one value a pixel,"
            f" but got {mask.dtype} of shape {mask.shape}"
        )
    if size is not None and mask.shape != size:
        raise InputError(f"expected the {name} of shape {size} like its image, but got {mask.shape}")
    if mask.dtype == np.uint8:
        if mask.max() == 1:
            raise InputError(
                f"expected an 8-bit {name} to reach up to 255, but its largest value is 1: give it as bool"
            )
        return mask / 255.0
    weights = mask.astype(np.float64)
    if not (np.isfinite(weights).all() and weights.min() >= 0 and weights.max() <= 1):
        raise InputError(f"expected a float {name} in [0, 1], but got values from {weights.min()} to {weights.max()}")
    return weights
