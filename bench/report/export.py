"""The whole benchmark as files for other programs: CSV, Markdown, LaTeX, and one JSON for dashboard and leaderboard.

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
from bench.report.boards import BREAKDOWNS, Board, available, breakdown, scores
from bench.report.csv_cells import neutral_frame
from bench.report.published import published
from bench.report.render import render_all
from bench.report.tables import measured, reported
from iph.files import replacing

VERSION = 1


def export(boards: Sequence[Board], out: Path) -> list[Path]:
    """Write ``leaderboard.csv``, ``.md``, ``.tex`` and ``.json`` into ``out``; returns their paths.

    Raises InputError where nothing can be written there.
    """
    make_folder(out)
    files = {
        "leaderboard.csv": neutral_frame(long_table(boards)).to_csv(index=False, lineterminator="\n"),
        "leaderboard.md": _pages(boards, "markdown"),
        "leaderboard.tex": _pages(boards, "latex"),
        "leaderboard.json": json.dumps(leaderboard(boards), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
    }
    for name, text in files.items():
        with replacing(out / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return [out / name for name in files]


def long_table(boards: Sequence[Board]) -> pd.DataFrame:
    """One row a board, method and metric, measured; published values follow with ``status`` reported."""
    frames = []
    for board in boards:
        table = scores(board, available(board)).drop(columns="beats")
        place = {"status": "measured", "dataset": board.dataset, "protocol": board.protocol, "size": board.size}
        frames.append(table.assign(**place, dataset_hash=board.rows["dataset_hash"].iloc[0]))
    listed = published().dropna(subset="value").rename(columns={"value": "mean"})
    frames.append(listed[["dataset", "method", "metric", "mean", "source"]].assign(status="reported"))
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
    methods += [{"name": n, "status": f"partial: {c} images"} | board.about(n) for n, c in board.partial.items()]
    methods += [{"name": n, "status": s} | board.about(n) for n, s in board.absent.items()]
    return {
        "dataset": board.dataset,
        "title": board.meta.get("title", board.dataset),
        "dataset_hash": board.rows["dataset_hash"].iloc[0],
        "protocol": board.protocol,
        "size": board.size,
        "images": board.images,
        "photos": board.photos,
        "counterpart": board.meta.get("counterpart"),
        "notes": list(board.notes),
        "methods": methods,
        "breakdowns": {by: {m: _breakdown(board, by, m) for m in metrics} for by in BREAKDOWNS},
    }


def _breakdown(board: Board, by: str, metric: str) -> dict:
    table = breakdown(board, by, metric)
    groups = {str(group): count for group, count in table.attrs["n"].items()}
    return {"images": groups, "mean": {method: row.to_dict() for method, row in table.iterrows()}}


def _pages(boards: Sequence[Board], form: str) -> str:
    tables = [table for board in boards for table in [measured(board), *reported(board)]]
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
