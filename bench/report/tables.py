"""The tables that ``python -m bench table`` prints: measured rows, missing methods, and reported rows kept apart."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bench.datasets.catalogue import CATALOGUE
from bench.metrics import METRICS
from bench.report.boards import TABLE_1, Board, breakdown, scores, submitted_scores
from bench.report.citations import cite_key
from bench.report.letters import letters
from bench.report.look import PLAIN, UNSURE, Look, outstanding, unsure, with_columns
from bench.report.published import QUANTITIES, REPORTED_AS, for_dataset, heading, protocol_of, published
from bench.report.render import Table, gathered
from iph.errors import unknown

SUBMITTED_NOTE = "submitted: numbers that were sent in and not measured here; they take no rank and change no other row"


def measured(board: Board, metrics: Sequence[str] = TABLE_1, look: Look = PLAIN) -> Table:
    """The board as a table, by the first metric's rank and mean; it also decides interval, difference and wins.

    Raises InputError for a column that it does not have.
    """
    first = metrics[0]
    table = scores(board, metrics)
    main = table[table["metric"] == first].set_index("method")
    means = table.pivot(index="method", columns="metric", values="mean")
    place = main.assign(loss=-METRICS[first].sign * main["mean"]).sort_values(["rank", "loss"])
    shared = letters(list(place.sort_values("loss").index), main["beats"])
    order = [method for method in place.index if look.wants(method)]
    columns = ["rank", "alike", "method", "looks at", "venue", *map(heading, metrics)]
    columns += ["95 % interval", "to the best", "p (Holm)", "wins"]
    rows = [_measured_row(board, method, main.loc[method], means.loc[method], metrics) for method in order]
    for row, method in zip(rows, order, strict=True):
        row.insert(1, shared[method])
    marks = {}
    for column, metric in enumerate(metrics, start=columns.index(heading(first))):
        of = table[table["metric"] == metric]
        found, doubtful = outstanding(of, look.marks), unsure(of) if look.doubt else set()
        for number, method in enumerate(order):
            if method in found:
                marks[number, column] = found[method]
            if method in doubtful:
                rows[number][column] += UNSURE
    without = {method: f"{count} images only" for method, count in board.partial.items()}
    without |= {method: sentence.partition(":")[0] for method, sentence in board.absent.items()}
    without = {method: reason for method, reason in without.items() if look.missing and look.wants(method)}
    blanks = [""] * (len(columns) - 5)
    sent = {method: row for method, row in _submitted_rows(board, metrics).items() if look.wants(method)}
    statuses = ["measured"] * len(rows) + ["submitted"] * len(sent) + list(without.values())
    rows += sent.values()
    rows += [["", "", *_who(board, method), reason, *blanks] for method, reason in without.items()]
    cites = [cite_key(name, board.about(name)) for name in (*order, *sent, *without)] if look.cite else []
    whole = Table(_title(board), columns, rows, _notes(board, first, look), statuses, marks, cites)
    return with_columns(whole, look.columns)


def reported(board: Board, metrics: Sequence[str] = TABLE_1, look: Look = PLAIN) -> list[Table]:
    """What was published on this data set, or on the one it stands in for."""
    source = CATALOGUE.get(board.dataset)
    wanted = source.counterpart if source and source.counterpart else board.dataset
    frame = for_dataset(wanted)
    names = [name for name in frame["metric"].unique() if REPORTED_AS.get(name, name) in metrics]
    frame = frame[frame["metric"].isin(names) & frame["method"].map(look.wants).astype(bool)]
    other = (
        " (other pictures than the table above: the numbers cannot be compared directly)"
        if wanted != board.dataset
        else ""
    )
    title = CATALOGUE[wanted].title if wanted in CATALOGUE else wanted
    frame = frame.assign(protocol=frame["source"].map(protocol_of))
    return [
        published_table(
            group, f"REPORTED, not measured here: {title}, {_under(protocol)}{_sources(group)}{other}", look
        )
        for (_, _, protocol), group in frame.groupby(["file", "table", "protocol"], sort=True)
    ]


def paper_table(number: int) -> list[Table]:
    """Table 1, 2 or 3 of the paper, as reported."""
    frame = published()
    frame = frame[frame["file"] == f"iph_table{number}"]
    if frame.empty:
        raise unknown("table of the paper", str(number), ["1", "2", "3"])
    return [
        published_table(group, f"REPORTED: {CATALOGUE[name].title}, {_sources(group)}")
        for name, group in frame.groupby("dataset", sort=False)
    ]


def published_table(frame: pd.DataFrame, title: str, look: Look = PLAIN) -> Table:
    """Published values side by side."""
    metrics = sorted(frame["metric"].unique(), key=list(QUANTITIES).index)
    rows, cites = [], []
    for method, cells in frame.groupby("method", sort=False):
        values = cells.drop_duplicates("metric").set_index("metric")["value"]
        shown = ["" if name not in values else QUANTITIES[name].text(values[name]) for name in metrics]
        rows.append([cells["title"].iloc[0], cells["kind"].iloc[0], cells["venue"].iloc[0], *shown])
        cites.append(cite_key(method, {}) if look.cite else "")
    columns = ["method", "kind", "venue", *map(heading, metrics)]
    return Table(title, columns, rows, [], ["reported"] * len(rows), cites=cites)


def broken_down(board: Board, by: str, metric: str) -> Table:
    """Means of one metric for each group of images."""
    table = breakdown(board, by, metric)
    columns = ["method", *(f"{name} (n={table.attrs['n'][name]})" for name in table.columns)]
    order = table.mean(axis=1).sort_values(ascending=not METRICS[metric].higher_is_better).index
    table = table.loc[order]
    rows = [
        [board.about(m)["title"], *map(METRICS[metric].text, values)]
        for m, values in zip(table.index, table.to_numpy(), strict=True)
    ]
    return Table(f"{heading(metric)} by {by}: {_title(board)}", columns, rows)


def _measured_row(board: Board, method: str, main: pd.Series, means: pd.Series, metrics: Sequence[str]) -> list[str]:
    first = METRICS[metrics[0]]
    rank = f"{main['rank']}{'=' if main['tied'] else ''}"
    best = main["difference"] == 0
    return [
        rank,
        *_who(board, method),
        board.about(method).get("venue") or "",
        *(METRICS[metric].text(means[metric]) for metric in metrics),
        "–" if np.isnan(main["low"]) else f"{first.text(main['low'])} to {first.text(main['high'])}",
        "best" if best else first.text(main["difference"], signed=True),
        "" if best else _p(main["p"]),
        f"{main['wins']:.0f}",
    ]


def _submitted_rows(board: Board, metrics: Sequence[str]) -> dict[str, list[str]]:
    """Below the measured rows and in their columns, "submitted" where a rank would be."""
    table = submitted_scores(board, metrics)
    rows = {}
    for method, mine in table.groupby("method"):
        found = mine.set_index("metric")
        shown = [METRICS[name].text(found["mean"].get(name)) for name in metrics]
        first = METRICS[metrics[0]]
        ends = [first.text(found[end].get(first.name)) for end in ("low", "high")]
        venue = board.about(method).get("venue") or ""
        whole = "–" if "–" in ends else " to ".join(ends)
        rows[method] = ["submitted", "", *_who(board, method), venue, *shown, whole, "", "", ""]
    return rows


def _who(board: Board, method: str) -> list[str]:
    about = board.about(method)
    return [about["title"], about.get("looks_at") or ""]


def _title(board: Board) -> str:
    at = "original size" if board.size == "original" else f"{board.size}x{board.size}"
    return (
        f"{board.meta.get('title', board.dataset)}: {board.images} images of {board.photos} photos, "
        f"data {board.rows['dataset_hash'].iloc[0] if len(board.rows) else '-'}, protocol {board.protocol} at {at}"
    )


def _notes(board: Board, first: str, look: Look) -> list[str]:
    title = METRICS[first].title
    return [
        f"measured by {', '.join(sorted(board.rows['code'].unique()))}",
        f"rank, interval, difference and wins are of {title}; rank is 1 + the number of methods that are better beyond "
        f"doubt (sign-flip test over photos, Holm over all pairs, 5 %) or better than such a one, '=' shares its rank; "
        f"methods that share a letter cannot be told apart",
        "p (Holm) is over the differences to the best alone, a smaller family than all pairs: below 0.05 the rank may "
        "still be shared",
        *([SUBMITTED_NOTE] if len(board.submitted) else []),
        *([f"{UNSURE} cannot be told apart from the best of its column"] if look.doubt else []),
        "intervals resample photos" if board.photos > 1 else "one photo: no interval, and nothing is beyond doubt",
        *board.notes,
        *(gathered({name: why for name, why in board.absent.items() if look.wants(name)}) if look.missing else []),
    ]


def _sources(group: pd.DataFrame) -> str:
    return " | ".join(dict.fromkeys(group["source"]))


def _under(protocol: str) -> str:
    return f"protocol {protocol}: " if protocol else ""


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"
