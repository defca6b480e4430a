"""iHarmony4 as its papers print it: MSE, PSNR and fMSE on the four sub-sets and on all images, a table a protocol.

Measured rows come first and alone stand out; below them is what was published under the same protocol, be it the whole
set, sub-sets or high-resolution HAdobe5k (CDTNet). Numbers of two protocols are never in one table: they differ by more
than methods do.
"""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from bench.datasets.catalogue import CATALOGUE
from bench.metrics import METRICS
from bench.report.boards import Board, finite
from bench.report.citations import cite_key
from bench.report.look import PLAIN, Look
from bench.report.published import protocol_of, published
from bench.report.render import BEST, SECOND, Table

SUBSETS = ("HCOCO", "HAdobe5k", "HFlickr", "Hday2night")
ALL = "All"
SHOWN = ("mse", "psnr", "fmse")
FIRST = ["method", "venue", "status"]
Cells = dict[tuple[str, str], float]  # by sub-set and metric


def four_subsets(boards: Iterable[Board], protocol: str | None = None, look: Look = PLAIN) -> list[Table]:
    """A table for each protocol that has measured or published rows of iHarmony4, or for the one that is asked for."""
    measured: dict[tuple[str, str], Board] = {
        (board.protocol, board.size): board for board in boards if board.dataset == "iharmony4"
    }
    frame = published()
    frame = frame[frame["dataset"].str.partition("/")[0] == "iharmony4"]
    frame = frame.assign(protocol=frame["source"].map(protocol_of))
    known = {name for name, _ in measured}
    places = list(measured) + [(name, "") for name in frame["protocol"].unique() if name not in known]
    tables = [
        _table(name, size, measured.get((name, size)), frame[frame["protocol"] == name], look)
        for name, size in places
        if protocol in (None, name)
    ]
    return [table for table in tables if table.rows]


def _table(protocol: str, size: str, board: Board | None, reported: pd.DataFrame, look: Look) -> Table:
    rows, cells, statuses, cites = [], [], [], []
    for status, name, about, values in [*_measured(board), *_reported(reported)]:
        if not look.wants(name):
            continue
        rows.append([about["title"], about.get("venue") or "", status])
        cells.append(values)
        statuses.append(status)
        cites.append(cite_key(name, about) if look.cite else "")
    columns = [(subset, metric) for subset in (*SUBSETS, ALL) for metric in SHOWN]
    columns = [column for column in columns if any(column in values for values in cells)]
    for row, values in zip(rows, cells, strict=True):
        row += [METRICS[metric].text(values.get((subset, metric))) for subset, metric in columns]
    at = {"": "", "original": " at original size"}.get(size, f" at {size}x{size}")
    sources = list(dict.fromkeys(reported.loc[[look.wants(name) for name in reported["method"]], "source"]))
    said = f"protocol {protocol}{at}" if protocol else "protocol not stated"
    heads = [f"{subset} {METRICS[metric].heading}" for subset, metric in columns]
    groups = [("", len(FIRST)), *((subset, sum(s == subset for s, _ in columns)) for subset in (*SUBSETS, ALL))]
    return Table(
        f"{CATALOGUE['iharmony4'].title}, {said}",
        [*FIRST, *heads],
        rows,
        [*(board.notes if board else ()), *(f"reported: {source}" for source in sources)],
        statuses,
        _marks(columns, cells, statuses) if look.marks != "none" else {},
        cites,
        [group for group in groups if group[1]],
    )


def _measured(board: Board | None) -> list[tuple[str, str, Mapping, Cells]]:
    """Every method's means; those of submitted numbers below the measured ones."""
    found = []
    for status, rows in (("measured", board.rows), ("submitted", board.submitted)) if board else ():
        for name, mine in rows.groupby("method", sort=False):
            values = finite(mine[list(SHOWN)])
            cells = {(ALL, metric): value for metric, value in values.mean().items()}
            for subset, part in values.groupby(mine["subset"]):
                cells |= {(subset, metric): value for metric, value in part.mean().items()}
            found.append((status, name, board.about(name), cells))
    order = {"measured": 0, "submitted": 1}
    return sorted(found, key=lambda one: (order[one[0]], one[3][ALL, SHOWN[0]]))


def _reported(frame: pd.DataFrame) -> list[tuple[str, str, Mapping, Cells]]:
    frame = frame.assign(subset=frame["dataset"].str.partition("/")[2].replace("", ALL))
    found = []
    for name, mine in frame.groupby("method", sort=False):
        cells = {(row.subset, row.metric): row.value for row in mine.itertuples() if row.metric in SHOWN}
        found.append(("reported", name, mine.iloc[0].to_dict(), cells))
    return found


def _marks(columns: Sequence[tuple[str, str]], cells: Sequence[Cells], statuses: Sequence[str]) -> dict:
    """Best and second best of each column among measured rows, or among reported ones where nothing is measured."""
    among = "measured" if "measured" in statuses else "reported"
    marks = {}
    for number, (subset, metric) in enumerate(columns, start=len(FIRST)):
        values = {
            row: METRICS[metric].sign * found[subset, metric]
            for row, found in enumerate(cells)
            if statuses[row] == among and (subset, metric) in found
        }
        ranked = sorted(set(values.values()), reverse=True) if len(values) > 1 else []  # alone nothing stands out
        for mark, value in zip((BEST, SECOND), ranked, strict=False):
            marks |= {(row, number): mark for row, mine in values.items() if mine == value}
    return marks
