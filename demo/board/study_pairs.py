"""Who beat whom: the win-rate map to click, votes per pair, the matrix of tests, and the pictures behind a cell."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from bench.errors import InputError as ResultsError
from demo.board import look, pictures, source
from demo.board.address import choose
from demo.board.live import Watched
from demo.board.study_scores import source_of
from demo.board.viewer import Panel, panels
from userstudy.board import both_ways

MOST = 12  # methods up to which numbers fit into cells
PICTURES = 200  # rows of a pair's pictures
SURE, UNSURE = look.ACCENT, "#8a939033"


def view(watched: Watched) -> None:
    """The map of win rates; a clicked cell opens its pair."""
    pairs = watched.about["scores"]["pairs"]
    if not pairs:
        st.info("This study asked for rankings only; the view *Rankings* shows them.")
        return
    order = [m["method"] for m in sorted(pairs["methods"], key=lambda m: (m["rank"] or 0, -m["wins"]))]
    table = both_ways(pairs["pairs"])
    clicked = _win_rates(watched, table, order)
    names = [f"{a} vs {b}" for a in order for b in order if a != b]
    if clicked and clicked in names and clicked != st.session_state.get("pair_seen"):
        st.session_state["pair"] = clicked
    st.session_state["pair_seen"] = clicked
    pair = choose("Pair", names, "pair")
    first, second = pair.split(" vs ")
    _pair(watched, table, first, second)
    _votes(watched, table, order)
    _tests(watched, table, order, pairs["alpha"])


def _matrix(table: pd.DataFrame, order: list[str], value: str) -> pd.DataFrame:
    return table.pivot(index="first", columns="second", values=value).reindex(index=order, columns=order).astype(float)


def _win_rates(watched: Watched, table: pd.DataFrame, order: list[str]) -> str | None:
    shares = _matrix(table, order, "share")
    fig = _heat(shares, order, look.DIVERGING, 0, 1, "%{y} over %{x}: %{z:.1%}<extra></extra>", ".0%")
    cells = table[table["first"] != table["second"]]
    fig.add_scatter(  # a heat map's own cells cannot be selected; these lie over them, unseen
        x=cells["second"],
        y=cells["first"],
        mode="markers",
        marker={"size": 34, "symbol": "square", "color": "rgba(0,0,0,0)"},
        customdata=[f"{a} vs {b}" for a, b in zip(cells["first"], cells["second"], strict=True)],
        text=[_share_text(row) for row in cells.itertuples()],
        hovertemplate="%{y} over %{x}: %{text}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        showlegend=False,
    )
    caption = (
        "Share of decisive votes that the row's method won against the column's; ties, both-bad and skips are left "
        "out. Green wins, orange loses. A click on a cell opens the pair below."
    )
    kept = ["first", "second", "first_wins", "second_wins", "ties", "both_bad", "skips", "share", "share_interval"]
    points = look.chart(fig, caption, source_of(watched), table[kept], "wins_chart", select=True)
    found = points[0].get("customdata") if points else None
    return found[0] if isinstance(found, list) else found


def _pair(watched: Watched, table: pd.DataFrame, first: str, second: str) -> None:
    row = table[(table["first"] == first) & (table["second"] == second)].iloc[0]
    with st.container(horizontal=True):
        st.metric(f"{first} won", f"{row['first_wins']:,}", border=True)
        st.metric(f"{second} won", f"{row['second_wins']:,}", border=True)
        st.metric("Ties, both bad, skipped", f"{row['ties'] + row['both_bad'] + row['skips']:,}", border=True)
    parts = [f"**{first}** won {_share_text(row)} of the decisive votes against **{second}**"]
    if pd.notna(row["predicted"]):
        parts.append(f"Bradley–Terry expects {row['predicted']:.1%}")
        parts.append(
            f"difference {row['difference']:+.2f} ± {row['se']:.2f} log-odds, p (Holm) {look.p_text(row['p_holm'])}"
        )
    st.markdown("; ".join(parts) + ".")
    _pictures(watched, first, second)


def _pictures(watched: Watched, first: str, second: str) -> None:
    items = watched.items
    if items.empty:
        return
    there = items[(items["first"] == first) & (items["second"] == second)]
    back = items[(items["first"] == second) & (items["second"] == first)]
    turned = back.rename(columns={"first_wins": "second_wins", "second_wins": "first_wins"})
    rows = pd.concat([there, turned]).sort_values(["first_wins", "second_wins"], ascending=[False, True])
    if rows.empty:
        st.caption("No picture of this pair was shown.")
        return
    kept = rows[["item", "first_wins", "second_wins", "ties", "both_bad", "skips"]].head(PICTURES)
    names = {"item": "Picture", "first_wins": f"{first} won", "second_wins": f"{second} won", "ties": "Ties"}
    chosen = st.dataframe(
        kept,
        hide_index=True,
        key=f"pair_table_{first}_{second}",
        on_select="rerun",
        selection_mode="single-row",
        column_config=names | {"both_bad": "Both bad", "skips": "Skipped"},
        height=min(300, 38 + 35 * len(kept)),
        alt=f"Votes on each picture shown of {first} and {second}",
    )
    at = chosen.selection.rows[0] if chosen.selection.rows else 0
    _side_by_side(kept.iloc[min(at, len(kept) - 1)]["item"], first, second)


def _side_by_side(item: str, first: str, second: str) -> None:
    """The pair's pictures, from the results folder's data set that has both."""
    try:
        boards = [shown.board for name in source.data_set_names() for shown in source.boards_of(name).values()]
    except ResultsError:
        boards = []
    for board in boards:
        found = [(name, pictures.output_source(board, name, item)) for name in (first, second)]
        if all(src for _, src in found):
            shape = pictures.shape_of(board, item) or (1, 1)
            shown = [Panel(name, item, src, f"{name} on {item}") for name, src in found]
            panels(shown, "", "", shape[0] / shape[1], "pair_panels")
            return
    st.caption(f"The pictures of {item} are not in the results folder; a row of the table above chooses another one.")


def _votes(watched: Watched, table: pd.DataFrame, order: list[str]) -> None:
    st.subheader("Votes per pair", anchor=False)
    counts = _matrix(table, order, "votes")
    fig = _heat(counts, order, "Teal", 0, None, "%{y} and %{x}: %{z:,} votes<extra></extra>", ",.0f")
    caption = "Decisive votes on each pair of methods. Even shading means a balanced design."
    look.chart(fig, caption, source_of(watched), table[["first", "second", "votes"]], "votes_chart")


def _tests(watched: Watched, table: pd.DataFrame, order: list[str], alpha: float) -> None:
    st.subheader("Which differences are sure", anchor=False)
    p = _matrix(table, order, "p_holm")
    if p.isna().all().all():
        st.caption("No tests: the votes do not determine the scores yet.")
        return
    fig = _heat(p, order, [[0, SURE], [alpha, "#8fcfc1"], [alpha, UNSURE], [1, UNSURE]], 0, 1, "", ".3f")
    fig.update_traces(hovertemplate="%{y} and %{x}: p = %{z:.4f}<extra></extra>")
    caption = (
        f"p values of equal Bradley–Terry scores, Holm's correction over all pairs. Coloured cells are below "
        f"{alpha:g}: these two methods can be told apart."
    )
    kept = table[["first", "second", "difference", "se", "p_value", "p_holm"]]
    look.chart(fig, caption, source_of(watched), kept, "tests_chart")


def _heat(
    matrix: pd.DataFrame, order: list[str], colors, low: float, high: float | None, hover: str, form: str
) -> go.Figure:
    fig = look.figure(130 + 34 * len(order), "", "")
    fig.add_heatmap(
        x=order,
        y=order,
        z=matrix.to_numpy(),
        colorscale=colors,
        zmin=low,
        zmax=high,
        texttemplate=f"%{{z:{form}}}" if len(order) <= MOST else None,
        hovertemplate=hover or None,
        xgap=2,
        ygap=2,
        showscale=len(order) > MOST,
        hoverongaps=False,
    )
    fig.update_xaxes(side="top", showgrid=False, categoryorder="array", categoryarray=order)
    fig.update_yaxes(showgrid=False, categoryorder="array", categoryarray=order[::-1])
    return fig


def _share_text(row) -> str:
    share, interval = (
        (row["share"], row["share_interval"]) if isinstance(row, pd.Series) else (row.share, row.share_interval)
    )
    if share is None or pd.isna(share):
        return "no decisive vote"
    return f"{share:.1%} (95 % {interval[0]:.1%} to {interval[1]:.1%})"
