"""Which methods differ, with all pairs tested at once: Holm's correction (1979), ranks with intervals, classes.

Classes are the letter displays of Piepho (2004): methods that share a letter can't be told apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

from userstudy.errors import InputError
from userstudy.scores.result import PairwiseFit, difference_se

CORRECTIONS = ("holm", "bonferroni", "none")
FEWEST_RATERS = 4
VANISHED = 1e-6  # of an error that takes votes as independent: a clustered one below is rounding


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjusted p values (..., N): those below a level hold together, the chance of any false one being below it."""
    p_values = np.asarray(p_values, dtype=float)
    order = np.argsort(p_values, axis=-1)
    steps = np.take_along_axis(p_values, order, axis=-1) * np.arange(p_values.shape[-1], 0, -1)
    adjusted = np.empty_like(p_values)
    np.put_along_axis(adjusted, order, np.minimum(np.maximum.accumulate(steps, axis=-1), 1.0), axis=-1)
    return adjusted


def correct(p_values: np.ndarray, correction: str) -> np.ndarray:
    """P values (..., N) adjusted for being N: "holm", "bonferroni" or "none"."""
    if correction == "bonferroni":
        return np.minimum(p_values * p_values.shape[-1], 1.0)
    return holm(p_values) if correction == "holm" else p_values


def p_values(difference: np.ndarray, se: np.ndarray, raters: int | None) -> np.ndarray:
    """Two-sided, of zero difference: t with ``raters`` - 1 degrees of freedom for clustered errors, normal for None."""
    statistic = np.abs(difference) / np.where(se > 0, se, 1.0)
    return 2 * (norm.sf(statistic) if raters is None else t.sf(statistic, raters - 1))


def use_clustered(raters: int) -> bool:
    """Whether there are raters enough for errors clustered by rater, with t at raters - 1 degrees of freedom.

    In simulations (tests/userstudy/design/test_power.py) they keep a level of 5 % from 4 raters on, where errors that
    take votes as independent find 7 to 34 % false differences once raters differ in taste.
    """
    return raters >= FEWEST_RATERS


def raters_alike(clustered: np.ndarray, independent: np.ndarray) -> np.ndarray:
    """(...,) bool: whether errors clustered by rater vanish for some score or difference.

    Both are covariances (..., K, K) of scores. Errors vanish when all raters split their votes alike: every draw of
    them gives the same scores. That is no certainty about other raters, only nothing to estimate their spread from.
    """
    score, alone = (np.diagonal(one, axis1=-2, axis2=-1) for one in (clustered, independent))
    difference, apart = difference_se(clustered), difference_se(independent)
    return (score < VANISHED**2 * alone).any(axis=-1) | (difference < VANISHED * apart).any(axis=(-2, -1))


def wilson_interval(part: int, whole: int, level: float = 0.95) -> tuple[float, float] | None:
    """Interval of a proportion (Wilson 1927); None of nothing."""
    if not whole:
        return None
    z = norm.isf((1 - level) / 2)
    centre, spread = part + z * z / 2, z * np.sqrt(part * (whole - part) / whole + z * z / 4)
    return float((centre - spread) / (whole + z * z)), float((centre + spread) / (whole + z * z))


@dataclass(frozen=True)
class PairwiseTests:
    """Two-sided tests of s_i = s_j for all pairs; matrices (K, K), the diagonal of the p values 1.

    ``errors`` says which standard errors were used: "clustered by rater" or "independent votes".
    """

    names: tuple[str, ...]
    difference: np.ndarray
    se: np.ndarray
    p_value: np.ndarray
    p_holm: np.ndarray
    errors: str
    alpha: float

    @property
    def better(self) -> np.ndarray:
        """(K, K) bool: i is better than j, after Holm, at level alpha."""
        return (self.difference > 0) & (self.p_holm < self.alpha)

    def rank_interval(self) -> np.ndarray:
        """(2, K): best and worst rank left open: 1 + methods shown to be better, K - methods shown to be worse."""
        better = self.better
        return np.stack([1 + better.sum(axis=0), len(better) - better.sum(axis=1)])

    def classes(self) -> tuple[tuple[str, ...], ...]:
        """Groups of methods that can't be told apart, the best first; a method can be in several."""
        order = [int(k) for k in np.argsort(-self.difference.sum(axis=1), kind="stable")]
        groups = letter_groups(self.better | self.better.T, order)
        return tuple(tuple(self.names[k] for k in group) for group in groups)


def pairwise_tests(fitted: PairwiseFit, raters: int | None = None, alpha: float = 0.05) -> PairwiseTests:
    """Tests on a fit: t with ``raters`` - 1 degrees of freedom when it has clustered errors, normal otherwise."""
    clustered = fitted.clustered_covariance is not None
    if clustered and (raters is None or raters < 2):
        raise InputError(f"expected the number of raters (2 or more) for tests with clustered errors, got {raters}")
    difference, se = fitted.contrasts(clustered)
    size = len(se)
    p_value = p_values(difference, se, raters if clustered else None)
    first, second = np.triu_indices(size, 1)
    adjusted = np.ones((size, size))
    adjusted[first, second] = adjusted[second, first] = holm(p_value[first, second])
    errors = "clustered by rater" if clustered else "independent votes"
    return PairwiseTests(fitted.names, difference, se, p_value, adjusted, errors, alpha)


def letter_groups(different: np.ndarray, order: Sequence[int]) -> list[list[int]]:
    """Maximal sets without a different pair, by Piepho's insert and absorb; ``different`` (K, K) bool, symmetric."""
    groups = [set(order)]
    for place, i in enumerate(order):
        for j in order[place + 1 :]:
            if not different[i, j]:
                continue
            parts = [group - {gone} for group in groups if i in group and j in group for gone in (i, j)]
            groups = [group for group in groups if not (i in group and j in group)]
            for part in sorted(parts, key=len, reverse=True):
                if not any(part <= group for group in groups):
                    groups.append(part)
    rank = {k: place for place, k in enumerate(order)}
    return sorted((sorted(group, key=rank.__getitem__) for group in groups), key=lambda group: [rank[k] for k in group])
