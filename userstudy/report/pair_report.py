"""The A/B half of a study: from a votes table to ``PairStudy``."""

import numpy as np
import pandas as pd

from userstudy.errors import InputError
from userstudy.report.agreement import repeat_agreement, vote_agreement
from userstudy.report.pair_fits import Fits, Options, attempt, bootstrap, bootstrap_facts, fit
from userstudy.report.pair_rows import method_rows, pair_rows, scales
from userstudy.report.results import ItemVotes, PairStudy, SideBias, Tally, Without
from userstudy.report.screening import Screening, screen_raters
from userstudy.scores.connectivity import check_connectivity
from userstudy.scores.counts import Counts, count_units, count_votes
from userstudy.scores.fit import goodness_of_fit, triad_summary
from userstudy.scores.side import side_effect
from userstudy.scores.thurstone import SCALES
from userstudy.scores.ties import davidson


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
        thurstone_unit=SCALES[options.scale][1],
        errors=fits.tests.errors if fits else "none",
        raters_alike=bool(fits and fits.alike),
        alpha=options.alpha,
        methods=method_rows(counts, fits, boots, ties, options),
        pairs=pair_rows(counts, fits),
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
        bradley_terry=dict(zip(rest.methods, scales(again.bradley_terry, again.clustered), strict=True)),
        thurstone=dict(zip(rest.methods, scales(again.thurstone, again.clustered), strict=True)),
        order=tuple(rest.methods[k] for k in order),
        same_order=None if before is None else bool((order == np.argsort(-before, kind="stable")).all()),
        largest_change=None if before is None else float(np.abs(after - before).max()),
        problem=problem,
    )
