"""The A/B half of a study: from a votes table to ``PairStudy``, with a row a method and a row a pair of methods."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from userstudy.errors import InputError
from userstudy.report.agreement import repeat_agreement, vote_agreement
from userstudy.report.pair_fits import LEVEL, SCALE, Fits, Options, attempt, bootstrap, bootstrap_facts, fit
from userstudy.report.results import (
    Interval,
    ItemVotes,
    MethodScores,
    PairScores,
    PairStudy,
    Scale,
    SideBias,
    Tally,
    Without,
)
from userstudy.report.screening import Screening, screen_raters
from userstudy.scores.bootstrap import Bootstrap
from userstudy.scores.connectivity import check_connectivity
from userstudy.scores.counts import Counts, count_units, count_votes
from userstudy.scores.fit import goodness_of_fit, triad_summary
from userstudy.scores.pairwise import LOGIT
from userstudy.scores.result import PairwiseFit
from userstudy.scores.side import side_effect
from userstudy.scores.significance import wilson_interval
from userstudy.scores.thurstone import SCALES, thurstone_case_v
from userstudy.scores.ties import TiesFit, davidson


def score_pairs(votes: pd.DataFrame, options: Options) -> PairStudy:
    """Scores a votes table (see ``userstudy.scores.counts``); what it does not determine is None, with ``problem``."""
    counts = count_votes(votes, options.methods)
    wins, names = counts.wins, counts.methods
    connectivity = check_connectivity(wins, names)
    fits = fit(counts, options) if connectivity.connected or options.regularized else None
    boots = bootstrap(counts, options) if fits and not fits.alike else None
    units = count_units(votes, names)
    screening = screen_raters(votes, counts, options.thresholds)
    ties = attempt(davidson, wins, counts.unordered("tie"), names)
    side, side_problem = _side(counts)
    return PairStudy(
        tally=_tally(votes, counts, units),
        model=fits.bradley_terry.label if fits else "none",
        unit=fits.bradley_terry.unit if fits else "none",
        thurstone_unit=SCALES[SCALE][1],
        errors=fits.tests.errors if fits else "none",
        raters_alike=bool(fits and fits.alike),
        alpha=options.alpha,
        methods=_method_rows(counts, fits, boots, ties),
        pairs=_pair_rows(counts, fits),
        items=tuple(ItemVotes(**row) for row in units.to_dict("records")),
        classes=fits.tests.classes() if fits else (),
        connectivity=connectivity,
        problem=connectivity.problem,
        fit_bradley_terry=goodness_of_fit(fits.bradley_terry) if fits and not options.regularized else None,
        fit_thurstone=goodness_of_fit(fits.thurstone) if fits and not options.regularized else None,
        triads=triad_summary(counts.rater_wins, wins),
        tie_parameter=ties.nu if ties else None,
        side=side,
        side_problem=side_problem,
        bootstrap=bootstrap_facts(boots, options),
        screening=screening,
        agreement=vote_agreement(units),
        repeats=repeat_agreement(votes),
        without_flagged=_without(counts, screening, fits, options),
    )


def _tally(votes: pd.DataFrame, counts: Counts, units: pd.DataFrame) -> Tally:
    kinds = votes["kind"].value_counts() if "kind" in votes.columns else pd.Series(dtype=int)
    total = {choice: counts.total(choice) for choice in counts.cells}
    return Tally(
        normal=sum(total.values()),
        decisive=total["left"] + total["right"],
        ties=total["tie"],
        both_bad=total["both_bad"],
        skips=total["skip"],
        repeats=int(kinds.get("repeat", 0)),
        checks=int(kinds.get("golden", 0) + kinds.get("attention", 0)),
        raters=len(counts.raters),
        items=int(units["item"].nunique()),
    )


def _side(counts: Counts) -> tuple[SideBias | None, str]:
    """The side effect, or None and why there is none."""
    try:
        found = side_effect(counts.left_wins, counts.right_wins, counts.methods)
    except InputError as error:
        return None, str(error)
    return SideBias(found.effect, found.effect_se, found.likelihood_ratio, found.p_value, found.left_share), ""


def _without(counts: Counts, screening: Screening, fits: Fits | None, options: Options) -> Without | None:
    """The scores without the flagged raters; None when nobody is flagged."""
    flagged = screening.flagged
    if not flagged:
        return None
    rest = counts.only(~np.isin(counts.raters, flagged))
    problem = check_connectivity(rest.wins, rest.methods).problem
    again = fit(rest, options) if len(rest.raters) and (not problem or options.regularized) else None
    if again is None:
        return Without(flagged, int(rest.wins.sum()), None, None, None, None, None, problem)
    before, after = fits and fits.bradley_terry.scores, again.bradley_terry.scores
    order = np.argsort(-after, kind="stable")
    return Without(
        raters=flagged,
        decisive=int(rest.wins.sum()),
        bradley_terry=dict(zip(rest.methods, _scales(again.bradley_terry, again.clustered), strict=True)),
        thurstone=dict(zip(rest.methods, _scales(again.thurstone, again.clustered), strict=True)),
        order=tuple(rest.methods[k] for k in order),
        same_order=None if before is None else bool((order == np.argsort(-before, kind="stable")).all()),
        largest_change=None if before is None else float(np.abs(after - before).max()),
        problem=problem,
    )


def _scales(fitted: PairwiseFit, clustered: bool = False, interval: np.ndarray | None = None) -> list[Scale]:
    """Each method's place on a fitted scale, with ``interval`` (2, K) if there is one."""
    se = fitted.clustered_se if clustered else fitted.se
    bounds = [None] * len(se) if interval is None else [_interval(low, high) for low, high in interval.T]
    return [Scale(float(s), float(e), b) for s, e, b in zip(fitted.scores, se, bounds, strict=True)]


def _method_rows(
    counts: Counts, fits: Fits | None, boots: dict[str, Bootstrap] | None, ties: TiesFit | None
) -> tuple[MethodScores, ...]:
    """One row per method, in the order of ``counts.methods``."""
    size, wins = len(counts.methods), counts.wins
    nothing = [None] * size
    boot = (boots or {}).get("bradley-terry")
    columns = attempt(_column_means, counts)
    strength = _scales(fits.bradley_terry, fits.clustered, boot and boot.interval(LEVEL)) if fits else nothing
    normal = boots["thurstone"].interval(LEVEL) * SCALES[SCALE][0] if boots else None
    thurstone = _scales(fits.thurstone, fits.clustered, normal) if fits else nothing
    tied = [Scale(float(s), float(e)) for s, e in zip(ties.scores, ties.se, strict=True)] if ties else nothing
    letters = _letters(fits.tests.classes(), counts.methods) if fits else [""] * size
    open_ranks = fits.tests.rank_interval().T if fits else nothing
    drawn_ranks = boot.rank_interval(LEVEL).T if boot else nothing
    drawn_worths = boot.worth_interval(LEVEL).T if boot else nothing
    return tuple(
        MethodScores(
            method=name,
            wins=int(wins[k].sum()),
            losses=int(wins[:, k].sum()),
            ties=int(counts.unordered("tie")[k].sum()),
            both_bad=int(counts.unordered("both_bad")[k].sum()),
            bradley_terry=strength[k],
            worth=float(fits.bradley_terry.worth[k]) if fits else None,
            worth_interval=drawn_worths[k] if drawn_worths[k] is None else _interval(*drawn_worths[k]),
            thurstone=thurstone[k],
            column_mean=columns[k] if columns else None,
            davidson=tied[k],
            rank=int(1 + (fits.bradley_terry.scores > fits.bradley_terry.scores[k]).sum()) if fits else None,
            rank_interval=_ranks(open_ranks[k]),
            rank_bootstrap=_ranks(drawn_ranks[k]),
            letters=letters[k],
        )
        for k, name in enumerate(counts.methods)
    )


def _column_means(counts: Counts) -> list[Scale]:
    """The classic Case V solution; InputError where pairs are missing."""
    return _scales(thurstone_case_v(counts.wins, counts.methods, method="column-mean", scale=SCALE))


def _letters(classes: Sequence[Sequence[str]], names: Sequence[str]) -> list[str]:
    alphabet = [chr(ord("a") + k % 26) * (1 + k // 26) for k in range(len(classes))]
    return ["".join(a for a, group in zip(alphabet, classes, strict=True) if name in group) for name in names]


def _pair_rows(counts: Counts, fits: Fits | None) -> tuple[PairScores, ...]:
    """One row per unordered pair, voted on or not."""
    wins, names = counts.wins, counts.methods
    other = {choice: counts.unordered(choice) for choice in ("tie", "both_bad", "skip")}
    tests = fits.tests if fits else None
    rows = []
    for i, j in zip(*np.triu_indices(len(names), 1), strict=True):
        won, lost = int(wins[i, j]), int(wins[j, i])
        rows.append(
            PairScores(
                first=names[i],
                second=names[j],
                first_wins=won,
                second_wins=lost,
                ties=int(other["tie"][i, j]),
                both_bad=int(other["both_bad"][i, j]),
                skips=int(other["skip"][i, j]),
                share=won / (won + lost) if won + lost else None,
                share_interval=wilson_interval(won, won + lost),
                predicted=float(LOGIT.cdf(tests.difference[i, j])) if tests else None,
                difference=float(tests.difference[i, j]) if tests else None,
                se=float(tests.se[i, j]) if tests else None,
                p_value=float(tests.p_value[i, j]) if tests else None,
                p_holm=float(tests.p_holm[i, j]) if tests else None,
            )
        )
    return tuple(rows)


def _interval(low: float, high: float) -> Interval:
    return float(low), float(high)


def _ranks(bounds: np.ndarray | None) -> tuple[int, int] | None:
    return None if bounds is None or np.isnan(bounds).any() else (int(bounds[0]), int(bounds[1]))
