"""The paper's Tables 1, 2 and 3 as printed, with what was measured here beside them."""

import pandas as pd
import streamlit as st

from bench.datasets.catalogue import CATALOGUE
from bench.methods import METHODS
from bench.report.boards import Board
from bench.report.dashboard_data import beside_paper, laid_beside
from bench.report.published import PAPER_PARAMETERS, QUANTITIES, REPORTED_AS, published
from bench.report.published import heading as metric_heading
from demo.dashboard import live, source, theme
from demo.dashboard.address import choose
from demo.dashboard.source import Shown
from demo.dashboard.text import code, plain
from iph.errors import InputError

ABOUT = {
    1: "Comparison with earlier methods on PortraitTest and IntHarmony.",
    2: "The user study on PortraitTest.",
    3: "The ablation on PortraitTest.",
}
INTERVAL = 125  # pixels of a column of intervals: mostly empty ones are measured too narrow


def page() -> None:
    theme.heading(
        "Paper tables",
        "What Valanarasu et al. (2022) printed, and what was measured here beside it. The paper's pictures were not "
        "obtained here, so ours are measured on open counterparts: compare gains over the composite, not the values. "
        "A measured value stands in a printed row only where both are the same network and weights; our own networks, "
        "which are smaller and trained otherwise, have rows of their own.",
    )
    number = choose("Table", list(ABOUT), "table", title=lambda n: f"Table {n}", buttons=True)
    st.markdown(ABOUT[number])
    found = _counterparts() if number != 2 else {}
    frame = _beside(number, tuple(shown.place for shown in found.values()), found)
    if number == 2:
        frame = _with_study(frame)
    for dataset, rows in frame.groupby("dataset", sort=False):
        _table(number, dataset, rows, found[dataset].board if dataset in found else None)
    if number == 1:
        _parameters()


@st.cache_resource(max_entries=16, show_spinner=False)
def _beside(number: int, places: tuple, _found: dict[str, Shown]) -> pd.DataFrame:
    return beside_paper(number, {name: shown.board for name, shown in _found.items()})


def _counterparts() -> dict[str, Shown]:
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
            st.warning(theme.sentence(error), icon=":material/info:")
            continue
        if shown and (wanted not in found or stands_for is None):
            found[wanted] = shown
    return found


def _with_study(frame: pd.DataFrame) -> pd.DataFrame:
    """Our study's scores in the place of measured values."""
    scores = live.paper_scores()
    if scores is None:
        return frame
    titles = scores["method"].map(lambda name: METHODS[name].title if name in METHODS else name)
    scores = scores.assign(dataset="portraittest", title=titles)
    return laid_beside(frame.drop(columns=["measured", "low", "high"]), scores)


def _table(number: int, dataset: str, rows: pd.DataFrame, board: Board | None) -> None:
    st.subheader(CATALOGUE[dataset].title, anchor=False)
    metrics = list(rows["metric"].unique())
    wide = rows.drop_duplicates("method").set_index("method")[["title", "kind", "venue"]]
    columns: dict = {"title": st.column_config.TextColumn("Method", pinned=True), "kind": "Type", "venue": "Venue"}
    venues = wide.pop("venue")
    for metric in metrics:
        digits = QUANTITIES[metric].digits
        cells = rows[rows["metric"] == metric].set_index("method").reindex(wide.index)
        name = metric_heading(metric)
        wide[f"{metric}_reported"] = cells["reported"]
        wide[f"{metric}_ours"] = cells["measured"].astype(float)
        wide[f"{metric}_interval"] = [
            theme.interval_text(low, high, digits) or None
            for low, high in zip(cells["low"], cells["high"], strict=True)
        ]
        number_column = st.column_config.NumberColumn
        columns[f"{metric}_reported"] = number_column(f"{name} reported", format=f"%.{digits}f")
        columns[f"{metric}_ours"] = number_column(f"{name} ours", format=f"%.{digits}f")
        columns[f"{metric}_interval"] = st.column_config.TextColumn("95 %", help="interval of ours", width=INTERVAL)
    theme.data(
        wide.assign(venue=venues) if venues.any() else wide,
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
    sources = "; ".join(dict.fromkeys(text.partition(";")[0] for text in rows["source"] if text))
    said = f"**Reported**: {plain(sources)}; – is a cell that the paper leaves blank, or that was not measured."
    if number == 2:
        said += " **Ours**: the study of the page *User study*" + live.simulated_note() + "."
    elif board is None:
        said += " **Ours**: no rows of the open counterpart in the results folder yet."
    else:
        said += (
            f" **Ours**: measured here on {plain(board.meta.get('title', board.dataset))} ({board.images} images, "
            f"{code(f'{source.results_folder().name}/{board.dataset}/rows.parquet')}), protocol strict at 256 × 256."
        )
    if (rows["metric"] == "cie_delta").any():
        said += (
            f" The paper does not define its CIE Delta. Our {metric_heading(REPORTED_AS['cie_delta'])}, beside it, "
            "grows with the MSE as that column does on PortraitTest, but not on IntHarmony."
        )
    st.caption(said)


def _parameters() -> None:
    """The appendix's parameter counts, and ours of the same networks."""
    rows = published()
    rows = rows[rows["metric"] == "parameters"].set_index("method")
    counted = {name: METHODS[name].parameters for name in rows.index if name != "iph"} | {"iph": PAPER_PARAMETERS}
    st.subheader("Parameters", anchor=False)
    st.dataframe(
        pd.DataFrame(
            {
                "title": rows["title"],
                "reported": rows["value"],
                "counted": pd.Series(counted)[rows.index] / 1e6,
            }
        ),
        hide_index=True,
        column_config={
            "title": "Network",
            "reported": st.column_config.NumberColumn("Reported, M", format="%.0f"),
            "counted": st.column_config.NumberColumn("Counted here, M", format="%.2f"),
        },
        key="paper_parameters",
        alt="Parameter counts of the paper's appendix, and of the networks as built here",
    )
    st.caption(f"**Reported**: {rows['source'].iloc[0]}. IPH is counted in the configuration `paper`.")


def _chart(number: int, dataset: str, rows: pd.DataFrame, board: Board | None) -> None:
    rows = rows[(rows["metric"] == "psnr") & rows[["reported_gain", "gain"]].notna().any(axis=1)]
    fig = theme.figure(110 + theme.ROW * len(rows), "PSNR over the direct composite, dB ↑", legend=True)
    fig.add_scatter(
        x=rows["reported_gain"],
        y=rows["title"],
        mode="markers",
        name="reported, on the paper's pictures",
        marker={"symbol": "circle-open", "size": 10, "color": theme.CONTRAST, "line": {"width": 2}},
    )
    fig.add_scatter(
        x=rows["gain"],
        y=rows["title"],
        mode="markers",
        name="measured here, on open pictures",
        marker={"size": 10, "color": theme.ACCENT},
        error_x={
            "type": "data",
            "array": (rows["gain_high"] - rows["gain"]).astype(float),
            "arrayminus": (rows["gain"] - rows["gain_low"]).astype(float),
        },
    )
    fig.update_yaxes(categoryorder="array", categoryarray=rows["title"][::-1].tolist())
    caption = (
        f"What each method of Table {number} gains over the direct composite: as reported (open circles), and as "
        "measured here with 95 % intervals (filled). The dotted line is the composite, right of it is better. Methods "
        "without a number on either side are left out."
    )
    fig.add_vline(0, line={"dash": "dot", "color": theme.QUIET, "width": 1})
    twin = rows[["title", "reported_gain", "gain", "gain_low", "gain_high"]]
    file = f"{source.results_folder().name}/{board.dataset}/rows.parquet" if board else "bench/reported"
    theme.chart(fig, caption, file, twin, f"paper_chart_{number}_{dataset}")


page()
