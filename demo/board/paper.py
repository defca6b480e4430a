"""The paper's Tables 1, 2 and 3 as printed, with what was measured here beside them."""

import pandas as pd
import streamlit as st

from bench.board import beside_paper
from bench.datasets.catalogue import CATALOGUE
from bench.errors import InputError
from bench.report import Board
from bench.tables import OTHER_TITLES, REPORTED_AS
from bench.tables import heading as metric_heading
from demo.board import live, look, source
from demo.board.address import choose

ABOUT = {
    1: "Comparison with earlier methods on PortraitTest and IntHarmony.",
    2: "The user study on PortraitTest.",
    3: "The ablation on PortraitTest.",
}
STUDY_DIGITS = {"ranking_score": 2, "preference": 3, "bt_score": 4}


def page() -> None:
    look.heading(
        "Paper tables",
        "What Valanarasu et al. (2022) printed, and ours beside it. The paper's pictures were never published, so ours "
        "are measured on open counterparts: compare the gain over the composite, not the values.",
    )
    number = choose("Table", list(ABOUT), "table", title=lambda n: f"Table {n}", buttons=True)
    st.markdown(ABOUT[number])
    found = _counterparts() if number != 2 else {}
    frame = beside_paper(number, found)
    if number == 2:
        frame = _with_study(frame)
    for dataset, rows in frame.groupby("dataset", sort=False):
        _table(number, dataset, rows, found.get(dataset))


def _counterparts() -> dict[str, Board]:
    """Our board of the open counterpart of each of the paper's data sets, where there are rows."""
    found = {}
    for name in source.data_set_names():
        stands_for = CATALOGUE[name].counterpart if name in CATALOGUE else None
        wanted = stands_for or name
        if wanted not in ("portraittest", "intharmony"):
            continue
        try:
            shown = source.boards_of(name).get(("strict", "256"))
        except InputError as error:
            st.warning(f"{error}", icon=":material/info:")
            continue
        if shown and (wanted not in found or stands_for is None):
            found[wanted] = shown.board
    return found


def _with_study(frame: pd.DataFrame) -> pd.DataFrame:
    """Our study's scores in the place of measured values, by method name."""
    scores = live.paper_scores()
    if scores is None:
        return frame
    return frame.drop(columns=["measured", "low", "high"]).merge(scores, on=["method", "metric"], how="left")


def _table(number: int, dataset: str, rows: pd.DataFrame, board: Board | None) -> None:
    st.subheader(CATALOGUE[dataset].title, anchor=False)
    metrics = list(rows["metric"].unique())
    wide = rows.drop_duplicates("method").set_index("method")[["title", "kind", "venue"]]
    columns: dict = {"title": st.column_config.TextColumn("Method", pinned=True), "kind": "Type", "venue": "Venue"}
    for metric in metrics:
        digits = _digits(metric)
        cells = rows[rows["metric"] == metric].set_index("method").reindex(wide.index)
        name = OTHER_TITLES.get(metric) or metric_heading(metric)
        wide[f"{metric}_reported"] = cells["reported"]
        wide[f"{metric}_ours"] = cells["measured"].astype(float)
        wide[f"{metric}_interval"] = [
            look.interval_text(low, high, digits) for low, high in zip(cells["low"], cells["high"], strict=True)
        ]
        number_column = st.column_config.NumberColumn
        columns[f"{metric}_reported"] = number_column(f"{name} reported", format=f"%.{digits}f")
        columns[f"{metric}_ours"] = number_column(f"{name} ours", format=f"%.{digits}f")
        columns[f"{metric}_interval"] = st.column_config.TextColumn("95 %", help="interval of ours")
    st.dataframe(
        wide,
        hide_index=True,
        column_config=columns,
        key=f"paper_{number}_{dataset}",
        height=38 + 35 * len(wide),
        placeholder="–",
        alt=f"Table {number} of the paper on {CATALOGUE[dataset].title}: reported values, and ours beside them",
    )
    _caption(number, rows, board)
    if number != 2 and rows["measured"].notna().any():
        _chart(number, dataset, rows, board)


def _caption(number: int, rows: pd.DataFrame, board: Board | None) -> None:
    sources = "; ".join(dict.fromkeys(text.partition(";")[0] for text in rows["source"]))
    said = f"**Reported**: {sources}; – is a cell that is not on record here."
    if number == 2:
        said += " **Ours**: the study of the page *User study*" + live.simulated_note() + "."
    elif board is None:
        said += " **Ours**: no rows of the open counterpart in the results folder yet."
    else:
        said += (
            f" **Ours**: measured here on {board.meta.get('title', board.dataset)} ({board.images} images, "
            f"`{source.results_folder().name}/{board.dataset}/rows.parquet`), protocol strict at 256 × 256."
        )
    if (rows["metric"] == "cie_delta").any():
        said += f" The paper's CIE column is laid beside our {metric_heading(REPORTED_AS['cie_delta'])}."
    st.caption(said)


def _chart(number: int, dataset: str, rows: pd.DataFrame, board: Board | None) -> None:
    rows = rows[rows["metric"] == "psnr"]
    fig = look.figure(90 + look.ROW * len(rows), "PSNR ↑", legend=True)
    fig.add_scatter(
        x=rows["reported"],
        y=rows["title"],
        mode="markers",
        name="reported, on the paper's pictures",
        marker={"symbol": "circle-open", "size": 10, "color": look.CONTRAST, "line": {"width": 2}},
    )
    fig.add_scatter(
        x=rows["measured"],
        y=rows["title"],
        mode="markers",
        name="measured here, on open pictures",
        marker={"size": 10, "color": look.ACCENT},
        error_x={
            "type": "data",
            "array": (rows["high"] - rows["measured"]).astype(float),
            "arrayminus": (rows["measured"] - rows["low"]).astype(float),
        },
    )
    fig.update_yaxes(categoryorder="array", categoryarray=rows["title"][::-1].tolist())
    caption = (
        f"PSNR of Table {number} as reported (open circles) and as measured here with 95 % intervals (filled). The "
        "pictures differ, so only the distance to the direct composite can be compared."
    )
    twin = rows[["title", "reported", "measured", "low", "high"]]
    file = f"{source.results_folder().name}/{board.dataset}/rows.parquet" if board else "bench/reported"
    look.chart(fig, caption, file, twin, f"paper_chart_{number}_{dataset}")


def _digits(metric: str) -> int:
    return STUDY_DIGITS.get(metric, source.digits(REPORTED_AS.get(metric, metric)))


page()
