"""Statistical colour transfer: the foreground takes the mean and spread of a guide region.

Reinhard et al. 2001 in lαβ, Xiao & Ma 2006 in RGB with its correlations, and luminance percentiles, ours, after
the losses of Valanarasu et al. 2022. Each is a ``Mapper`` of ``regions.py``: (K, 3) pixels, their core, (M, 3) guide
pixels.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVEL = 1 / 255
QUANTISATION = LEVEL**2 / 12  # variance of rounding to 8 bits: a direction with less holds no colour to stretch

_LMS = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
_LAB = np.diag([3**-0.5, 6**-0.5, 2**-0.5]) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])


def reinhard(pixels: Floats, core: NDArray[np.bool_], guide: Floats) -> Floats:
    """Mean and deviation of each axis of Ruderman's lαβ, on device RGB as in the paper (no linearisation)."""
    source, wanted = _to_ruderman(pixels), _to_ruderman(guide)
    known = source[core]
    spread = known.std(axis=0)
    ratio = np.where(spread > 1e-4, wanted.std(axis=0) / np.maximum(spread, 1e-4), 1)  # a flat axis is only shifted
    return _from_ruderman((source - known.mean(axis=0)) * ratio + wanted.mean(axis=0))


def _to_ruderman(rgb: Floats) -> Floats:
    return np.log10(np.maximum(rgb, LEVEL) @ _LMS.T) @ _LAB.T


def _from_ruderman(lab: Floats) -> Floats:
    return 10 ** np.minimum(lab @ np.linalg.inv(_LAB).T, 1) @ np.linalg.inv(_LMS).T


def correlated(pixels: Floats, core: NDArray[np.bool_], guide: Floats) -> Floats:
    """Rotate to the principal axes, scale by the ratio of deviations, rotate to the guide's axes (Xiao & Ma 2006).

    An axis has no sign of its own: each of the guide's is turned to agree with the source's.
    """
    known = pixels[core]
    axes_s, variance_s = _principal(known)
    axes_t, variance_t = _principal(guide)
    axes_t = axes_t * np.where((axes_s * axes_t).sum(axis=0) < 0, -1, 1)
    ratio = np.sqrt(np.maximum(variance_t, QUANTISATION) / np.maximum(variance_s, QUANTISATION))
    return (pixels - known.mean(axis=0)) @ axes_s * ratio @ axes_t.T + guide.mean(axis=0)


def _principal(pixels: Floats) -> tuple[Floats, Floats]:
    """Principal axes as columns (3, 3), and the variance along each, largest first."""
    centred = pixels - pixels.mean(axis=0)
    axes, variances, _ = np.linalg.svd(centred.T @ centred / len(pixels))
    return axes, variances


def luminance_percentiles(pixels: Floats, core: NDArray[np.bool_], guide: Floats) -> Floats:
    """L* follows the guide's 10th percentile, mean and 90th in straight pieces; mean a* and b* follow too."""
    source, wanted = _converted(pixels, cv2.COLOR_RGB2Lab), _converted(guide, cv2.COLOR_RGB2Lab)
    known = source[core]
    lightness = np.interp(source[:, 0], _knots(known[:, 0]), _knots(wanted[:, 0]))
    chroma = source[:, 1:] + wanted[:, 1:].mean(axis=0) - known[:, 1:].mean(axis=0)
    return _converted(np.column_stack([lightness, chroma]), cv2.COLOR_Lab2RGB)


def _converted(colors: Floats, code: int) -> Floats:
    """(K, 3) through OpenCV's float conversion, sRGB in [0, 1] and L*a*b* in CIE units."""
    return cv2.cvtColor(colors[:, None].astype(np.float32), code)[:, 0].astype(
        np.float64
    )  # (K, 3) → (K, 1, 3) → (K, 3)


def _knots(lightness: Floats) -> Floats:
    """Black, 10th percentile, mean, 90th percentile, white: increasing even for a flat region."""
    low, high = np.percentile(lightness, [10, 90])
    middle = np.clip(lightness.mean(), low, high)
    inner = np.clip([low, middle, high], 1e-3, 100 - 1e-3)
    return np.array([0, *(inner + np.array([-1, 0, 1]) * 1e-4), 100])
