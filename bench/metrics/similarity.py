"""Structural similarity (Wang et al. 2004) in the three forms that the compared papers use.

``uniform_map`` is scikit-image's default: 7x7 uniform window, sample covariance. The Gaussian forms are
pytorch_msssim's (window 11, no padding; PCT-Net) and CDTNet's (window 7, zeros outside), both σ 1.5.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from iph.errors import InputError

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

WINDOW = 7
MARGIN = (WINDOW - 1) // 2
_STRIP = 16  # rows at a time, so that temporaries stay in the cache


def uniform_map(output: Bytes, target: Bytes) -> Floats:
    """SSIM of every pixel and channel, (H, W, 3), data range 255; window sums are exact 32-bit integers."""
    _check_size(output, WINDOW)
    n = WINDOW * WINDOW
    a, b = output.astype(np.uint16), target.astype(np.uint16)
    sums_a, sums_b, sums_ab = _window_sum(a), _window_sum(b), _window_sum(a * b)
    sums_squared = _window_sum(a * a) + _window_sum(b * b)
    to_mean, to_variance = 1 / n**2, 1 / (n * (n - 1))  # sample variance = (n Σx² - (Σx)²) / (n (n - 1))
    c1, c2 = _constants(255)
    found = np.empty(output.shape)
    for top in range(0, len(output), _STRIP):
        rows = slice(top, top + _STRIP)
        product = sums_a[rows] * sums_b[rows]
        squares = sums_a[rows] ** 2 + sums_b[rows] ** 2
        covariance = (n * sums_ab[rows] - product) * to_variance
        variances = (n * sums_squared[rows] - squares) * to_variance
        found[rows] = (2 * to_mean * product + c1) * (2 * covariance + c2)
        found[rows] /= (to_mean * squares + c1) * (variances + c2)
    return found


def inside(ssim_map: Floats) -> Floats:
    """The part of ``uniform_map`` whose windows lie wholly in the image: what scikit-image averages."""
    return ssim_map[MARGIN:-MARGIN, MARGIN:-MARGIN]


def gaussian_map(output: NDArray, target: NDArray, window: int, data_range: float, padded: bool) -> Floats:
    """Gaussian-window SSIM of every pixel and channel: (H, W, 3) if ``padded`` with zeros, else whole windows only."""
    _check_size(output, window)
    a, b = output.astype(np.float64), target.astype(np.float64)
    offset = np.arange(window) - window // 2
    kernel = np.exp(-(offset**2) / (2 * 1.5**2))
    kernel /= kernel.sum()
    margin = 0 if padded else window // 2

    def blur(x: Floats) -> Floats:
        smooth = cv2.sepFilter2D(x, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_CONSTANT)
        return smooth[margin : smooth.shape[0] - margin, margin : smooth.shape[1] - margin]

    mean_a, mean_b = blur(a), blur(b)
    covariance = blur(a * b) - mean_a * mean_b
    variances = blur(a * a) - mean_a**2 + blur(b * b) - mean_b**2
    c1, c2 = _constants(data_range)
    return ((2 * mean_a * mean_b + c1) * (2 * covariance + c2)) / ((mean_a**2 + mean_b**2 + c1) * (variances + c2))


def _constants(data_range: float) -> tuple[float, float]:
    return (0.01 * data_range) ** 2, (0.03 * data_range) ** 2


def _window_sum(x: NDArray[np.uint16]) -> NDArray[np.int32]:
    return cv2.boxFilter(x, cv2.CV_32S, (WINDOW, WINDOW), normalize=False, borderType=cv2.BORDER_REFLECT)


def _check_size(image: NDArray, window: int) -> None:
    if min(image.shape[:2]) < window:
        height, width = image.shape[:2]
        raise InputError(f"expected images of at least {window}x{window} pixels for SSIM, but got {width}x{height}")
