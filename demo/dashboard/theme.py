"""How the dashboard looks: colours that hold in light and dark, and charts that carry a caption and a table twin."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from bench.report.csv_cells import neutral_frame
from demo import sentences
from demo.dashboard.text import chart_text, clicked_text, code, only_text, plain

# Okabe & Ito (2008), told apart with any colour vision and on both backgrounds
KINDS = {
    "direct composite": "#8a9390",
    "classical": "#4a90c2",
    "generic": "#d98c1f",
    "interactive": "#159a80",
    "predictions": "#b5679b",
}
ACCENT, CONTRAST, QUIET = "#159a80", "#d65f2e", "#8a9390"
SYMBOLS = {"nothing": "square", "background": "circle", "reference": "diamond", "": "x"}
DIVERGING = [[0, "#d9774f"], [0.5, "#e9eceb"], [1, "#3fae97"]]
SEQUENCE = [[0, "#e9f1ef"], [1, "#6db7ab"]]
SURE, UNSURE = "#6cc0ae", "#e4e8e7"
INK = "#16201f"  # on every colour of the three scales above
CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "autoScale2d", "select2d"], "scrollZoom": False}
ROW = 26  # pixels a method in charts that list methods


def figure(height: int, x: str = "", y: str = "", legend: bool = False, **layout: Any) -> go.Figure:
    """An empty figure with titled axes; Streamlit's theme gives it fonts and background."""
    x, y = chart_text(x), chart_text(y)
    fig = go.Figure()
    fig.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 28 if legend else 10, "b": 8},
        showlegend=legend,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None},
        dragmode=False,
        hovermode="closest",
        **layout,
    )
    fig.update_xaxes(title=x or None, automargin=True, zeroline=False)
    fig.update_yaxes(title=y or None, automargin=True, zeroline=False)
    return fig


def chart(
    fig: go.Figure,
    caption: str,
    source: str,
    table: pd.DataFrame,
    key: str,
    select: bool = False,
    columns: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Draws a figure with its caption, its file and the same numbers as a table; returns the points that were clicked.

    caption: what the chart shows, in whole sentences; also what a screen reader says in its place.
    """
    shown = st.plotly_chart(
        only_text(fig),
        key=key,
        config=CONFIG,
        alt=f"{caption} The same numbers are in the table below.",
        on_select="rerun" if select else "ignore",
        selection_mode="points",
    )
    st.caption(f"{plain(caption)} Source: {code(source)}.")
    with st.expander("The chart as a table"):
        data(table, hide_index=True, key=f"{key}_table", column_config=columns, alt=caption)
    points = shown["selection"]["points"] if select else []
    return [{name: clicked_text(value) for name, value in point.items()} for point in points]


def data(table: pd.DataFrame, **look: Any) -> Any:
    """``st.dataframe`` whose cells are no formulas: its own button writes them into a CSV file."""
    return st.dataframe(neutral_frame(table), **look)


def heading(title: str, words: str) -> None:
    """A page's title and the one sentence that says what it is for."""
    st.title(title, anchor=False)
    st.markdown(words)


def notes(sentences: Sequence[str]) -> None:
    """What a reader must know, one line each."""
    if sentences:
        st.caption("\n".join(f"- {plain(sentence)}" for sentence in sentences))


def interval_text(low: float, high: float, digits: int) -> str:
    return "" if pd.isna(low) or pd.isna(high) else f"{low:.{digits}f} to {high:.{digits}f}"


def sentence(said: object) -> str:
    """An error's words as a sentence of a page: Markdown that shows just these words, which may quote any name."""
    return plain(sentences.sentence(said))


def p_text(p: float | None) -> str:
    return "" if p is None or pd.isna(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def repeated(seconds: float, draw: Callable[[], None]) -> None:
    """Draws now, and again every so many seconds while the page is open; ``draw`` may ask for the whole page.

    The block around it is the page's and not the fragment's: a fragment that is asked for again takes back what it has
    not sent yet, its own block too, and a page whose tenth block never came falls over at its eleventh ("Bad delta path
    index"). Fragments of two pages have the same name where they stand in the same place, so a page that was just left
    asks for the one that has just been opened.
    """
    with st.container():
        st.fragment(draw, run_every=seconds)()
