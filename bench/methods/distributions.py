"""Whole colour distributions: per-channel histograms, and the iterative transfer of Pitié et al. 2007.

Each is a ``Mapper`` of ``regions.py``: (K, 3) pixels, their core, (M, 3) guide pixels, in [0, 1].
"""

import numpy as np
from numpy.typing import NDArray
from skimage.exposure import match_histograms

Floats = NDArray[np.float64]

ITERATIONS = 20
BINS = 300
GUIDE_PIXELS = 32768  # a larger guide is sampled: more pixels do not move a histogram of 300 bins
SEED = 0


def histogram(pixels: Floats, core: NDArray[np.bool_], guide: Floats) -> Floats:
    """Each channel's histogram matched by scikit-image; levels that the core lacks lie between their neighbours."""
    known = pixels[core]
    matched = match_histograms(known[:, None], guide[:, None], channel_axis=-1)[:, 0]  # (K, 1, 3) → (K, 3)
    mapped = np.empty_like(pixels)
    for channel in range(3):
        levels, first = np.unique(known[:, channel], return_index=True)
        mapped[:, channel] = np.interp(pixels[:, channel], levels, matched[first, channel])
    return mapped


def iterative_transfer(pixels: Floats, core: NDArray[np.bool_], guide: Floats) -> Floats:
    """N-dimensional pdf transfer (Pitié, Kokaram & Dahyot 2007): match marginals along random axes, again and again.

    The rotations are drawn from a fixed seed; the paper's regrain step, which smooths gradients, is not part of it. A
    flat area moves as one, and where to can hang on the last bit: nothing is left to a BLAS, which rounds by processor.
    """
    rng = np.random.default_rng(SEED)
    if len(guide) > GUIDE_PIXELS:
        guide = rng.choice(guide, GUIDE_PIXELS, replace=False)
    current = pixels
    for _ in range(ITERATIONS):
        rotation = np.linalg.qr(rng.standard_normal((3, 3)))[0].round(9)
        rotated, wanted = _turned(current, rotation), _turned(guide, rotation)
        moved = [_match_marginal(rotated[:, axis], core, wanted[:, axis]) for axis in range(3)]
        current = _turned(np.column_stack(moved), rotation.T)
    return current


def _turned(pixels: Floats, rotation: Floats) -> Floats:
    """``pixels @ rotation``, (K, 3), to the same bit on every machine and wherever a pixel stands."""
    red, green, blue = pixels.T[:, :, None]
    return red * rotation[0] + green * rotation[1] + blue * rotation[2]


def _match_marginal(values: Floats, core: NDArray[np.bool_], wanted: Floats) -> Floats:
    """``values`` (K,) moved so that those of the core are distributed as ``wanted`` (M,)."""
    known = values[core]
    if np.ptp(known) < 1e-6:  # a flat region has no distribution to bend
        return values + wanted.mean() - known.mean()
    edges_k, share_k = _cumulative(known)
    edges_w, share_w = _cumulative(wanted)
    return np.interp(values, edges_k, np.interp(share_k, share_w, edges_w))


def _cumulative(values: Floats) -> tuple[Floats, Floats]:
    """Edges of BINS equal bins and the share of values below each edge, strictly increasing to be invertible."""
    low, high = values.min(), max(values.max(), values.min() + 1e-6)
    bins = np.minimum((values - low) * (BINS / (high - low)), BINS - 1).astype(np.intp)
    share = np.concatenate([[0], np.cumsum(np.bincount(bins, minlength=BINS) + 1e-6)])
    return np.linspace(low, high, BINS + 1), share / share[-1]
