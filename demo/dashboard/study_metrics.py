"""Which metric predicts people best: correlations of the benchmark's metrics with the study's scores."""

import pandas as pd
import streamlit as st

from bench.metrics import METRICS
from bench.report.agreement import agreement
from bench.report.boards import Board
from bench.report.dashboard_data import available, overview
from demo.dashboard import source, theme
from demo.dashboard.address import choose
from demo.dashboard.live import Watched
from demo.dashboard.prepared import prepared, waiting
from demo.dashboard.study_scores import source_of
from iph.errors import InputError
from userstudy.report.dashboard_data import item_scores

LEVELS = {"methods": "Methods, means over images", "pictures": "Methods on each picture"}
KINDS = {"spearman": "Spearman's ρ", "kendall": "Kendall's τ", "pearson": "Pearson's r"}


def view(watched: Watched) -> None:
    """Chooses a board with the study's methods, then draws every metric's correlation."""
    if not watched.about["scale"]:
        st.info("There are no scores to compare metrics with yet.")
        return
    left, right = st.columns(2)
    with left:
        level = choose("Compared", list(LEVELS), "level", title=LEVELS.get)
    with right:
        kind = choose("Correlation", list(KINDS), "correlation", title=KINDS.get)
    shown = source.choose_board(_shown_to_people(watched), "against")
    fingerprint = f"{watched.about['study']}/{watched.about['sort']}/{watched.fingerprint}"
    key = (*shown.place, "agreement", level, fingerprint)
    try:
        table = prepared(key, lambda: _agreement(shown.board, watched, level))
    except InputError as error:
        st.info(
            f"{theme.sentence(error)} Choose the data set whose results the study showed; "
            "its methods must have the same names."
        )
        return
    if table is None:
        waiting("Metrics are being compared with the votes …", key)
        return
    _chart(watched, shown, table, kind, level)


def _shown_to_people(watched: Watched) -> str | None:
    """The data set whose pictures the study showed."""
    items = set(watched.items["item"]) if len(watched.items) else set()
    for name in source.data_set_names():
        try:
            boards = source.boards_of(name).values()
        except InputError:
            continue
        if any(items & set(shown.board.rows["id"]) for shown in boards):
            return name
    return None


def _agreement(board: Board, watched: Watched, level: str) -> pd.DataFrame:
    metrics = available(board)
    if level == "pictures":
        return agreement(board.rows[["method", "id", *metrics]], item_scores(watched.items))
    scale = pd.DataFrame(watched.about["scale"])
    people = scale[scale["scale"] == "bradley_terry"][["method", "score"]]
    means = overview(board).pivot(index="method", columns="metric", values="mean").reset_index()
    return agreement(means, people)


def _chart(watched: Watched, shown: source.Shown, table: pd.DataFrame, kind: str, level: str) -> None:
    table = table.assign(title=[METRICS[name].title for name in table["metric"]]).sort_values(kind)
    fig = theme.figure(90 + theme.ROW * len(table), f"{KINDS[kind]} with people's scores")
    fig.add_scatter(
        x=table[kind],
        y=table["title"],
        mode="markers",
        marker={"size": 10, "color": theme.ACCENT},
        error_x={
            "type": "data",
            "array": table[f"{kind}_high"] - table[kind],
            "arrayminus": table[kind] - table[f"{kind}_low"],
        },
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )
    fig.add_vline(0, line={"dash": "dot", "width": 1, "color": theme.QUIET})
    fig.update_xaxes(range=[-1.05, 1.05])
    unit = "methods" if level == "methods" else "results of a method on a picture"
    caption = (
        f"{KINDS[kind]} of each metric with what people preferred, over {table['n'].max()} {unit}, metrics turned "
        "so that more is better; 95 % intervals by bootstrap. At 1 the metric orders them as people do; a wide "
        "interval says that so few cannot tell."
    )
    kept = ["title", "n", *(name + end for name in KINDS for end in ("", "_low", "_high"))]
    file = f"{shown.file}; {source_of(watched)}"
    theme.chart(fig, caption, file, table[kept].iloc[::-1], "agreement_chart")
