"""What a table may claim: intervals, differences, ranks and wins over images that come in groups.

Composites made from one photo are not independent, so photos are resampled, never composites: the percentile bootstrap
over groups (Davison & Hinkley 1997, ch. 3.8) for intervals, and sign flips of whole groups for paired differences
(Good 2005, ch. 3), with Holm's correction (1979). Seeds are fixed: a table does not change by itself.

Arrays: N images, M methods, P photos, B resamples. ``values`` (N, M) float, ``photos`` (N,) of anything hashable.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

RESAMPLES = 2000
FLIPS = 19_999
LEVEL = 0.95
ALPHA = 0.05
ENOUGH = 200  # pairs of methods that FLIPS can tell apart: the smallest p times their number is a fifth of ALPHA
SEED = 2022
ROUNDING = 1e-6  # of sums whose terms' sizes add up to 1, in single precision


@dataclass(frozen=True)
class Comparison:
    """All of (M,): mean with interval, difference to the best method with interval and corrected p, rank and wins.

    p: Holm over the M - 1 differences to the best, a smaller family than the rank's, so that methods that share a rank
    may differ by it.
    rank: 1 + how many methods are better beyond doubt (all pairs, Holm); methods that share a rank, or whose ranks
    differ for other reasons, are told apart by ``beaten_by``. tied_with_best: not told apart from the best one.
    wins: images on which the method is the best alone or together with others, each image giving one point in all.
    """

    mean: Floats
    low: Floats
    high: Floats
    difference: Floats
    difference_low: Floats
    difference_high: Floats
    p: Floats
    rank: NDArray[np.int64]
    wins: Floats
    beaten_by: NDArray[np.bool_]  # (M, M): row is beaten by column beyond doubt


def compare(values: ArrayLike, photos: ArrayLike, higher_is_better: bool) -> Comparison:
    """Compare M methods on the same N images."""
    values = np.asarray(values, float)
    sums, counts = group_sums(values, photos)
    means = values.mean(axis=0)
    resampled = bootstrap_means(sums, counts)
    sign = 1 if higher_is_better else -1
    best = int(np.argmax(sign * means))
    differences = resampled - resampled[:, [best]]
    beaten = _beaten(sign * sums, counts)
    low, high = interval(resampled)
    difference_low, difference_high = interval(differences)
    others = np.arange(values.shape[1]) != best
    p = np.ones(values.shape[1])
    if others.any():
        p[others] = holm(sign_flip_p(sums[:, others] - sums[:, [best]]))
    return Comparison(
        mean=means,
        low=low,
        high=high,
        difference=means - means[best],
        difference_low=difference_low,
        difference_high=difference_high,
        p=p,
        rank=1 + beaten.sum(axis=1),
        wins=wins(sign * values),
        beaten_by=beaten,
    )


def group_sums(values: Floats, photos: ArrayLike) -> tuple[Floats, Floats]:
    """Sums (P, M) and numbers of images (P,) of each photo."""
    codes, names = pd.factorize(np.asarray(photos))
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, codes, values)
    return sums, np.bincount(codes, minlength=len(names)).astype(float)


def bootstrap_means(sums: Floats, counts: Floats, resamples: int = RESAMPLES, seed: int = SEED) -> Floats:
    """Means over images under ``resamples`` draws of P photos with replacement, (B, M).

    NaN for a single photo, whose draws are all alike: how photos differ is not known then.
    """
    if len(counts) < 2:
        return np.full((resamples, sums.shape[1]), np.nan)
    drawn = _draws(len(counts), resamples, seed)
    return drawn @ sums / (drawn @ counts)[:, None]


def interval(resampled: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Percentile interval of each column."""
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def sign_flip_p(differences: Floats, rounds: int = 1, seed: int = SEED) -> Floats:
    """Two-sided p of "no difference" for group sums (P, K): how often random signs reach each column's sum.

    There are FLIPS of them in each of the ``rounds``, so that memory does not grow with their number.
    """
    scale = np.abs(differences).sum(axis=0)
    unit = (differences / np.where(scale > 0, scale, 1)).astype(np.float32)
    least = np.abs(unit.sum(axis=0)) - ROUNDING
    signs = (_signs(len(differences), seed, number) for number in range(rounds))
    reached = sum((np.abs(some @ unit) >= least).sum(axis=0) for some in signs)
    return (reached + 1) / (rounds * FLIPS + 1)


@lru_cache(maxsize=4)
def _draws(photos: int, resamples: int, seed: int) -> Floats:
    """How often each photo is drawn, (B, P): the same for every metric of a table."""
    return np.random.default_rng(seed).multinomial(photos, np.full(photos, 1 / photos), resamples).astype(float)


@lru_cache(maxsize=4)
def _signs(photos: int, seed: int, number: int) -> NDArray[np.float32]:
    """Random signs of one round, (FLIPS, P)."""
    return np.random.default_rng([seed, number]).integers(0, 2, (FLIPS, photos), np.int8).astype(np.float32) * 2 - 1


def rounds_for(pairs: int) -> int:
    """Rounds of flips after which the smallest p, times ``pairs``, is at most a twentieth of ALPHA; 1 for a few."""
    return 1 if pairs <= ENOUGH else math.ceil(20 * pairs / ALPHA / FLIPS)


def holm(p: ArrayLike) -> Floats:
    """Holm's step-down correction of p-values: the smallest times their number, the next times one less, and so on."""
    p = np.asarray(p, float)
    order = np.argsort(p)
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return corrected


def wins(scores: Floats) -> Floats:
    """Points (M,) from ``scores`` (N, M), higher is better: one an image, shared equally by those that are best."""
    best = scores == scores.max(axis=1, keepdims=True)
    return (best / best.sum(axis=1, keepdims=True)).sum(axis=0)


def _beaten(scores: Floats, counts: Floats) -> NDArray[np.bool_]:
    """(M, M): whether the row's method is worse than the column's, all pairs under one Holm correction."""
    methods = scores.shape[1]
    first, second = np.triu_indices(methods, 1)
    beaten = np.zeros((methods, methods), bool)
    if not len(first):
        return beaten
    differences = scores[:, first] - scores[:, second]  # (P, pairs)
    sure = holm(sign_flip_p(differences, rounds_for(len(first)))) < ALPHA
    ahead = differences.sum(axis=0) > 0
    beaten[second[sure & ahead], first[sure & ahead]] = True
    beaten[first[sure & ~ahead], second[sure & ~ahead]] = True
    return beaten
