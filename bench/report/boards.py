"""From result rows to what a table says: scores with intervals, ranks, differences, wins, and breakdowns.

``boards`` reads a results folder; a ``Board`` is one data set under one protocol at one size. ``render.py`` prints it,
``export.py`` writes it, the dashboard draws it.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bench.datasets.catalogue import CATALOGUE
from bench.evaluation.store import SCHEMA, SUBMITTED, Store, data_sets
from bench.methods import METHODS
from bench.methods.registry import card_of
from bench.metrics import METRICS
from bench.report.statistics import bootstrap_means, compare, group_sums, interval
from iph.errors import InputError, unknown

TABLE_1 = ("psnr", "ssim", "cie_delta_sq76", "fmse", "fdelta_e00")
PERFECT_DB = 100.0  # an infinite PSNR in a mean; one of minus infinity is its negative, below any finite one (-48)
SIZE_BINS = ((0.05, "foreground up to 5 %"), (0.15, "foreground 5 to 15 %"), (1.01, "foreground above 15 %"))
DIFFICULTIES = ("easiest third of composites", "middle third", "hardest third")


@dataclass(frozen=True)
class Board:
    """One data set under one protocol at one size.

    rows: those that are compared: every image that the complete methods share; all measured here. submitted: rows of
    the same images that were sent in as numbers, of methods that get no rank. partial: methods that lack images, with
    the number they have. absent: sentences for methods without rows. notes: what a reader must know.
    """

    dataset: str
    protocol: str
    size: str
    meta: dict
    rows: pd.DataFrame
    partial: dict[str, int]
    absent: dict[str, str]
    notes: tuple[str, ...]
    submitted: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=SCHEMA.names))

    @property
    def methods(self) -> list[str]:
        """Compared methods, in the registry's order."""
        found = set(self.rows["method"])
        return [name for name in METHODS if name in found] + sorted(found - METHODS.keys())

    @property
    def images(self) -> int:
        return self.rows["id"].nunique()

    @property
    def photos(self) -> int:
        return self.rows["photo"].nunique()

    def about(self, method: str) -> dict:
        """Title, kind, venue and so on of a method."""
        return self.meta.get("methods", {}).get(method) or card_of(METHODS.get(method), method)


def boards(
    results: str | os.PathLike,
    protocol: str | None = None,
    size: str | None = None,
    dataset: str | None = None,
    damaged: Callable[[InputError], None] | None = None,
) -> list[Board]:
    """Every board in a results folder, or those of one protocol, size or data set. InputError where there is none.

    A data set whose files are damaged is told to ``damaged`` and left out; without that it raises.
    """
    found: list[Board] = []
    errors: list[InputError] = []
    for name in data_sets(results):
        if dataset not in (None, name):
            continue
        try:
            found += boards_of(Store(results, name))
        except InputError as error:
            if damaged is None:
                raise
            errors.append(error)
    found = [board for board in found if protocol in (None, board.protocol) and size in (None, board.size)]
    if errors and not found:
        raise errors[0]
    for error in errors:
        damaged(error)
    if not found and dataset is not None:
        raise InputError(f"expected results of {dataset!r} in {results}, found none")
    if not found:
        wanted = " and ".join(filter(None, (protocol and f"protocol {protocol!r}", size and f"size {size!r}")))
        raise InputError(f"expected rows of {wanted} in {results}, found none")
    return found


def boards_of(store: Store) -> list[Board]:
    """Every board of one data set. Those of an older version of it only are left out, which the others' notes say."""
    rows, meta = store.read(), store.read_meta()
    if rows.empty:
        return []
    current = meta.get("dataset_hash")
    notes = []
    if current not in set(rows["dataset_hash"]):
        newest = rows.sort_values("computed")["dataset_hash"].iloc[-1]
        notes += [f"the last run was on data {current} and left no rows"] if current else []
        current = newest
    groups = dict(list(rows.groupby(["protocol", "size"])))
    old = [key for key, group in groups.items() if current not in set(group["dataset_hash"])]
    if old:
        notes.append(f"left out, of another version of this data set only: {', '.join(map(' at '.join, old))}")
    return [
        _board(store.folder.name, *key, group, meta, current, notes) for key, group in groups.items() if key not in old
    ]


def _board(
    dataset: str, protocol: str, size: str, rows: pd.DataFrame, meta: dict, current: str, notes: Sequence[str]
) -> Board:
    """Choose what can be compared among ``rows``: the ``current`` data, complete methods, the images they share."""
    notes = [*notes]
    if (others := int((rows["dataset_hash"] != current).sum())) > 0:
        notes.append(f"{others} rows of another version of this data set are left out")
        rows = rows[rows["dataset_hash"] == current]
    if dataset in CATALOGUE and (sentence := CATALOGUE[dataset].deviates(current)):
        notes.append(sentence)
    sent = rows["method"].isin(rows.loc[rows["code"] == SUBMITTED, "method"])
    rows, sent = rows[~sent], rows[sent]
    if rows["code"].nunique() > 1:
        notes.append(f"rows were computed by {rows['code'].nunique()} versions of the code")
    counts = rows.groupby("method")["id"].nunique()
    complete = counts[counts == counts.max()].index if len(counts) else []
    partial = {name: int(count) for name, count in counts.items() if name not in set(complete)}
    compared = rows[rows["method"].isin(complete)]
    shared = compared.groupby("id")["method"].nunique()
    compared = compared[compared["id"].isin(shared[shared == len(complete)].index)]
    for name, hashes in compared.groupby("method")["weights_hash"].nunique().items():
        if hashes > 1:
            notes.append(f"{name} has rows of {hashes} different weights: run it again with --recompute")
    if (total := meta.get("images")) and compared["id"].nunique() < total:
        notes.append(f"only {compared['id'].nunique()} of the data set's {total} images are measured")
    if (perfect := int(np.isposinf(compared["psnr"]).sum())) > 0:
        notes.append(f"{perfect} outputs equal their target; their PSNR counts as {PERFECT_DB:g} dB")
    if (flat := int(np.isneginf(compared["psnr"]).sum())) > 0:
        notes.append(f"{flat} outputs have a PSNR of -inf ({protocol} finds no peak); it counts as -{PERFECT_DB:g} dB")
    submitted = sent[sent["id"].isin(compared["id"])]
    present = {*rows["method"], *sent["method"]}
    absent = {name: METHODS[name].missing() or "not run" for name in METHODS if name not in present}
    return Board(dataset, protocol, size, meta, compared, partial, absent, tuple(notes), submitted)


def scores(board: Board, metrics: Sequence[str] = TABLE_1) -> pd.DataFrame:
    """One row a method and metric: mean, low, high, difference to the best and its interval, p, rank, wins, n.

    ``tied`` tells that another method has the same rank; ``beats`` lists the methods that are worse beyond doubt.
    """
    return pd.concat(
        [_scores_of(board.rows, board.methods, metric) for metric in _known(board, metrics)], ignore_index=True
    )


def submitted_scores(board: Board, metrics: Sequence[str] = TABLE_1) -> pd.DataFrame:
    """``method, metric, mean, low, high, n`` of what was sent in as numbers: no rank, difference or wins."""
    frames = [pd.DataFrame(columns=["method", "metric", "mean", "low", "high", "n"])]
    for method, rows in board.submitted.groupby("method"):
        known = [metric for metric in _known(board, metrics) if rows[metric].notna().all()]
        values = finite(rows[known])
        low, high = interval(bootstrap_means(*group_sums(values.to_numpy(), rows["photo"].to_numpy())))
        facts = {"metric": known, "mean": values.mean().to_numpy(), "low": low, "high": high, "n": len(rows)}
        frames.append(pd.DataFrame({"method": method} | facts))
    return pd.concat(frames[1:] or frames, ignore_index=True)


def available(board: Board) -> list[str]:
    """The metrics that every compared row has, in the usual order."""
    return [name for name in METRICS if board.rows[name].notna().all()]


def breakdown(board: Board, by: str, metric: str) -> pd.DataFrame:
    """Mean of ``metric`` by method (rows) and group of images (columns), with the group sizes in ``attrs['n']``."""
    if by not in BREAKDOWNS:
        raise unknown("breakdown", by, BREAKDOWNS)
    groups = BREAKDOWNS[by](board.rows)
    values = finite(board.rows[_known(board, [metric])[0]])
    table = values.groupby([board.rows["method"], groups], observed=True).mean().unstack().reindex(board.methods)
    table.attrs["n"] = board.rows.groupby(groups, observed=True)["id"].nunique().to_dict()
    return table


def _scores_of(rows: pd.DataFrame, methods: list[str], metric: str) -> pd.DataFrame:
    wide = rows.pivot(index="id", columns="method", values=metric)[methods]
    photos = rows.drop_duplicates("id").set_index("id")["photo"].reindex(wide.index)
    found = compare(finite(wide).to_numpy(), photos.to_numpy(), METRICS[metric].higher_is_better)
    return pd.DataFrame(
        {
            "method": methods,
            "metric": metric,
            "mean": found.mean,
            "low": found.low,
            "high": found.high,
            "difference": found.difference,
            "difference_low": found.difference_low,
            "difference_high": found.difference_high,
            "p": found.p,
            "rank": found.rank,
            "tied": pd.Series(found.rank).duplicated(keep=False),
            "beats": [[methods[k] for k in np.flatnonzero(found.beaten_by[:, m])] for m in range(len(methods))],
            "wins": found.wins,
            "n": len(wide),
        }
    )


def finite(values):
    """A column or table with what infinite values count as in a mean."""
    return values.replace({np.inf: PERFECT_DB, -np.inf: -PERFECT_DB})


def _known(board: Board, metrics: Iterable[str]) -> list[str]:
    """The metrics, checked by name; one that has no value on this board is an error."""
    there = available(board)
    for metric in metrics:
        if metric not in METRICS:
            raise unknown("metric", metric, METRICS)
        if metric not in there:
            raise InputError(
                f"expected {metric} in every row of {board.dataset}, but some have none; 'python -m bench run "
                f"--recompute' measures them again"
            )
    return list(metrics)


def _by_size(rows: pd.DataFrame) -> pd.Series:
    edges, labels = zip(*SIZE_BINS, strict=True)
    return pd.cut(rows["foreground_share"], [0, *edges], labels=labels)


def _by_difficulty(rows: pd.DataFrame) -> pd.Series:
    """Thirds of the images by the composite's own foreground error."""
    images = rows.drop_duplicates("id").set_index("id")["composite_fmse"]
    thirds = pd.cut(images.rank(method="first", pct=True), [0, 1 / 3, 2 / 3, 1], labels=DIFFICULTIES)
    return rows["id"].map(thirds)


BREAKDOWNS = {
    "subset": lambda rows: rows["subset"].where(rows["subset"] != "", "all"),
    "size": _by_size,
    "difficulty": _by_difficulty,
}
