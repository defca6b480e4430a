"""The colours of a cut-out without its old background: foreground estimation by blurring and fusing.

Forte, "Approximate Fast Foreground Colour Estimation" (ICIP 2021): means of the colours of either side, weighed by
alpha, in a large window and then in a small one; the foreground is then moved to where I = a F + (1 - a) B holds.
"""

import cv2
import numpy as np

from iph.errors import InputError
from iph.pixels import full_scale

WINDOWS = 90, 6  # pixels, of the two passes, as in the paper; in larger pictures than these were made for, larger
SIDE = 1000
TINY = 1e-5


def clean_edges(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The colours of the foreground alone, of a picture (H, W, 3) uint8, uint16 or float32 in [0, 1].

    alpha: (H, W) float32 in [0, 1]. Where alpha is 1 nothing changes, and neither where it is 0: nobody sees it.
    Returns (H, W, 3) of the picture's dtype. Raises InputError where the sizes differ.
    """
    if alpha.shape != image.shape[:2]:
        raise InputError(f"the alpha was expected with shape {image.shape[:2]}, not {alpha.shape}")
    partly = (alpha > 0) & (alpha < 1)
    if not partly.any():
        return image.copy()
    full = full_scale(image)
    alpha = alpha.astype(np.float32)[..., None]
    picture = image.astype(np.float32) / np.float32(full)
    foreground = background = picture
    larger = max(1.0, max(image.shape[:2]) / SIDE)
    for size in (round(window * larger) for window in WINDOWS):
        foreground, background = _fused(picture, foreground, background, alpha, size)
    estimate = foreground * np.float32(full)
    estimate = estimate if full == 1 else np.rint(estimate)
    return np.where(partly[..., None], estimate.astype(image.dtype), image)


def _fused(
    picture: np.ndarray, foreground: np.ndarray, background: np.ndarray, alpha: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Foreground and background (H, W, 3) of one pass: their means in windows of ``size``, the first then mended."""
    mean = cv2.blur(alpha, (size, size))[..., None]
    front = cv2.blur(foreground * alpha, (size, size)) / (mean + TINY)
    behind = cv2.blur(background * (1 - alpha), (size, size)) / (1 - mean + TINY)
    return np.clip(front + alpha * (picture - alpha * front - (1 - alpha) * behind), 0, 1), behind
