"""The 11-term colour polynomial (Hong et al. 2001; ``kernelP`` of Afifi et al. 2019), fitted as a change from identity.

Terms ``[r, g, b, rg, rb, gb, r², g², b², rgb, 1]`` of gamma-encoded values in [0, 1]. The paper says no more
than "a polynomial fitting like in Afifi et al. (2019)": the terms are from there, ridge and limits are ours.
Axes: ``K`` pixels, ``T`` terms.
"""

import cv2
import numpy as np

TERMS = ("r", "g", "b", "rg", "rb", "gb", "rr", "gg", "bb", "rgb", "1")
DEGREES = np.array([1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 0])
AFFINE = [0, 1, 2, 10]
SHIFT = [10]

RIDGE = 1e-5  # of the mean square: the best of 1e-7 to 1e-2 on film looks of portraits, with and without smooth noise
FULL_FIT_PIXELS = 200  # fewer: 4 affine terms
AFFINE_FIT_PIXELS = 12  # fewer: the mean shift
UNIFORM_DEVIATION = 2 / 255  # a region flatter than this says nothing about slopes
MOST_PIXELS = 16384  # an evenly spaced sample of a larger region: eleven terms need no more


def fill_products(features: np.ndarray) -> None:
    """Fill rows 3 to 10 of ``features`` (T, K) from the colours in rows 0 to 2, in place."""
    r, g, b = features[:3]
    np.multiply(r, g, out=features[3])
    np.multiply(r, b, out=features[4])
    np.multiply(g, b, out=features[5])
    np.multiply(features[:3], features[:3], out=features[6:9])
    np.multiply(features[3], b, out=features[9])
    features[10] = 1


def fit_change(source: np.ndarray, target: np.ndarray, ridge: float) -> np.ndarray:
    """Coefficients (T, 3) of ``target - source``, both (K, 3) float64 in [0, 1], by ridge towards no change.

    The constant is not penalised, so a region that says nothing about slopes gets its mean shift. Fewer terms are used
    where there are too few pixels for eleven.
    """
    features = np.empty((len(TERMS), len(source)))  # (T, K)
    features[:3] = source.T
    fill_products(features)
    used = list(range(len(TERMS)))
    if len(source) < AFFINE_FIT_PIXELS or source.std(axis=0).max() < UNIFORM_DEVIATION:
        used = SHIFT
    elif len(source) < FULL_FIT_PIXELS:
        used = AFFINE
    features = features if len(used) == len(TERMS) else features[used]
    penalty = np.where(np.array(used) == SHIFT[0], 0.0, ridge * len(source))
    gram = features @ features.T + np.diag(penalty)
    change = np.zeros((len(TERMS), 3))
    change[used] = np.linalg.solve(gram, features @ (target - source))
    return change


def fitting_pixels(mask: np.ndarray) -> np.ndarray:
    """The pixels (H, W) bool of ``mask`` to fit on: its core, where neither edge pixels nor soft alpha mix two colours.

    ``mask`` (H, W) bool. The border of two pixels is left out, or of one, or none, as long as enough remain.
    """
    for radius in (2, 1):
        size = 2 * radius + 1
        core = cv2.erode(mask.astype(np.uint8), np.ones((size, size), np.uint8), borderType=cv2.BORDER_REPLICATE)
        if np.count_nonzero(core) >= max(FULL_FIT_PIXELS, np.count_nonzero(mask) // 4):
            return core.astype(bool)
    return mask
