"""Rankings of n methods: the paper's Ranking Score (Table 2) and Kendall's W.

A rankings table has the columns ``rater, trial, item, method, rank``: one row per method shown in the trial, ``rank``
1 for the best and empty for a method that the rater left unranked, which places it below every ranked one.
Axes: ``T`` trials, ``K`` methods.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2, rankdata

from userstudy.errors import InputError
from userstudy.scores.counts import known_methods, require_columns

POINTS = (3, 2, 1)
ABSENT = -1  # not shown in the trial; 0 is shown and unranked


@dataclass(frozen=True)
class Rankings:
    """``ranks`` (T, K): the rank given, 0 for shown and unranked, -1 for not shown; ``rater`` and ``item`` (T,)."""

    methods: tuple[str, ...]
    ranks: np.ndarray
    rater: np.ndarray
    item: np.ndarray

    @property
    def complete(self) -> np.ndarray:
        """(T,) bool: all methods shown, and at most one left unranked, so that every place is known."""
        return (self.ranks >= 0).all(axis=1) & ((self.ranks > 0).sum(axis=1) >= len(self.methods) - 1)

    def places(self) -> np.ndarray:
        """(T, K) float: the rank, or the mean of the places left for the unranked; nan where not shown."""
        order = np.select([self.ranks > 0, self.ranks == 0], [self.ranks, len(self.methods) + 1], np.inf)
        return np.where(self.ranks >= 0, rankdata(order, axis=1), np.nan)

    def only_shown(self) -> "Rankings":
        """Without the methods that no trial showed."""
        shown = (self.ranks != ABSENT).any(axis=0)
        methods = tuple(name for name, keep in zip(self.methods, shown, strict=True) if keep)
        return Rankings(methods, self.ranks[:, shown], self.rater, self.item)


def read_rankings(table: pd.DataFrame, methods: Sequence[str] | None = None) -> Rankings:
    """Checks a rankings table and lays it out by trial; ranks in a trial must be 1, 2, 3 … without gap or repeat."""
    require_columns(table, ("rater", "trial", "item", "method"))
    if "rank" not in table.columns:
        raise InputError(f"expected a column 'rank' in the rankings, got {', '.join(map(str, table.columns))}")
    table = table.assign(method=table["method"].astype(str))
    methods = known_methods(list(table["method"].unique()), methods)
    if table.duplicated(["rater", "trial", "method"]).any():
        row = table[table.duplicated(["rater", "trial", "method"])].iloc[0]
        raise InputError(f"expected one row per method in a trial, got {row['method']!r} twice in trial {row['trial']}")
    wide = table.assign(rank=table["rank"].fillna(0)).pivot(
        index=["rater", "trial", "item"], columns="method", values="rank"
    )
    ranks = wide.reindex(columns=list(methods)).fillna(ABSENT).to_numpy(float)
    used = np.sort(np.where(ranks > 0, ranks, np.inf), axis=1)
    bad = (np.isfinite(used) & (used != np.arange(1, used.shape[1] + 1))).any(axis=1)
    if bad.any():
        rater, trial, _ = wide.index[int(np.argmax(bad))]
        given = sorted(rank for rank in ranks[np.argmax(bad)] if rank > 0)
        raise InputError(f"expected ranks 1, 2, 3 … each once in a trial, got {given} from {rater} in trial {trial}")
    rater, _, item = (wide.index.get_level_values(level).to_numpy() for level in range(3))
    return Rankings(methods, ranks.astype(int), rater, item)


@dataclass(frozen=True)
class RankingScore:
    """Points per method: ``per_rater`` is a rater's sum over pictures, averaged over raters: the paper's
    Ranking Score, as its size suggests.

    ``per_trial`` divides by trials instead, which does not depend on how many pictures a rater saw.
    ``rank_counts`` (K, K): [k, r] = times method k got rank r + 1; ``unranked`` (K,): times shown and left out.
    """

    methods: tuple[str, ...]
    per_rater: np.ndarray
    per_trial: np.ndarray
    total: np.ndarray
    rank_counts: np.ndarray
    unranked: np.ndarray
    shown: np.ndarray
    points: tuple[float, ...]
    raters: int
    trials: int
    complete_trials: int


def ranking_score(rankings: Rankings, points: Sequence[float] = POINTS) -> RankingScore:
    """3 / 2 / 1 points for the ranks 1 / 2 / 3, none for lower ranks and the unranked; any number of ``points``."""
    ranks, size = rankings.ranks, len(rankings.methods)
    counts = np.stack([(ranks == rank).sum(axis=0) for rank in range(1, size + 1)], axis=1)  # (K, K)
    value = np.zeros(size)
    value[: len(points)] = points[:size]
    total = counts @ value
    raters = len(set(rankings.rater))
    shown = (ranks >= 0).sum(axis=0)
    return RankingScore(
        methods=rankings.methods,
        per_rater=total / raters,
        per_trial=np.divide(total, shown, out=np.zeros(size), where=shown > 0),
        total=total,
        rank_counts=counts,
        unranked=(ranks == 0).sum(axis=0),
        shown=shown,
        points=tuple(points),
        raters=raters,
        trials=len(ranks),
        complete_trials=int(rankings.complete.sum()),
    )


@dataclass(frozen=True)
class Concordance:
    """Kendall's W over ``raters`` rankings of ``methods`` things: 0 no agreement, 1 all alike."""

    w: float
    chi2: float
    degrees_of_freedom: int
    p_value: float
    raters: int


def kendalls_w(places: np.ndarray) -> Concordance:
    """W of places (raters, methods), corrected for ties (unranked methods share a place); Kendall & Smith 1939."""
    places = np.asarray(places, dtype=float)
    raters, size = places.shape
    if raters < 2 or size < 2 or not np.isfinite(places).all():
        raise InputError(f"expected complete rankings by at least two raters, got shape {places.shape}")
    ranks = rankdata(places, axis=1)
    sums = ranks.sum(axis=0)
    tied = sum(float((count**3 - count).sum()) for count in (np.unique(row, return_counts=True)[1] for row in ranks))
    most = raters**2 * (size**3 - size) - raters * tied
    if most <= 0:
        raise InputError("expected rankings that rank something, got only ties")
    w = 12 * ((sums - sums.mean()) ** 2).sum() / most
    statistic = raters * (size - 1) * w
    return Concordance(float(w), float(statistic), size - 1, float(chi2.sf(statistic, size - 1)), raters)


def concordance_by_item(rankings: Rankings) -> dict[str, Concordance]:
    """W among the raters of each picture that showed them all methods; pictures with one such rater are left out."""
    places = rankings.places()
    whole = (rankings.ranks >= 0).all(axis=1) & (rankings.ranks > 0).any(axis=1)
    found = {}
    for item in sorted(set(rankings.item)):
        chosen = places[whole & (rankings.item == item)]
        if len(chosen) > 1:
            found[str(item)] = kendalls_w(chosen)
    return found
