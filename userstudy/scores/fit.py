"""Does one scale describe the votes? G² against each pair's own proportion, and circular triads.

Circular triads: Kendall & Babington Smith (1940), David (1988) ch. 2; A > B > C > A cannot come from one scale.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import chi2

from userstudy.errors import InputError
from userstudy.scores.result import PairwiseFit

ENTRIES = 4_000_000  # cells of raters looked at at once
EXACT_UP_TO = 10  # methods for which all tournaments are counted


@dataclass(frozen=True)
class GoodnessOfFit:
    """``p_value`` small: the pairs' proportions do not follow from one score per method (None without spare pairs)."""

    deviance: float
    degrees_of_freedom: int
    p_value: float | None


def goodness_of_fit(fitted: PairwiseFit) -> GoodnessOfFit:
    """Likelihood-ratio test of a maximum-likelihood fit against the saturated model."""
    spare = fitted.degrees_of_freedom
    p_value = float(chi2.sf(fitted.deviance, spare)) if spare > 0 else None
    return GoodnessOfFit(fitted.deviance, spare, p_value)


@dataclass(frozen=True)
class CircularTriads:
    """``zeta`` is Kendall's consistency, 1 without circles and 0 with as many as possible.

    ``p_value`` is the chance of so few circles, or fewer, when every preference is a coin toss.
    """

    circles: int
    most: int
    expected: float
    zeta: float
    p_value: float


def circular_triads(preferred: np.ndarray) -> CircularTriads:
    """preferred (K, K) of 0 and 1: [i, j] = 1 when i was preferred to j, exactly one of [i, j] and [j, i] for i ≠ j."""
    matrix = np.array(preferred, dtype=int)
    size = len(matrix)
    if size < 3 or not np.array_equal(matrix + matrix.T, 1 - np.eye(size, dtype=int)):
        raise InputError("expected one preference for each pair of at least three methods, got another matrix")
    circles = _circles(matrix.sum(axis=1))
    most = size * (size**2 - (1 if size % 2 else 4)) // 24
    expected = comb(size, 3) / 4
    if size <= EXACT_UP_TO:
        counts = _tournaments(size)
        p_value = sum(times for found, times in counts.items() if found <= circles) / sum(counts.values())
    else:
        spare = size * (size - 1) * (size - 2) / (size - 4) ** 2
        p_value = float(chi2.sf(8 / (size - 4) * (expected - circles - 0.5) + spare, spare))
    return CircularTriads(circles, most, expected, 1 - circles / most, p_value)


@dataclass(frozen=True)
class TriadSummary:
    """Triads of methods compared all round by one rater, over raters and, ``pooled``, by the majority of all votes."""

    triads: int
    circles: int
    expected: float  # a quarter of them, under coin tosses
    pooled_triads: int
    pooled_circles: int


def triad_summary(rater_wins: csr_array, wins: np.ndarray) -> TriadSummary:
    """rater_wins sparse (R, K·K), wins (K, K). A pair counts for a rater who preferred one side more often."""
    items = len(wins)
    rows = max(1, ENTRIES // (items * items))
    parts = (rater_wins[begin : begin + rows].toarray() for begin in range(0, rater_wins.shape[0], rows))
    counted = [_count_triads(part.reshape(-1, items, items)) for part in parts]  # (R', K·K) -> (R', K, K)
    triads, circles = (sum(column) for column in zip(*counted, strict=True))
    pooled_triads, pooled_circles = _count_triads(wins[None])
    return TriadSummary(triads, circles, triads / 4, pooled_triads, pooled_circles)


def _count_triads(wins: np.ndarray) -> tuple[int, int]:
    """Decided triads, and the circular ones among them, of (B, K, K) wins."""
    ahead = (wins > np.swapaxes(wins, 1, 2)).astype(float)
    decided = ahead + np.swapaxes(ahead, 1, 2)
    return _closed_walks(decided) // 6, _closed_walks(ahead) // 3  # a triad is walked from 3 starts, decided both ways


def _closed_walks(matrix: np.ndarray) -> int:
    """Walks of three steps that return to their start: the trace of the cube, summed over B."""
    return round(float(np.einsum("bij,bji->", matrix @ matrix, matrix)))


def _circles(wins: np.ndarray | tuple[int, ...]) -> int:
    """Circular triads of a tournament with these numbers of wins: all triads less those that one method sweeps."""
    return comb(len(wins), 3) - sum(comb(int(won), 2) for won in wins)


@lru_cache
def _tournaments(size: int) -> Counter[int]:
    """How many of the 2^(K(K-1)/2) tournaments have so many circular triads."""
    counts: Counter[int] = Counter()
    for wins, times in _score_sequences(size).items():
        counts[_circles(wins)] += times
    return counts


def _score_sequences(size: int) -> Counter[tuple[int, ...]]:
    """Tournaments by sorted wins, built up one method at a time: the new one loses to some of each group of equals."""
    sequences: Counter[tuple[int, ...]] = Counter({(0,): 1})
    for played in range(1, size):
        grown: Counter[tuple[int, ...]] = Counter()
        for wins, times in sequences.items():
            partial: Counter[tuple[tuple[int, ...], int]] = Counter({((), 0): times})
            for value, group in Counter(wins).items():
                step: Counter[tuple[tuple[int, ...], int]] = Counter()
                for (so_far, beaten_by), ways in partial.items():
                    for up in range(group + 1):
                        more = (value,) * (group - up) + (value + 1,) * up
                        step[so_far + more, beaten_by + up] += ways * comb(group, up)
                partial = step
            for (so_far, beaten_by), ways in partial.items():
                grown[tuple(sorted((*so_far, played - beaten_by)))] += ways
        sequences = grown
    return sequences
