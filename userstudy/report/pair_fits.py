"""How the A/B half of a study is fitted: the options, the fits that every table reads, and their bootstrap."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from userstudy.errors import InputError
from userstudy.report.results import BootstrapFacts
from userstudy.report.screening import Thresholds
from userstudy.scores.bootstrap import Bootstrap, bootstrap_raters
from userstudy.scores.bradley_terry import bradley_terry
from userstudy.scores.counts import Counts
from userstudy.scores.result import PairwiseFit
from userstudy.scores.significance import PairwiseTests, pairwise_tests, raters_alike, use_clustered
from userstudy.scores.thurstone import thurstone_case_v

Score = TypeVar("Score")
LEVEL = 0.95  # of every interval
SCALE = "difference"  # of Case V: what most print; the paper names no unit


@dataclass(frozen=True)
class Options:
    """How a study is scored; the defaults are what a paper would report."""

    methods: Sequence[str] | None = None  # names in order; found in the votes when None
    regularized: float = 0.0
    alpha: float = 0.05
    bootstraps: int = 1000
    seed: int = 0
    thresholds: Thresholds = Thresholds()

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise InputError(f"expected alpha within (0, 1), got {self.alpha}")
        if self.bootstraps < 0 or self.regularized < 0:
            raise InputError(
                f"expected bootstraps and regularized of 0 or more, got {self.bootstraps} and {self.regularized}"
            )


@dataclass(frozen=True)
class Fits:
    """Both scales on the same votes, and the tests of all pairs; ``clustered`` by rater or not. ``alike``: draws of
    these raters all give the same scores."""

    bradley_terry: PairwiseFit
    thurstone: PairwiseFit
    tests: PairwiseTests
    clustered: bool
    alike: bool


def fit(counts: Counts, options: Options) -> Fits:
    """Errors are clustered by rater when enough raters cast decisive votes, and differ. Raises InputError as the models
    do."""
    voted = counts.rater_wins.sum(axis=1) > 0
    raters = int(voted.sum())
    given = {"regularized": options.regularized, "rater_wins": counts.rater_wins[voted] if raters > 1 else None}
    fitted = bradley_terry(counts.wins, counts.methods, **given)
    scaled = thurstone_case_v(counts.wins, counts.methods, scale=SCALE, **given)
    alike = raters < 2 or bool(raters_alike(fitted.clustered_covariance, fitted.covariance))
    clustered = use_clustered(raters) and not alike
    if not clustered:
        fitted, scaled = (replace(one, clustered_covariance=None) for one in (fitted, scaled))
    tests = pairwise_tests(fitted, raters if clustered else None, options.alpha)
    return Fits(fitted, scaled, tests, clustered, alike)


def bootstrap(counts: Counts, options: Options) -> dict[str, Bootstrap] | None:
    """Both models over the same draws of raters; None for one rater or no draws."""
    if not options.bootstraps or len(counts.raters) < 2:
        return None
    wins, seed = counts.rater_wins, options.seed
    return bootstrap_raters(wins, replicates=options.bootstraps, seed=seed, regularized=options.regularized)


def bootstrap_facts(boots: dict[str, Bootstrap] | None, options: Options) -> BootstrapFacts | None:
    """What to state beside the intervals."""
    if not boots:
        return None
    degenerate = max(boot.degenerate for boot in boots.values())
    return BootstrapFacts(options.bootstraps, degenerate, options.seed, LEVEL)


def attempt(score: Callable[..., Score], *arguments: object) -> Score | None:
    """The score, or None where the votes do not determine it."""
    try:
        return score(*arguments)
    except InputError:
        return None
