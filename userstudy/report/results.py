"""What a study says, as a tree of dataclasses: the command line, the dashboard and exports read this and nothing else.

Scores are None where the votes do not determine them; ``StudyScores.problem`` then says why.
"""

from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from userstudy.report.agreement import Agreement, Repeats
from userstudy.report.screening import Screening
from userstudy.scores.connectivity import Connectivity
from userstudy.scores.fit import GoodnessOfFit, TriadSummary
from userstudy.scores.rankings import Concordance

Interval = tuple[float, float]


@dataclass(frozen=True)
class Tally:
    """What was answered. Only ``decisive`` votes enter the scores; the rest is stated beside them."""

    normal: int
    decisive: int
    ties: int
    both_bad: int
    skips: int
    repeats: int
    checks: int
    raters: int
    items: int


@dataclass(frozen=True)
class Scale:
    """A method's place on one scale. ``se`` is as ``PairStudy.errors`` says for Bradley–Terry and Thurstone, and takes
    votes as independent for column means and Davidson; ``interval`` is of the bootstrap over raters, 95 %."""

    score: float
    se: float
    interval: Interval | None = None


@dataclass(frozen=True)
class MethodScores:
    """One method. ``worth`` is the paper's BT column (sums to 1), ``thurstone`` its Preference (zero-centred)."""

    method: str
    wins: int
    losses: int
    ties: int
    both_bad: int
    bradley_terry: Scale | None
    worth: float | None
    worth_interval: Interval | None
    thurstone: Scale | None
    column_mean: Scale | None
    davidson: Scale | None  # Bradley–Terry that uses the ties
    rank: int | None
    rank_interval: tuple[int, int] | None  # what the corrected tests leave open
    rank_bootstrap: tuple[int, int] | None
    letters: str  # methods that share a letter can't be told apart


@dataclass(frozen=True)
class PairVotes:
    """How two methods were voted on."""

    first: str
    second: str
    first_wins: int
    second_wins: int
    ties: int
    both_bad: int
    skips: int


@dataclass(frozen=True)
class PairScores(PairVotes):
    """``share`` and its Wilson interval are of decisive votes; ``predicted`` the share that Bradley–Terry expects."""

    share: float | None
    share_interval: Interval | None
    predicted: float | None
    difference: float | None
    se: float | None
    p_value: float | None
    p_holm: float | None


@dataclass(frozen=True)
class ItemVotes(PairVotes):
    """The same of one picture."""

    item: str


@dataclass(frozen=True)
class SideBias:
    """Advantage of the left side in log-odds, with the likelihood-ratio test that there is none."""

    effect: float
    se: float
    likelihood_ratio: float
    p_value: float
    left_share: float


@dataclass(frozen=True)
class BootstrapFacts:
    """``degenerate`` replicates had no finite scores and are not in the intervals."""

    replicates: int
    degenerate: int
    seed: int
    level: float


@dataclass(frozen=True)
class Without:
    """The scores again without the flagged raters; ``problem`` when those votes do not determine them."""

    raters: tuple[str, ...]
    decisive: int
    bradley_terry: dict[str, Scale] | None
    thurstone: dict[str, Scale] | None
    order: tuple[str, ...] | None
    same_order: bool | None
    largest_change: float | None  # of a Bradley–Terry score
    problem: str


@dataclass(frozen=True)
class RankedMethod:
    """One method in the rankings; ``per_rater`` is the Ranking Score as ``userstudy.scores.rankings`` infers it."""

    method: str
    per_rater: float
    per_trial: float
    rank_counts: tuple[int, ...]
    unranked: int
    shown: int
    plackett_luce: Scale | None
    worth: float | None


@dataclass(frozen=True)
class RankingScores:
    """The ranking half of a study; ``concordance`` is Kendall's W of each picture's raters."""

    methods: tuple[RankedMethod, ...]
    points: tuple[float, ...]
    raters: int
    trials: int
    complete_trials: int
    concordance: dict[str, Concordance]
    mean_w: float | None
    problem: str


@dataclass(frozen=True)
class PairStudy:
    """The A/B half of a study. ``errors`` says how standard errors and tests treat a rater's votes.

    ``problem`` and ``side_problem`` say why there are no scores and why there is no side effect; empty where there are.
    ``raters_alike``: they differ too little to see how much raters differ, so nothing is clustered or bootstrapped.
    """

    tally: Tally
    model: str
    unit: str
    thurstone_unit: str
    errors: str
    raters_alike: bool
    alpha: float
    methods: tuple[MethodScores, ...]
    pairs: tuple[PairScores, ...]
    items: tuple[ItemVotes, ...]
    classes: tuple[tuple[str, ...], ...]
    connectivity: Connectivity
    problem: str
    fit_bradley_terry: GoodnessOfFit | None
    fit_thurstone: GoodnessOfFit | None
    triads: TriadSummary
    tie_parameter: float | None
    side: SideBias | None
    side_problem: str
    bootstrap: BootstrapFacts | None
    screening: Screening
    agreement: Agreement
    repeats: Repeats
    without_flagged: Without | None


@dataclass(frozen=True)
class StudyScores:
    """A whole study; ``simulated`` votes were cast by no person. ``notes`` are sentences to print beside any score."""

    simulated: bool
    pairs: PairStudy | None
    rankings: RankingScores | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain types that ``json.dumps(..., allow_nan=False)`` takes."""
        return plain(self)


def plain(value: Any) -> Any:
    """Dataclasses, arrays and numpy scalars as dicts, lists and numbers; numbers that are not finite as None."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
