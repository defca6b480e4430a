"""The whole benchmark as files for other programs: CSV, Markdown, HTML, LaTeX with its ``.bib``, and one JSON for
dashboard and leaderboard.

The JSON's form is described in ``bench/README.md``; ``VERSION`` changes when it does.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from bench.evaluation.store import make_folder
from bench.metrics import METRICS
from bench.report.boards import BREAKDOWNS, Board, available, breakdown, scores, submitted_scores
from bench.report.citations import bibliography
from bench.report.csv_cells import neutral_frame
from bench.report.look import PLAIN, Look
from bench.report.published import protocol_of, published
from bench.report.render import render_all
from bench.report.tables import measured, reported
from iph.files import replacing

VERSION = 1


def export(boards: Sequence[Board], out: Path) -> list[Path]:
    """Write ``leaderboard.csv``, ``.md``, ``.html``, ``.tex``, ``.json`` and ``methods.bib`` into ``out``.

    Returns their paths.

    Raises InputError where nothing can be written there.
    """
    make_folder(out)
    files = {
        "leaderboard.csv": neutral_frame(long_table(boards)).to_csv(index=False, lineterminator="\n"),
        "leaderboard.md": _pages(boards, "markdown"),
        "leaderboard.html": _pages(boards, "html"),
        "leaderboard.tex": _pages(boards, "latex", Look(cite=True)),
        "methods.bib": bibliography({name: one for board in boards for name, one in _about(board).items()}),
        "leaderboard.json": json.dumps(leaderboard(boards), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
    }
    for name, text in files.items():
        with replacing(out / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return [out / name for name in files]


def long_table(boards: Sequence[Board]) -> pd.DataFrame:
    """One row a board, method and metric: ``status`` measured, submitted (no rank), or reported elsewhere."""
    frames = []
    for board in boards:
        table = scores(board, available(board)).drop(columns="beats")
        place = {"dataset": board.dataset, "protocol": board.protocol, "size": board.size}
        for status, part in (("measured", table), ("submitted", submitted_scores(board, available(board)))):
            if len(part):
                frames.append(part.assign(**place, status=status, dataset_hash=_data(board)))
    listed = published().dropna(subset="value").rename(columns={"value": "mean"})
    listed = listed.assign(status="reported", protocol=listed["source"].map(protocol_of))
    frames.append(listed[["status", "dataset", "protocol", "method", "metric", "mean", "source"]])
    whole = pd.concat(frames, ignore_index=True)
    first = ["status", "dataset", "protocol", "size", "method", "metric"]
    return whole[[*first, *(column for column in whole.columns if column not in first)]]


def leaderboard(boards: Sequence[Board]) -> dict:
    """The JSON's content."""
    return _plain(
        {
            "version": VERSION,
            "generated": datetime.now(UTC).isoformat(timespec="seconds"),
            "metrics": {
                name: {"title": m.title, "direction": m.direction, "unit": m.unit, "description": m.description}
                for name, m in METRICS.items()
            },
            "boards": [_board(board) for board in boards],
            "reported": published().to_dict("records"),
        }
    )


def _board(board: Board) -> dict:
    metrics = available(board)
    table = scores(board, metrics)
    methods = []
    for method in board.methods:
        mine = table[table["method"] == method].set_index("metric").drop(columns="method")
        rows = board.rows[board.rows["method"] == method]
        methods.append(
            {"name": method, "status": "measured"}
            | board.about(method)
            | {"seconds": rows["seconds"].median(), "peak_mb": rows["peak_mb"].max()}
            | {"scores": mine.to_dict("index")}
        )
    for method, mine in submitted_scores(board, metrics).groupby("method"):
        numbers = mine.set_index("metric").drop(columns="method").to_dict("index")
        methods.append({"name": method, "status": "submitted"} | board.about(method) | {"scores": numbers})
    methods += [{"name": n, "status": f"partial: {c} images"} | board.about(n) for n, c in board.partial.items()]
    methods += [{"name": n, "status": s} | board.about(n) for n, s in board.absent.items()]
    return {
        "dataset": board.dataset,
        "title": board.meta.get("title", board.dataset),
        "dataset_hash": _data(board),
        "protocol": board.protocol,
        "size": board.size,
        "images": board.images,
        "photos": board.photos,
        "counterpart": board.meta.get("counterpart"),
        "notes": list(board.notes),
        "methods": methods,
        "breakdowns": {by: {m: _breakdown(board, by, m) for m in metrics} for by in BREAKDOWNS},
    }


def _data(board: Board) -> str:
    return board.rows["dataset_hash"].iloc[0]


def _breakdown(board: Board, by: str, metric: str) -> dict:
    table = breakdown(board, by, metric)
    groups = {str(group): count for group, count in table.attrs["n"].items()}
    return {"images": groups, "mean": {method: row.to_dict() for method, row in table.iterrows()}}


def _about(board: Board) -> dict[str, dict]:
    return {name: board.about(name) for name in (*board.methods, *board.submitted["method"].unique())}


def _pages(boards: Sequence[Board], form: str, look: Look = PLAIN) -> str:
    tables = [table for board in boards for table in [measured(board, look=look), *reported(board, look=look)]]
    return render_all(tables, form) + "\n"


def _plain(value):
    """JSON's own types: numpy numbers become Python's, and what is no number becomes null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
