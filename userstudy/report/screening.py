"""Raters to look at twice: listed with the reasons, never dropped. Scores are given with and without them instead.

Leave-one-out likelihood follows the outlier test of pwcmp (Perez-Ortiz & Mantiuk 2017): how probable are a rater's
votes under the scores of all the others? Raters see different pairs and numbers of pairs here, so the log-likelihood
is taken in standard deviations below what those scores expect on the same pairs, before raters are compared.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, log_expit
from scipy.stats import binom

from userstudy.errors import InputError
from userstudy.scores import pairwise
from userstudy.scores.counts import Counts
from userstudy.scores.pairwise import LOGIT
from userstudy.scores.significance import holm

FAR_OUT = 1.5  # interquartile ranges above the third quartile: pwcmp's rule
SURPRISING = 2.0  # standard deviations: raters who are all alike have outliers that mean nothing
PRIOR = 0.01
CHUNK = 4_000_000  # pairs of methods times raters fitted at once


@dataclass(frozen=True)
class Thresholds:
    """What counts as suspicious.

    ``failed_checks``: more than this share of golden and attention pairs answered wrongly. ``fast_seconds`` and
    ``fast_share``: more than this share of votes given within so many seconds. ``side_alpha``: level of the two-sided
    test that a rater's decisive votes fall left and right alike, Holm-corrected over raters.
    """

    failed_checks: float = 0.25
    fast_seconds: float = 1.0
    fast_share: float = 0.5
    side_alpha: float = 0.05


@dataclass(frozen=True)
class RaterCheck:
    """One rater; None where nothing was asked or known. ``log_likelihood`` is per decisive vote, in nats."""

    rater: str
    votes: int
    decisive: int
    left: int
    side_p: float
    checks: int
    failed: int
    fast_share: float | None
    median_seconds: float | None
    log_likelihood: float | None
    surprise: float | None  # standard deviations below what the others' scores expect
    distance: float | None  # of the surprise, in interquartile ranges above the third quartile of all raters
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Screening:
    """All raters; ``flagged`` are those with at least one reason."""

    raters: tuple[RaterCheck, ...]
    thresholds: Thresholds

    @property
    def flagged(self) -> tuple[str, ...]:
        """Ids of the raters with a reason."""
        return tuple(check.rater for check in self.raters if check.reasons)


def screen_raters(votes: pd.DataFrame, counts: Counts, thresholds: Thresholds | None = None) -> Screening:
    """Checks every rater of ``counts``, which is ``count_votes`` of the same votes table."""
    limits = thresholds or Thresholds()
    left = counts.cells["left"].sum(axis=1)
    decisive = left + counts.cells["right"].sum(axis=1)
    answered = decisive + counts.cells["tie"].sum(axis=1) + counts.cells["both_bad"].sum(axis=1)
    side_p = np.minimum(1.0, 2 * binom.cdf(np.minimum(left, decisive - left), decisive, 0.5))
    side_holm = holm(side_p)
    checks, failed = _checks(votes, counts.raters)
    fast, seconds = _times(votes, counts.raters, limits.fast_seconds)
    likelihood, surprise = leave_one_out(counts)
    distance = outlier_distance(surprise)
    found = []
    for k, rater in enumerate(counts.raters):
        reasons = []
        if distance[k] > FAR_OUT and surprise[k] > SURPRISING:
            reasons.append(f"votes {surprise[k]:.1f} standard deviations less like the others' than chance explains")
        if checks[k] and failed[k] / checks[k] > limits.failed_checks:
            reasons.append(f"failed {failed[k]} of {checks[k]} check pairs")
        if side_holm[k] < limits.side_alpha:
            reasons.append(f"chose the left side {left[k]} times in {decisive[k]}")
        if fast[k] > limits.fast_share:
            reasons.append(f"answered {fast[k]:.0%} of pairs within {limits.fast_seconds:g} s")
        found.append(
            RaterCheck(
                rater=rater,
                votes=int(answered[k]),
                decisive=int(decisive[k]),
                left=int(left[k]),
                side_p=float(side_p[k]),
                checks=int(checks[k]),
                failed=int(failed[k]),
                fast_share=_known(fast[k]),
                median_seconds=_known(seconds[k]),
                log_likelihood=_known(likelihood[k]),
                surprise=_known(surprise[k]),
                distance=_known(distance[k]),
                reasons=tuple(reasons),
            )
        )
    return Screening(tuple(found), limits)


def leave_one_out(counts: Counts) -> tuple[np.ndarray, np.ndarray]:
    """(R,) mean log-likelihood of each rater's decisive votes under the Bradley–Terry scores of the others, and (R,) by
    how many standard deviations their sum falls below its expectation.

    A weak normal prior (precision 0.01) keeps the scores finite when one rater held the only win of a method. nan for
    a rater without a decisive vote, and for all when there is one rater only.
    """
    raters, items = len(counts.raters), len(counts.methods)
    likelihood, surprise = np.full(raters, np.nan), np.full(raters, np.nan)
    if raters < 2:
        return likelihood, surprise
    total_upper, total_lower = pairwise.split(counts.wins.astype(float))
    first, second = np.triu_indices(items, 1)
    design = pairwise.incidence(items)
    wins = counts.rater_wins
    start = pairwise.fit(total_upper[None], total_lower[None], LOGIT, np.zeros(items), ridge=PRIOR).parameters[0]
    size = max(1, CHUNK // len(first))
    for begin in range(0, raters, size):
        part = slice(begin, begin + size)
        own = wins[part].toarray().astype(float)
        upper, lower = own[:, first * items + second], own[:, second * items + first]
        others = pairwise.fit(total_upper - upper, total_lower - lower, LOGIT, start, ridge=PRIOR, tolerance=1e-4)
        u = others.parameters @ design.T
        win, loss, p = log_expit(u), log_expit(-u), expit(u)
        expected = p * win + (1 - p) * loss
        spread = p * win**2 + (1 - p) * loss**2 - expected**2
        votes = upper + lower
        total = (upper * win + lower * loss).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):  # nan for a rater without a decisive vote
            likelihood[part] = total / votes.sum(axis=1)
            surprise[part] = ((votes * expected).sum(axis=1) - total) / np.sqrt((votes * spread).sum(axis=1))
    return likelihood, surprise


def outlier_distance(values: np.ndarray) -> np.ndarray:
    """(R,) interquartile ranges above the third quartile; 0 below it, nan without a value or with fewer than four."""
    known = values[np.isfinite(values)]
    if len(known) < 4:
        return np.full(len(values), np.nan)
    low, high = np.quantile(known, [0.25, 0.75])
    return np.maximum(values - high, 0) / max(high - low, np.finfo(float).eps)


def _checks(votes: pd.DataFrame, raters: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(R,) golden and attention pairs answered, and those answered wrongly; a skip is neither."""
    if "kind" not in votes.columns or "expected" not in votes.columns:
        return np.zeros(len(raters), dtype=int), np.zeros(len(raters), dtype=int)
    asked = votes[votes["kind"].isin(("golden", "attention")) & (votes["choice"] != "skip")]
    if asked["expected"].isna().any():
        raise InputError(
            "expected the right choice in 'expected' for every golden and attention pair, got an empty one"
        )
    wrong = (asked["choice"] != asked["expected"]).groupby(asked["rater"].astype(str)).agg(["size", "sum"])
    table = wrong.reindex(list(raters), fill_value=0)
    return table["size"].to_numpy(int), table["sum"].to_numpy(int)


def _times(votes: pd.DataFrame, raters: tuple[str, ...], fast_seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """(R,) share of votes within ``fast_seconds``, and the median time; nan without times."""
    if "seconds" not in votes.columns or votes["seconds"].isna().all():
        return np.full(len(raters), np.nan), np.full(len(raters), np.nan)
    grouped = votes["seconds"].groupby(votes["rater"].astype(str))
    fast = (votes["seconds"] < fast_seconds).groupby(votes["rater"].astype(str)).mean()
    return fast.reindex(list(raters)).to_numpy(float), grouped.median().reindex(list(raters)).to_numpy(float)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
