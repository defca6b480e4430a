"""Random regions and references: where a composite is changed and where its look may be read from.

Ours: the paper draws instances.
"""

import cv2
import numpy as np

MIN_SHARE = 0.01  # a region below this share of the frame says too little about a look


def large_enough(mask: np.ndarray) -> bool:
    return np.count_nonzero(mask) >= MIN_SHARE * mask.size


def random_region(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A box, an ellipse or a blob somewhere in the frame, (H, W) bool, 3 to 35 % of it."""
    height, width = shape
    share = rng.uniform(0.03, 0.35)
    aspect = np.exp(rng.normal(0, 0.4))
    half_h = min(0.5, 0.5 * np.sqrt(share * aspect)) * height
    half_w = min(0.5, 0.5 * np.sqrt(share / aspect)) * width
    cy = rng.uniform(half_h, height - half_h)
    cx = rng.uniform(half_w, width - half_w)
    yy, xx = np.ogrid[:height, :width]
    dy, dx = (yy - cy) / max(half_h, 1), (xx - cx) / max(half_w, 1)
    kind = rng.integers(3)
    if kind == 0:
        return (np.abs(dy) <= 1) & (np.abs(dx) <= 1)
    if kind == 1:
        return dy * dy + dx * dx <= 1.27
    wobble = cv2.resize(rng.normal(0, 0.5, (5, 5)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return dy * dy + dx * dx + wobble <= 1.27


def background_region(rng: np.random.Generator, foreground: np.ndarray) -> np.ndarray:
    """A random region outside ``foreground``; the whole background where no try is large enough."""
    for _ in range(4):
        region = random_region(rng, foreground.shape) & ~foreground
        if large_enough(region):
            return region
    return ~foreground
