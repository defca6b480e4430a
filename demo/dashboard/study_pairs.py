"""Who beat whom: the win-rate map to click, votes per pair, the matrix of tests, and the pictures behind a cell."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from demo.dashboard import pictures, source, theme
from demo.dashboard.address import choose
from demo.dashboard.live import Watched
from demo.dashboard.study_scores import source_of
from demo.dashboard.text import plain
from demo.dashboard.viewer import Panel, panels
from iph.errors import InputError as ResultsError
from userstudy.report.dashboard_data import both_ways

PICTURES = 200  # rows of a pair's pictures


def view(watched: Watched) -> None:
    """The map of win rates; a clicked cell opens its pair."""
    pairs = watched.about["scores"]["pairs"]
    if not pairs:
        st.info("This study asked for rankings only; the view *Rankings* shows them.")
        return
    order = [m["method"] for m in sorted(pairs["methods"], key=lambda m: (m["rank"] or 0, -m["wins"]))]
    table = both_ways(pairs["pairs"])
    clicked = _win_rates(watched, table, order)
    names = {f"{a} vs {b}": (a, b) for a in order for b in order if a != b}
    if clicked in names and clicked != st.session_state.get("pair_seen"):
        st.session_state["pair"] = clicked
    st.session_state["pair_seen"] = clicked
    first, second = names[choose("Pair", list(names), "pair")]
    _pair(watched, table, first, second)
    _votes(watched, table, order)
    _tests(watched, table, order, pairs["alpha"])


def _win_rates(watched: Watched, table: pd.DataFrame, order: list[str]) -> str | None:
    texts = table.assign(text=["" if pd.isna(share) else f"{share:.0%}" for share in table["share"]])
    fig = _heat(texts, order, "share", theme.DIVERGING, 1)
    caption = (
        "Share of decisive votes that the row's method won against the column's; ties, both-bad and skips are left "
        "out. Green wins, orange loses. A click on a cell opens the pair below."
    )
    kept = ["first", "second", "first_wins", "second_wins", "ties", "both_bad", "skips", "share", "share_interval"]
    points = theme.chart(fig, caption, source_of(watched), table[kept], "wins_chart", select=True)
    found = points[0].get("customdata") if points else None
    return found[0] if isinstance(found, list) else found


def _pair(watched: Watched, table: pd.DataFrame, first: str, second: str) -> None:
    row = table[(table["first"] == first) & (table["second"] == second)].iloc[0]
    with st.container(horizontal=True):
        st.metric(f"{plain(first)} won", f"{row['first_wins']:,}", border=True)
        st.metric(f"{plain(second)} won", f"{row['second_wins']:,}", border=True)
        st.metric("Ties, both bad, skipped", f"{row['ties'] + row['both_bad'] + row['skips']:,}", border=True)
    parts = [f"**{plain(first)}** won {_share_text(row)} of the decisive votes against **{plain(second)}**"]
    if pd.notna(row["predicted"]):
        parts.append(f"Bradley–Terry expects {row['predicted']:.1%}")
        parts.append(
            f"difference {row['difference']:+.2f} ± {row['se']:.2f} log-odds, p (Holm) {theme.p_text(row['p_holm'])}"
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
    chosen = theme.data(
        kept,
        hide_index=True,
        key=f"pair_table_{first}_{second}",
        on_select="rerun",
        selection_mode="single-row",
        column_config=names | {"both_bad": "Both bad", "skips": "Skipped"},
        height=min(300, 38 + 35 * len(kept)),
        alt=f"Votes on each picture shown of {first} and {second}",
    )
    rows_chosen = chosen["selection"]["rows"]
    at = rows_chosen[0] if rows_chosen else 0
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
    st.caption(
        f"The pictures of {plain(item)} are not in the results folder; a row of the table above chooses another one."
    )


def _votes(watched: Watched, table: pd.DataFrame, order: list[str]) -> None:
    st.subheader("Votes per pair", anchor=False)
    texts = table.assign(text=[f"{count:,}" for count in table["votes"]])
    fig = _heat(texts, order, "votes", theme.SEQUENCE, max(1, int(table["votes"].max())))
    caption = "Decisive votes on each pair of methods. Even shading means a balanced design."
    theme.chart(fig, caption, source_of(watched), table[["first", "second", "votes"]], "votes_chart")


def _tests(watched: Watched, table: pd.DataFrame, order: list[str], alpha: float) -> None:
    st.subheader("Which differences are sure", anchor=False)
    if table["p_holm"].isna().all():
        st.caption("No tests: the votes do not determine the scores yet.")
        return
    texts = table.assign(text=[theme.p_text(p).replace("0.", ".").replace(" ", "") for p in table["p_holm"]])
    steps = [[0, theme.SURE], [alpha, theme.SURE], [alpha, theme.UNSURE], [1, theme.UNSURE]]
    fig = _heat(texts, order, "p_holm", steps, 1)
    caption = (
        "p values of equal Bradley–Terry scores, Holm's correction over all pairs. Green cells are below "
        f"{alpha:g}: these two methods can be told apart."
    )
    kept = table[["first", "second", "difference", "se", "p_value", "p_holm"]]
    theme.chart(fig, caption, source_of(watched), kept, "tests_chart")


def _heat(table: pd.DataFrame, order: list[str], value: str, colors: list, top: float) -> go.Figure:
    """A map of ``value`` from 0 to ``top``, the first method down, the second across, with ``text`` where it fits.

    Plotly does not let a heat map's cells be selected: markers without colour lie over them.
    """
    matrix, texts = (
        table.pivot(index="first", columns="second", values=name).reindex(index=order, columns=order)
        for name in (value, "text")
    )
    fig = theme.figure(130 + 34 * len(order))
    fig.add_heatmap(
        x=order,
        y=order,
        z=matrix.astype(float).to_numpy(),
        colorscale=colors,
        zmin=0,
        zmax=top,
        xgap=2,
        ygap=2,
        showscale=False,
        hoverinfo="skip",
        text=texts.fillna("").to_numpy(),
        texttemplate="%{text}",
        textfont={"color": theme.INK},
    )
    fig.add_scatter(
        x=table["second"],
        y=table["first"],
        mode="markers",
        marker={"size": 34, "symbol": "square", "color": "rgba(0,0,0,0)"},
        text=table["text"],
        customdata=[f"{a} vs {b}" for a, b in zip(table["first"], table["second"], strict=True)],
        hovertemplate="%{customdata}: %{text}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        showlegend=False,
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
