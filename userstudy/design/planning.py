"""How many decisive votes does one pair need? Exactly, for the two-sided binomial test.

``userstudy.design.power`` simulates whole studies instead, in which all pairs share their votes and raters have tastes.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom, norm

from userstudy.errors import InputError

MOST_VOTES = 100_000


@dataclass(frozen=True)
class VotesPerPair:
    """``votes`` is the fewest decisive votes on one pair that reach the power; the test's grid makes power dip again
    for some larger numbers, and from ``safe_votes`` on it never does."""

    votes: int
    safe_votes: int
    power: float
    alpha: float  # of one test, after the correction


def exact_power(votes: np.ndarray | int, probability: float, alpha: float = 0.05) -> np.ndarray:
    """Chance that a two-sided exact binomial test of 0.5 rejects at ``alpha``, for a true ``probability``."""
    votes = np.asarray(votes)
    low = binom.ppf(alpha / 2, votes, 0.5)
    low = np.where(2 * binom.cdf(low, votes, 0.5) <= alpha, low, low - 1)  # most wins of the loser that still reject
    return binom.cdf(low, votes, probability) + binom.sf(votes - low - 1, votes, probability)


def votes_per_pair(probability: float, power: float = 0.8, alpha: float = 0.05, comparisons: int = 1) -> VotesPerPair:
    """Decisive votes on a pair whose better method is preferred with ``probability``.

    ``comparisons`` is the number of pairs tested together (Bonferroni: ``alpha`` is divided by it).
    Raises InputError outside 0.5 < probability < 1 and 0 < power, alpha < 1, or when more than 100,000 are needed.
    """
    if not 0.5 < probability < 1:
        raise InputError(f"expected the probability of preferring the better method within (0.5, 1), got {probability}")
    check_levels(power, alpha)
    if comparisons < 1:
        raise InputError(f"expected at least one comparison, got {comparisons}")
    each = alpha / comparisons
    close = _normal_votes(probability, power, each)
    if close > MOST_VOTES:
        raise InputError(
            f"expected a difference that {MOST_VOTES:,} votes can show, got a probability of {probability}"
        )
    # The exact test's grid moves the answer by a few steps around the normal one; all numbers near that are tried.
    votes = np.arange(max(1, int(0.7 * close) - 50), int(1.3 * close) + 100)
    reached = exact_power(votes, probability, each) >= power
    first = int(votes[np.argmax(reached)])
    safe = int(votes[np.flatnonzero(~reached)[-1]] + 1) if not reached.all() else first
    return VotesPerPair(first, safe, float(exact_power(first, probability, each)), each)


def _normal_votes(probability: float, power: float, alpha: float) -> float:
    """The textbook approximation: (z_alpha/2 · 0.5 + z_power · sqrt(pq))² / (p - 0.5)²."""
    spread = norm.isf(alpha / 2) * 0.5 + norm.ppf(power) * np.sqrt(probability * (1 - probability))
    return (spread / (probability - 0.5)) ** 2


def check_levels(power: float, alpha: float) -> None:
    """InputError unless both are within (0, 1)."""
    for name, value in (("power", power), ("alpha", alpha)):
        if not 0 < value < 1:
            raise InputError(f"expected {name} within (0, 1), got {value}")


def check_rater(votes: int, indecisive: float) -> None:
    """InputError unless a rater gives votes, of which some are decisive."""
    if votes < 1 or not 0 <= indecisive < 1:
        raise InputError(
            "expected at least one vote per rater and a share of indecisive ones within [0, 1), "
            f"got {votes} and {indecisive}"
        )
