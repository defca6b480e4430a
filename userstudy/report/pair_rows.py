"""The rows of the A/B half: one per method, one per pair of methods."""

from collections.abc import Sequence

import numpy as np

from userstudy.report.pair_fits import LEVEL, Fits, Options, attempt
from userstudy.report.results import Interval, MethodScores, PairScores, Scale
from userstudy.scores.bootstrap import Bootstrap
from userstudy.scores.counts import Counts
from userstudy.scores.pairwise import LOGIT
from userstudy.scores.result import PairwiseFit
from userstudy.scores.significance import wilson_interval
from userstudy.scores.thurstone import SCALES, thurstone_case_v
from userstudy.scores.ties import TiesFit


def scales(fitted: PairwiseFit, clustered: bool = False, interval: np.ndarray | None = None) -> list[Scale]:
    """Each method's place on a fitted scale, with ``interval`` (2, K) if there is one."""
    se = fitted.clustered_se if clustered else fitted.se
    bounds = [None] * len(se) if interval is None else [_interval(low, high) for low, high in interval.T]
    return [Scale(float(s), float(e), b) for s, e, b in zip(fitted.scores, se, bounds, strict=True)]


def method_rows(
    counts: Counts, fits: Fits | None, boots: dict[str, Bootstrap] | None, ties: TiesFit | None, options: Options
) -> tuple[MethodScores, ...]:
    """One row per method, in the order of ``counts.methods``."""
    size, wins = len(counts.methods), counts.wins
    nothing = [None] * size
    boot, factor = (boots or {}).get("bradley-terry"), SCALES[options.scale][0]
    columns = attempt(_column_means, counts, options)
    strength = scales(fits.bradley_terry, fits.clustered, boot and boot.interval(LEVEL)) if fits else nothing
    normal = boots["thurstone"].interval(LEVEL) * factor if boots else None
    thurstone = scales(fits.thurstone, fits.clustered, normal) if fits else nothing
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


def _column_means(counts: Counts, options: Options) -> list[Scale]:
    """The classic Case V solution; InputError where pairs are missing."""
    given = {"scale": options.scale, "zero_cells": options.zero_cells}
    return scales(thurstone_case_v(counts.wins, counts.methods, method="column-mean", **given))


def _letters(classes: Sequence[Sequence[str]], names: Sequence[str]) -> list[str]:
    alphabet = [chr(ord("a") + k % 26) * (1 + k // 26) for k in range(len(classes))]
    return ["".join(a for a, group in zip(alphabet, classes, strict=True) if name in group) for name in names]


def pair_rows(counts: Counts, fits: Fits | None) -> tuple[PairScores, ...]:
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
