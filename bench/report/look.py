"""How a measured table is to look: which methods and columns, what stands out, what is cited."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from bench.metrics import METRICS
from bench.report.render import BEST, SECOND, Table
from iph.errors import unknown

MARKS = ("none", "best", "rank")
UNSURE = "†"


@dataclass(frozen=True)
class Look:
    """The usual table, or what a paper's author makes of it.

    methods: only those, all where none are given. columns: only those beside the method. missing: also methods without
    numbers, with the reason. marks: of each metric the best and the second best mean ("best"), or all methods of the
    first and of the second rank ("rank"). doubt: a dagger on values that cannot be told apart from the best one.
    cite: keys of BibTeX entries at the names.
    """

    methods: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    missing: bool = True
    marks: Literal["none", "best", "rank"] = "none"
    doubt: bool = False
    cite: bool = False

    def __post_init__(self) -> None:
        if self.marks not in MARKS:
            raise unknown("kind of marks", self.marks, MARKS)

    def wants(self, method: str) -> bool:
        return not self.methods or method in self.methods


PLAIN = Look()


def outstanding(table: pd.DataFrame, by: Literal["none", "best", "rank"]) -> dict[str, str]:
    """BEST and SECOND by method, from the scores of one metric. Equal means, and one rank, stand out together."""
    if by == "none" or table.empty:
        return {}
    sign = METRICS[table["metric"].iloc[0]].sign
    value = table.set_index("method")["rank" if by == "rank" else "mean"] * (1 if by == "rank" else -sign)
    first, *rest = sorted(value.unique())
    found = {method: BEST for method in value.index[value == first]}
    return found | {method: SECOND for method in value.index[value == rest[0]]} if rest else found


def unsure(table: pd.DataFrame) -> set[str]:
    """Of the scores of one metric, the methods that the best one does not beat beyond doubt, without itself."""
    sign = METRICS[table["metric"].iloc[0]].sign
    best = table.loc[(sign * table["mean"]).idxmax()]
    return {*table["method"]} - {best["method"], *best["beats"]}


def with_columns(table: Table, wanted: Sequence[str]) -> Table:
    """The table with the method and the ``wanted`` columns, in that order; case and arrows in names do not matter."""
    if not wanted:
        return table
    known = {_plain(name): k for k, name in enumerate(table.columns)}
    for name in wanted:
        if _plain(name) not in known:
            raise unknown("column", name, known)
    kept = list(dict.fromkeys([known["method"], *(known[_plain(name)] for name in wanted)]))
    if "rank" in map(_plain, wanted):  # where readers look for it
        kept.sort(key=lambda k: (k != known["rank"], k != known["method"]))
    moved = {old: new for new, old in enumerate(kept)}
    return replace(
        table,
        columns=[table.columns[k] for k in kept],
        rows=[[row[k] for k in kept] for row in table.rows],
        marks=_moved(table.marks, moved),
    )


def _moved(marks: Mapping[tuple[int, int], str], moved: Mapping[int, int]) -> dict[tuple[int, int], str]:
    return {(row, moved[column]): mark for (row, column), mark in marks.items() if column in moved}


def _plain(name: str) -> str:
    return re.sub(r"\s*[↑↓]", "", name).strip().lower()
