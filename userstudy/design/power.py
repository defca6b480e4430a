"""How many raters does a study need? Whole studies are simulated and analysed as the report analyses real ones.

Raters have tastes of their own and a balanced share of the pairs each; Bradley–Terry is fitted with errors clustered
by rater, all pairs are tested with a correction, and what counts is how often true differences are found.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from userstudy.design.planning import check_levels, check_rater
from userstudy.errors import InputError, require_one_of
from userstudy.scores import pairwise
from userstudy.scores.connectivity import connected_counts
from userstudy.scores.pairwise import LOGIT
from userstudy.scores.result import difference_se
from userstudy.scores.significance import CORRECTIONS, correct, p_values, raters_alike, use_clustered

ENTRIES = 4_000_000  # simulated pairs of methods, times raters and studies, held at once
PRECISION = 0.05  # the search stops within this share of the number of raters
MOST_RATERS = 20_000


@dataclass(frozen=True)
class Setup:
    """What is to be found, and how the study is run and tested.

    scores: (K,) true Case V scores, in standard deviations of a difference.
    votes_per_rater: pairs that each rater answers, spread evenly over the pairs of methods.
    smallest: differences up to this need not be found.
    rater_deviation: standard deviation of a rater's own scores around ``scores``; it makes a rater's votes alike.
    indecisive: share of votes that will be ties, both-bad or skips.
    """

    scores: Sequence[float]
    votes_per_rater: int
    smallest: float = 0.0
    rater_deviation: float = 0.3
    indecisive: float = 0.0
    alpha: float = 0.05
    correction: str = "holm"

    def __post_init__(self) -> None:
        require_one_of(self.correction, CORRECTIONS, "correction")
        if len(self.scores) < 2 or not np.isfinite(np.asarray(self.scores, dtype=float)).all():
            raise InputError(f"expected scores of at least two methods, got {list(self.scores)}")
        check_rater(self.votes_per_rater, self.indecisive)
        if self.rater_deviation < 0:
            raise InputError(f"expected a deviation of raters of 0 or more, got {self.rater_deviation}")
        if not self.matters.any():
            raise InputError(f"expected some difference of scores above {self.smallest}, got none")
        check_levels(0.5, self.alpha)

    @property
    def differences(self) -> np.ndarray:
        """(M,) true score differences of the pairs."""
        return pairwise.incidence(len(self.scores)) @ np.asarray(self.scores, dtype=float)

    @property
    def matters(self) -> np.ndarray:
        """(M,) bool: the pairs whose difference is to be found."""
        return np.abs(self.differences) > self.smallest


@dataclass(frozen=True)
class StudyPower:
    """``pair_power`` (K, K): share of simulated studies that found the pair's difference, in its true direction.

    ``least`` is the lowest among the pairs that matter; ``all_found`` the share of studies that found every one;
    ``finite`` the share in which wins led from every method to every other, without which nothing is found.
    """

    raters: int
    votes: int
    pair_power: np.ndarray
    least: float
    all_found: float
    finite: float


def study_power(setup: Setup, raters: int, simulations: int = 400, seed: int = 0) -> StudyPower:
    """Power of a study with so many raters, from ``simulations`` of it."""
    if raters < 2 or simulations < 1:
        raise InputError(f"expected at least two raters and one simulation, got {raters} and {simulations}")
    items, matters = len(setup.scores), setup.matters
    draw = np.random.default_rng(seed)
    size = max(1, ENTRIES // (raters * len(matters)))
    parts = [_found(draw, setup, min(size, simulations - begin), raters) for begin in range(0, simulations, size)]
    found, finite = (np.concatenate(part) for part in zip(*parts, strict=True))
    power = np.full((items, items), np.nan)
    first, second = np.triu_indices(items, 1)
    power[first, second] = power[second, first] = found.mean(axis=0)
    return StudyPower(
        raters=raters,
        votes=raters * setup.votes_per_rater,
        pair_power=power,
        least=float(found.mean(axis=0)[matters].min()),
        all_found=float(found[:, matters].all(axis=1).mean()),
        finite=float(finite.mean()),
    )


def raters_needed(setup: Setup, power: float = 0.8, simulations: int = 400, seed: int = 0) -> list[StudyPower]:
    """The studies tried, fewest raters first; the first whose ``least`` reaches ``power`` is the answer.

    Raises InputError when 20,000 raters do not reach it, naming the power they have, or that they all but agree.
    """
    check_levels(power, setup.alpha)
    tried: dict[int, StudyPower] = {}

    def enough(raters: int) -> bool:
        tried[raters] = study_power(setup, raters, simulations, seed)
        return tried[raters].least >= power

    low, high = 2, 4
    while not enough(high):
        low, high = high, 2 * high
        if high > MOST_RATERS:
            best = tried[low]
            if best.finite < power:
                raise InputError(
                    f"expected scores so close that raters sometimes disagree, got scores from which {low:,} raters "
                    f"vote so unanimously that {1 - best.finite:.0%} of the studies have no finite fit"
                )
            raise InputError(
                f"expected differences that {MOST_RATERS:,} raters can show, got a power of {best.least:.2f} with "
                f"{low:,}"
            )
    while high - low > max(1, PRECISION * high):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return [tried[raters] for raters in sorted(tried)]


def _found(draw: np.random.Generator, setup: Setup, studies: int, raters: int) -> tuple[np.ndarray, np.ndarray]:
    """(B, M) bool: the pairs whose difference each simulated study finds, in its true direction; (B,) bool: whether it
    has a finite fit."""
    design, true = pairwise.incidence(len(setup.scores)), setup.differences
    taste = draw.normal(scale=setup.rater_deviation, size=(studies, raters, len(setup.scores)))
    votes = draw.binomial(_shown(draw, setup.votes_per_rater, (studies, raters, len(true))), 1 - setup.indecisive)
    upper = draw.binomial(votes, ndtr(true + taste @ design.T))  # (B, R, M)
    lower = votes - upper
    total = upper.sum(axis=1), lower.sum(axis=1)
    found = np.zeros((studies, len(true)), dtype=bool)
    sound = connected_counts(*total, len(setup.scores))
    if not sound.any():
        return found, sound
    upper, lower, total = upper[sound], lower[sound], (total[0][sound], total[1][sound])
    fitted = pairwise.fit(*total, LOGIT, np.zeros(len(setup.scores)), tolerance=1e-4)
    covariance = pairwise.covariance(*total, LOGIT, fitted.parameters)
    u = fitted.parameters @ design.T  # (B, M)
    first, second = np.triu_indices(len(setup.scores), 1)
    p = p_values(u, difference_se(covariance)[:, first, second], None)
    if use_clustered(raters):
        pull, push = LOGIT.pull(u)[:, None], LOGIT.pull(-u)[:, None]
        gradients = (upper * pull - lower * push) @ design  # (B, R, K)
        meat = gradients.swapaxes(1, 2) @ gradients * (raters / (raters - 1))
        by_rater = covariance @ meat @ covariance
        alike = raters_alike(by_rater, covariance)[:, None]
        p = np.where(alike, p, p_values(u, difference_se(by_rater)[:, first, second], raters))
    p = correct(p, setup.correction)
    found[sound] = (p < setup.alpha) & (np.sign(u) == np.sign(true)) & fitted.converged[:, None]
    return found, sound


def _shown(draw: np.random.Generator, votes: int, shape: tuple[int, int, int]) -> np.ndarray:
    """(B, R, M) times each rater is shown each pair: evenly, the remainder on pairs drawn for the rater."""
    each, rest = divmod(votes, shape[-1])
    order = draw.random(shape).argsort(axis=-1)
    return each + (order < rest)
