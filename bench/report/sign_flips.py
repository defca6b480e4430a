"""Sign flips of whole photos for paired differences (Good 2005, ch. 3), and which of many differences are beyond doubt.

A p-value from random flips is itself uncertain, and near the threshold the seed would decide a rank. Decisions
therefore rest on bounds that hold for all 2^P flips at once: Chernoff's inequality and Clopper & Pearson's interval
settle what is clear, and what is close is flipped again, with signs that are drawn where the tail is (importance
sampling by exponential tilting; Siegmund 1976) and the empirical Bernstein bound of Maurer & Pontil (2009), until
Holm's decision is the same at both ends of the bounds.

Arrays: P photos, K differences. ``differences`` (P, K) are sums over each photo's images.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta

Floats = NDArray[np.float64]

FLIPS = 19_999
MOST = 640_000  # tilted flips of one difference at a time; what is open then is not beyond doubt
ALPHA = 0.05
DOUBT = 1e-4  # probability that any bound of one call fails
SEED = 2022
ROUNDING = 1e-6  # of sums whose terms' sizes add up to 1, in single precision


def sign_flip_p(differences: Floats, seed: int = SEED) -> Floats:
    """Two-sided p of "no difference" (K,): how often random signs reach each column's sum."""
    return (_reached(differences, seed) + 1) / (FLIPS + 1)


def holm(p: ArrayLike) -> Floats:
    """Holm's step-down correction of p-values: the smallest times their number, the next times one less, and so on."""
    p = np.asarray(p, float)
    order = np.argsort(p)
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return corrected


def beyond_doubt(differences: Floats, seed: int = SEED) -> NDArray[np.bool_]:
    """(K,) whether Holm's correction over all K calls a difference significant, were all flips made.

    The same for every seed but with the probability DOUBT.
    """
    sizes = np.abs(differences)
    scale = sizes.sum(axis=0)
    terms = sizes / np.where(scale > 0, scale, 1)  # (P, K), each column adding up to 1
    sums = np.abs(differences.sum(axis=0)) / np.where(scale > 0, scale, 1) - ROUNDING
    tilts = _tilts(terms, sums)
    looks = int(np.log2(MOST / FLIPS)) + 2
    doubt = DOUBT / (len(scale) * looks)
    reached = _reached(differences, seed)
    low = np.nan_to_num(beta.ppf(doubt / 2, reached, FLIPS - reached + 1), nan=0.0)
    high = np.nan_to_num(beta.ppf(1 - doubt / 2, reached + 1, FLIPS - reached), nan=1.0)
    high = np.minimum(high, 2 * np.exp(_log_cosh(tilts * terms).sum(axis=0) - tilts * sums))
    flips = FLIPS + 1
    while flips <= MOST and len(open_ := np.flatnonzero((holm(low) < ALPHA) & ~(holm(high) < ALPHA))):
        for k in open_:
            rng = np.random.default_rng([seed, flips, k])
            least, most = _tilted(terms[:, k], sums[k], tilts[k], flips, doubt, rng)
            low[k], high[k] = max(low[k], least), min(high[k], most)
        flips *= 2
    return holm(high) < ALPHA


def _reached(differences: Floats, seed: int) -> NDArray[np.int64]:
    """(K,) how many of FLIPS random flips reach each column's sum."""
    scale = np.abs(differences).sum(axis=0)
    unit = (differences / np.where(scale > 0, scale, 1)).astype(np.float32)
    least = np.abs(unit.sum(axis=0)) - ROUNDING
    return (np.abs(_signs(len(differences), seed) @ unit) >= least).sum(axis=0)


@lru_cache(maxsize=4)
def _signs(photos: int, seed: int) -> NDArray[np.float32]:
    """Random signs, (FLIPS, P)."""
    return np.random.default_rng([seed, 0]).integers(0, 2, (FLIPS, photos), np.int8).astype(np.float32) * 2 - 1


def _tilts(terms: Floats, sums: Floats) -> Floats:
    """(K,) θ at which signs drawn with odds exp(2 θ term) add up to ``sums`` on average, by bisection."""
    wanted = np.clip(sums, 0, 1 - 1e-3)
    low, high = np.zeros(len(sums)), np.full(len(sums), 1e5)
    for _ in range(60):
        middle = (low + high) / 2
        below = (terms * np.tanh(middle * terms)).sum(axis=0) < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low


def _tilted(
    terms: Floats, least: float, tilt: float, flips: int, doubt: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Bounds of the two-sided p of one difference (P,), which fail with the probability ``doubt``."""
    odds = (1 / (1 + np.exp(-2 * tilt * terms))).astype(np.float32)
    base = _log_cosh(tilt * terms).sum()
    largest = 2 * np.exp(base - tilt * least)  # of a weight
    single, total, squares, left = terms.astype(np.float32), 0.0, 0.0, flips
    while left:
        count = min(left, FLIPS + 1)
        plus = rng.random((count, len(terms)), np.float32) < odds
        found = 2 * (plus.astype(np.float32) @ single).astype(float) - 1  # (count,)
        weights = np.where(found >= least, 2 * np.exp(base - tilt * np.maximum(found, least)), 0)
        total, squares, left = total + weights.sum(), squares + (weights**2).sum(), left - count
    mean = total / flips
    variance = max(squares - flips * mean**2, 0) / (flips - 1)
    nines = np.log(4 / doubt)
    off = np.sqrt(2 * variance * nines / flips) + 7 * largest * nines / (3 * (flips - 1))
    return mean - off, mean + off


def _log_cosh(x: Floats) -> Floats:
    return np.logaddexp(x, -x) - np.log(2)
