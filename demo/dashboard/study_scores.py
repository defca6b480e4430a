"""The study's two scales side by side, what the bootstrap drew, and the rankings."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from demo.dashboard import theme
from demo.dashboard.live import Watched
from demo.dashboard.text import code, plain

SCALES = {"thurstone": "Thurstone", "bradley_terry": "Bradley–Terry"}
RANKS = ("#159a80", "#6cc0ae", "#b9e0d8", "#d9ece8")  # the first rank darkest
RIDGE = 1.6  # rows of the bootstrap chart that the highest curve fills


def source_of(watched: Watched) -> str:
    about = watched.about
    return f"votes of {about['study']} ({about['sort']}, state {about['fingerprint']})"


def view(watched: Watched) -> None:
    """Both scales, the table of all scores, the bootstrap, and whether one scale fits at all."""
    pairs = watched.about["scores"]["pairs"]
    if not pairs:
        st.info("This study asked for rankings only; the view *Rankings* shows them.")
        return
    if not watched.about["scale"]:
        st.info(f"The votes do not place the methods on one scale yet: {plain(pairs['problem'])}.")
        return
    _both_scales(watched)
    _table(watched, pairs)
    _bootstrap(watched)
    _fit(pairs)


def _both_scales(watched: Watched) -> None:
    scale = pd.DataFrame(watched.about["scale"])
    order = scale[scale["scale"] == "bradley_terry"].sort_values("score")["method"].tolist()
    fig = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.03, subplot_titles=list(SCALES.values()))
    for column, name in enumerate(SCALES, start=1):
        rows = scale[scale["scale"] == name]
        fig.add_scatter(
            x=rows["score"],
            y=rows["method"],
            mode="markers",
            marker={"size": 10, "color": (theme.ACCENT, theme.KINDS["classical"])[column - 1]},
            error_x={"type": "data", "array": rows["high"] - rows["score"], "arrayminus": rows["score"] - rows["low"]},
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
            row=1,
            col=column,
        )
        fig.add_vline(0, line={"dash": "dot", "width": 1, "color": theme.QUIET}, row=1, col=column)
    fig.update_layout(
        height=110 + theme.ROW * len(order), showlegend=False, dragmode=False, margin={"l": 8, "r": 12, "t": 36, "b": 8}
    )
    fig.update_yaxes(categoryorder="array", categoryarray=order, automargin=True)
    fig.update_xaxes(zeroline=False)
    how = " and ".join(sorted(scale["how"].unique()))
    caption = (
        "Each method's place on both scales (Thurstone's Case V and Bradley–Terry log-odds), zero the mean of "
        f"all, with 95 % intervals ({how}); to the right is preferred more."
    )
    theme.chart(fig, caption, source_of(watched), scale, "scales_chart")


def _table(watched: Watched, pairs: dict) -> None:
    rows = []
    for m in sorted(pairs["methods"], key=lambda m: m["rank"] or 0):
        normal, logit = m["thurstone"], m["bradley_terry"]
        rows.append(
            {
                "class": m["letters"],
                "method": m["method"],
                "rank": m["rank"],
                "ranks": _span(m["rank_interval"]),
                "preference": normal["score"],
                "preference_se": normal["se"],
                "worth": m["worth"],
                "worth_interval": theme.interval_text(*(m["worth_interval"] or (None, None)), 4),
                "log_odds": logit["score"],
                "log_odds_se": logit["se"],
                "column_mean": m["column_mean"] and m["column_mean"]["score"],
                "davidson": m["davidson"] and m["davidson"]["score"],
                **{name: m[name] for name in ("wins", "losses", "ties", "both_bad")},
            }
        )
    number = st.column_config.NumberColumn
    theme.data(
        pd.DataFrame(rows),
        hide_index=True,
        key="scores_table",
        placeholder="–",
        height=38 + 35 * len(rows),
        column_config={
            "class": st.column_config.TextColumn("Class", help="methods that share a letter cannot be told apart"),
            "method": st.column_config.TextColumn("Method", pinned=True),
            "rank": "Rank",
            "ranks": st.column_config.TextColumn("Ranks left open", help="by the tests of all pairs, Holm"),
            "preference": number(
                "Preference", format="%+.3f", help=f"Thurstone Case V; unit: {pairs['thurstone_unit']}"
            ),
            "preference_se": number("± SE", format="%.3f"),
            "worth": number("BT score", format="%.4f", help="sums to 1"),
            "worth_interval": st.column_config.TextColumn("BT 95 %"),
            "log_odds": number("BT log-odds", format="%+.3f"),
            "log_odds_se": number("± SE ", format="%.3f"),
            "column_mean": number("Case V, column means", format="%+.3f"),
            "davidson": number("Davidson (ties used)", format="%+.3f"),
            "wins": "Wins",
            "losses": "Losses",
            "ties": "Ties",
            "both_bad": "Both bad",
        },
        alt="All scores of all methods, the most preferred first",
    )
    classes = "; ".join(
        f"**{'abcdefghijklmnopqrstuvwxyz'[k % 26]}** {plain(', '.join(g))}" for k, g in enumerate(pairs["classes"])
    )
    boot = pairs["bootstrap"]
    st.caption(
        f"Classes: {classes}. Standard errors: {pairs['errors']}. "
        + (f"Intervals: {boot['replicates']:,} draws of raters, seed {boot['seed']}. " if boot else "")
        + f"Source: {code(source_of(watched))}."
    )
    st.download_button(
        "Scores as JSON",
        lambda: _json(watched),
        f"{watched.about['study']}-{watched.about['sort']}-scores.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
    )


def _json(watched: Watched) -> str:
    import json

    return json.dumps(watched.about, indent=1, ensure_ascii=False)


def _bootstrap(watched: Watched) -> None:
    drawn = (watched.about["bootstrap"] or {}).get("bradley_terry")
    if not drawn:
        return
    st.subheader("What the bootstrap drew", anchor=False)
    edges, draws = drawn["edges"], drawn["draws"]
    scale = pd.DataFrame(watched.about["scale"]).query("scale == 'bradley_terry'")
    order = scale.sort_values("score", ascending=False)["method"].tolist()
    middles = [(low + high) / 2 for low, high in zip(edges[:-1], edges[1:], strict=True)]
    highest = max(max(counts) for counts in draws.values())
    fig = theme.figure(110 + theme.ROW * (len(order) + 1), "Bradley–Terry score, log-odds")
    for at, method in enumerate(order):
        counts = draws[method]
        fig.add_scatter(
            x=[edges[0], *middles, edges[-1]],
            y=[len(order) - at - 1 + RIDGE * count / highest for count in (0, *counts, 0)],
            customdata=[0, *counts, 0],
            name=method,
            mode="lines",
            line={"shape": "hvh", "color": theme.ACCENT, "width": 1.5},
            fill="toself",
            fillcolor="rgba(21, 154, 128, 0.25)",
            hovertemplate="%{x:.2f}: %{customdata} draws",
        )
    fig.update_yaxes(tickmode="array", tickvals=list(range(len(order))), ticktext=order[::-1])
    caption = (
        f"How often each Bradley–Terry score came out when the raters were drawn anew {sum(counts):,} times. "
        "Curves that overlap belong to methods that other raters might have put the other way round."
    )
    table = pd.DataFrame({"from": edges[:-1], "to": edges[1:], **drawn["draws"]})
    theme.chart(fig, caption, source_of(watched), table, "bootstrap_chart")


def _fit(pairs: dict) -> None:
    st.subheader("Does one scale describe the votes?", anchor=False)
    lines = []
    for name, fit in (("Bradley–Terry", pairs["fit_bradley_terry"]), ("Thurstone", pairs["fit_thurstone"])):
        if fit and fit["p_value"] is not None:
            lines.append(
                f"{name}: G² = {fit['deviance']:.1f} on {fit['degrees_of_freedom']} degrees of freedom, "
                f"p {_equals(fit['p_value'])}; a small p says that it does not."
            )
    triads = pairs["triads"]
    if triads["triads"]:
        lines.append(
            f"Circular triads (A over B over C over A) within raters: {triads['circles']:,} of {triads['triads']:,}, "
            f"by chance {triads['expected']:.0f}; in all votes pooled: {triads['pooled_circles']} of "
            f"{triads['pooled_triads']}."
        )
    if pairs["tie_parameter"] is not None:
        lines.append(f"Davidson's tie parameter ν = {pairs['tie_parameter']:.3f}; 0 means no ties.")
    theme.notes(lines)


def rankings(watched: Watched) -> None:
    """The paper's Ranking Score, how often each rank was given, and Plackett–Luce."""
    ranked = watched.about["scores"]["rankings"]
    if not ranked:
        st.info("This study asked for no rankings; the view *Scores* shows its pairs.")
        return
    methods = sorted(ranked["methods"], key=lambda m: m["per_rater"])
    deepest = max((k + 1 for m in methods for k, count in enumerate(m["rank_counts"]) if count), default=0)
    fig: go.Figure = theme.figure(110 + theme.ROW * len(methods), "times", legend=True, barmode="stack")
    names = [m["method"] for m in methods]
    for k in range(deepest):
        fig.add_bar(
            x=[m["rank_counts"][k] for m in methods],
            y=names,
            orientation="h",
            name=f"rank {k + 1}",
            marker={"color": RANKS[min(k, len(RANKS) - 1)]},
        )
    fig.update_layout(legend={"traceorder": "normal"})
    fig.add_bar(
        x=[m["unranked"] for m in methods], y=names, orientation="h", name="no rank", marker={"color": "#8a939055"}
    )
    rows = [
        {
            "method": m["method"],
            "Ranking Score": m["per_rater"],
            "points a ranking": m["per_trial"],
            **{f"rank {k + 1}": m["rank_counts"][k] for k in range(deepest)},
            "no rank": m["unranked"],
            "shown": m["shown"],
            "Plackett–Luce": m["plackett_luce"] and m["plackett_luce"]["score"],
            "± SE": m["plackett_luce"] and m["plackett_luce"]["se"],
            "PL worth": m["worth"],
        }
        for m in reversed(methods)
    ]
    points = ", ".join(f"{value:g}" for value in ranked["points"])
    agreement = (
        f" Kendall's W of a picture's raters, mean: {ranked['mean_w']:.2f}." if ranked["mean_w"] is not None else ""
    )
    caption = (
        f"How often each method was given each rank in {ranked['trials']:,} rankings by {ranked['raters']:,} raters. "
        f"The Ranking Score gives {points} points for the first ranks and sums them for each rater.{agreement}"
    )
    theme.chart(fig, caption, source_of(watched), pd.DataFrame(rows), "ranks_chart")
    with st.container(horizontal=True):
        for row in rows[:4]:
            st.metric(f"{plain(row['method'])}: Ranking Score", f"{row['Ranking Score']:.2f}", border=True)


def _span(bounds: list | None) -> str:
    return "" if not bounds else str(bounds[0]) if bounds[0] == bounds[1] else f"{bounds[0]}–{bounds[1]}"


def _equals(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
