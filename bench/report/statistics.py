"""What a table may claim: intervals, differences, ranks and wins over images that come in groups.

Composites made from one photo are not independent, so photos are resampled, never composites: the percentile bootstrap
over groups (Davison & Hinkley 1997, ch. 3.8) for intervals, and sign flips of whole groups for paired differences
(``sign_flips``), with Holm's correction (1979). Seeds are fixed: a table does not change by itself.

Arrays: N images, M methods, P photos, B resamples. ``values`` (N, M) float, ``photos`` (N,) of anything hashable.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bench.report.sign_flips import SEED, beyond_doubt, holm, sign_flip_p

Floats = NDArray[np.float64]

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Comparison:
    """All of (M,): mean with interval, difference to the best method with interval and corrected p, rank and wins.

    p: Holm over the M - 1 differences to the best, a smaller family than the rank's, so that methods that share a rank
    may differ by it.
    rank: 1 + how many methods are better beyond doubt (all pairs, Holm), or better than such a one: nobody's rank is
    as good as that of a method that beats it. Methods that share a rank, or whose ranks differ for other reasons, are
    told apart by ``beaten_by``. tied_with_best: not told apart from the best one.
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


def compare(values: ArrayLike, photos: ArrayLike, higher_is_better: bool, seed: int = SEED) -> Comparison:
    """Compare M methods on the same N images; ``seed`` is that of the flips that decide ranks."""
    values = np.asarray(values, float)
    sums, counts = group_sums(values, photos)
    means = values.mean(axis=0)
    resampled = bootstrap_means(sums, counts)
    sign = 1 if higher_is_better else -1
    best = int(np.argmax(sign * means))
    differences = resampled - resampled[:, [best]]
    beaten = _beaten(sign * sums, seed)
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
        rank=1 + above(beaten).sum(axis=1),
        wins=wins(sign * values),
        beaten_by=beaten,
    )


def above(beaten: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(M, M): whether the row's method is beaten by the column's, directly or by way of others."""
    reached = beaten.copy()
    for through in range(len(beaten)):  # Warshall 1962
        reached |= reached[:, [through]] & reached[[through]]
    return reached


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


@lru_cache(maxsize=4)
def _draws(photos: int, resamples: int, seed: int) -> Floats:
    """How often each photo is drawn, (B, P): the same for every metric of a table."""
    return np.random.default_rng(seed).multinomial(photos, np.full(photos, 1 / photos), resamples).astype(float)


def wins(scores: Floats) -> Floats:
    """Points (M,) from ``scores`` (N, M), higher is better: one an image, shared equally by those that are best."""
    best = scores == scores.max(axis=1, keepdims=True)
    return (best / best.sum(axis=1, keepdims=True)).sum(axis=0)


def _beaten(scores: Floats, seed: int) -> NDArray[np.bool_]:
    """(M, M): whether the row's method is worse than the column's, all pairs under one Holm correction."""
    methods = scores.shape[1]
    first, second = np.triu_indices(methods, 1)
    beaten = np.zeros((methods, methods), bool)
    if not len(first):
        return beaten
    differences = scores[:, first] - scores[:, second]  # (P, pairs)
    sure = beyond_doubt(differences, seed)
    ahead = differences.sum(axis=0) > 0
    beaten[second[sure & ahead], first[sure & ahead]] = True
    beaten[first[sure & ~ahead], second[sure & ~ahead]] = True
    return beaten
