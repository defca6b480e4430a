"""The regions a classical method reads and writes, and soft edges.

Statistics come from the core of a region (weight from one half on). The new colours are blended in by the mask, so that
pixels of weight 0 stay bit-identical.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.methods.registry import Harmonize
from iph.errors import InputError
from iph.masks.forms import as_weights

Floats = NDArray[np.float64]
Mapper = Callable[[Floats, NDArray[np.bool_], Floats], Floats]
"""(pixels (K, 3) to map, which of them are the core (K,), pixels (M, 3) of the guide), all in [0, 1] → (K, 3)."""


def core_of(weights: Floats, name: str) -> NDArray[np.bool_]:
    """Where the region is for certain, (H, W); all of it where it is faint everywhere."""
    core = weights >= 0.5
    if not core.any():
        core = weights > 0
    if not core.any():
        raise InputError(f"expected a {name}, but its mask is empty")
    return core


def given(reference: ArrayLike | None) -> ArrayLike:
    """The reference; InputError where a method that looks at it gets none."""
    if reference is None:
        raise InputError("expected a reference mask for a method that looks at the reference, but got none")
    return reference


def guide_of(
    looks_at: Literal["background", "reference"],
    weights: Floats,
    reference: ArrayLike | None,
) -> NDArray[np.bool_]:
    """The region (H, W) whose look is wanted: pixels without any foreground, or the reference."""
    if looks_at == "reference":
        return core_of(as_weights(given(reference), "reference mask", weights.shape), "reference")
    clear = weights == 0
    background = clear if clear.any() else weights < 0.5
    if not background.any():
        raise InputError("expected a background to look at, but the foreground covers the whole frame")
    return background


def recolored(mapper: Mapper, looks_at: Literal["background", "reference"]) -> Harmonize:
    """A harmonizer that gives the foreground the colours ``mapper`` finds for it."""

    def harmonize(
        composite: NDArray[np.uint8], foreground: ArrayLike, reference: ArrayLike | None = None
    ) -> NDArray[np.uint8]:
        weights = as_weights(foreground, "foreground mask", composite.shape[:2])
        core, guide = core_of(weights, "foreground"), guide_of(looks_at, weights, reference)
        inside = weights > 0
        pixels = composite[inside] / 255.0  # (H, W, 3) → (K, 3)
        mapped = mapper(pixels, core[inside], composite[guide] / 255.0)
        return blended(composite, inside, mapped, weights)

    return harmonize


def blended(
    composite: NDArray[np.uint8], inside: NDArray[np.bool_], colors: Floats, weights: Floats
) -> NDArray[np.uint8]:
    """``composite`` with ``colors`` (K, 3) in [0, 1] laid over the K pixels of ``inside`` by their weights."""
    old = composite[inside] / 255.0
    new = old + weights[inside][:, None] * (np.clip(colors, 0, 1) - old)
    result = composite.copy()
    result[inside] = np.rint(new * 255).astype(np.uint8)
    return result
