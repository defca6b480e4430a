"""Who voted and how: sides, screening with the effect of every exclusion, agreement, and votes over time."""

import pandas as pd
import streamlit as st

from demo.dashboard import theme
from demo.dashboard.live import Watched
from demo.dashboard.study_scores import source_of
from demo.dashboard.text import code


def view(watched: Watched) -> None:
    """Side bias, agreement, the screening table, and what leaving somebody out would change."""
    pairs = watched.about["scores"]["pairs"]
    if not pairs:
        st.info("Raters are screened by their votes on pairs; this study asked for rankings only.")
        return
    _sides(watched, pairs)
    _agreement(pairs)
    _screening(watched, pairs)
    _effects(watched, pairs)


def _sides(watched: Watched, pairs: dict) -> None:
    st.subheader("Does the side matter?", anchor=False)
    side, rows = pairs["side"], pd.DataFrame(watched.about["sides"])
    rows["low"] = [bounds and bounds[0] for bounds in rows["interval"]]
    rows["high"] = [bounds and bounds[1] for bounds in rows["interval"]]
    rows = rows.dropna(subset="share")
    fig = theme.figure(110 + theme.ROW * rows["method"].nunique(), "share of decisive votes won", legend=True)
    for name, color, symbol in (
        ("left", theme.KINDS["classical"], "triangle-left"),
        ("right", theme.CONTRAST, "triangle-right"),
    ):
        part = rows[rows["side"] == name]
        fig.add_scatter(
            x=part["share"],
            y=part["method"],
            mode="markers",
            name=f"shown on the {name}",
            marker={"size": 11, "color": color, "symbol": symbol},
            error_x={"type": "data", "array": part["high"] - part["share"], "arrayminus": part["share"] - part["low"]},
        )
    order = [m["method"] for m in sorted(pairs["methods"], key=lambda m: m["rank"] or 0)]
    fig.update_xaxes(tickformat=".0%")
    fig.update_yaxes(categoryorder="array", categoryarray=order[::-1])
    said = (
        f" The left picture won {side['left_share']:.1%} of all decisive votes; side effect {side['effect']:+.3f} ± "
        f"{side['se']:.3f} log-odds, p {'<' if side['p_value'] < 0.001 else '='} {max(side['p_value'], 0.001):.3f}."
        if side
        else f" No side effect: {pairs['side_problem']}."
    )
    caption = (
        "How often each method won when it was shown on the left and on the right, with 95 % intervals (Wilson)." + said
    )
    theme.chart(fig, caption, source_of(watched), rows.drop(columns="interval"), "sides_chart")


def _agreement(pairs: dict) -> None:
    st.subheader("Do raters agree?", anchor=False)
    agreement, repeats = pairs["agreement"], pairs["repeats"]
    lines = []
    if agreement["alpha"] is not None:
        lines.append(
            f"With each other: Krippendorff's α = {agreement['alpha']:.3f} over {agreement['units']:,} pairs of "
            f"pictures that two raters or more judged ({agreement['answers']:,} answers); 1 is full agreement, 0 "
            "chance."
        )
    else:
        lines.append("With each other: no picture's pair was judged by two raters, or all answers are alike.")
    if repeats["asked"]:
        low, high = repeats["interval"]
        lines.append(
            f"With themselves: {repeats['same']:,} of {repeats['asked']:,} repeated pairs got the same answer, "
            f"{repeats['share']:.1%} (95 % {low:.1%} to {high:.1%}); {repeats['same_side']:,} kept to the side instead."
        )
    theme.notes(lines)


def _screening(watched: Watched, pairs: dict) -> None:
    st.subheader("Screening", anchor=False)
    checks, again = pairs["screening"]["raters"], pairs["repeats"]["by_rater"]
    table = pd.DataFrame(checks)
    table["flagged"] = [", ".join(reasons) for reasons in table["reasons"]]
    table["sides"] = [f"{n} of {of}" for n, of in zip(table["left"], table["decisive"], strict=True)]
    table["repeats"] = [f"{again[r][1]} of {again[r][0]}" if r in again else "" for r in table["rater"]]
    table["passed"] = [f"{c - f} of {c}" if c else "" for c, f in zip(table["checks"], table["failed"], strict=True)]
    fig = theme.figure(320, "median seconds a pair", "surprise, standard deviations", legend=True)
    for flagged, name, color in ((False, "no remark", theme.ACCENT), (True, "flagged", theme.CONTRAST)):
        part = table[(table["flagged"] != "") == flagged]
        fig.add_scatter(
            x=part["median_seconds"],
            y=part["surprise"],
            text=part["rater"],
            mode="markers",
            name=name,
            marker={"size": 9, "color": color, "opacity": 0.75, "symbol": "x" if flagged else "circle"},
            hovertemplate="%{text}<br>%{x:.2f} s, %{y:.2f}<extra></extra>",
        )
    caption = (
        "Each rater: how long the votes took, and by how many standard deviations they are less like the other raters' "
        f"than chance explains. Flagged: {sum(map(bool, table['flagged']))} of {len(table)} raters; nobody is left "
        "out for it."
    )
    kept = ["rater", "flagged", "votes", "decisive", "sides", "side_p", "passed", "repeats", "median_seconds"]
    table = table[[*kept, "fast_share", "surprise"]].sort_values("surprise", ascending=False)
    columns = {
        "sides": "Left",
        "side_p": st.column_config.NumberColumn("p of sides", format="%.3f"),
        "passed": "Checks passed",
        "repeats": "Repeats alike",
        "median_seconds": st.column_config.NumberColumn("Median s", format="%.2f"),
        "fast_share": st.column_config.NumberColumn("Too fast", format="percent"),
        "surprise": st.column_config.NumberColumn("Surprise", format="%.2f"),
    }
    theme.chart(fig, caption, source_of(watched), table, "screening_chart", columns=columns)


def _effects(watched: Watched, pairs: dict) -> None:
    st.subheader("What exclusions would change", anchor=False)
    rows = [
        {
            "rater": row["rater"],
            "why": ", ".join(row["reasons"]),
            "votes": row["decisive"],
            "change": row.get("largest_change"),
            "order": {True: "stays", False: "changes", None: "no scores without"}[row.get("same_order")],
        }
        for row in watched.about["exclusions"]
    ]
    without = pairs["without_flagged"]
    if without:
        order = {True: "stays", False: "changes", None: without["problem"] or "no scores without"}[
            without["same_order"]
        ]
        kept_votes = pairs["tally"]["decisive"] - without["decisive"]
        rows.append(
            {
                "rater": "all flagged",
                "why": "",
                "votes": kept_votes,
                "change": without["largest_change"],
                "order": order,
            }
        )
    if not rows:
        st.caption("Nobody is flagged, so nothing would change.")
    else:
        theme.data(
            pd.DataFrame(rows),
            hide_index=True,
            key="effects_table",
            placeholder="–",
            column_config={
                "rater": "Without",
                "why": "Flagged because",
                "votes": "Decisive votes lost",
                "change": st.column_config.NumberColumn("Largest change of a BT score", format="%.3f"),
                "order": "Order of the methods",
            },
            alt="What leaving out each flagged rater, and all of them, would change",
        )
        st.caption(
            f"Scores without each flagged rater alone, and without all of them. Source: {code(source_of(watched))}."
        )
    excluded = watched.about["excluded"]
    if excluded:
        theme.notes([f"{rater} was left out by hand; the study's admin page says why" for rater in excluded])


def over_time(watched: Watched) -> None:
    """Votes counted up since the study began."""
    line = watched.about["timeline"]
    if not line["time"]:
        st.info("These votes carry no times.")
        return
    fig = theme.figure(320, "", "answers so far")
    fig.add_scatter(
        x=line["time"], y=line["votes"], mode="lines", line={"shape": "hv", "color": theme.ACCENT, "width": 2}
    )
    fig.update_yaxes(rangemode="tozero")
    caption = (
        f"Answers to pairs, checks and repeats included, from {line['time'][0][:16].replace('T', ' ')} to "
        f"{line['time'][-1][:16].replace('T', ' ')} UTC. Flat stretches are times without raters."
    )
    theme.chart(fig, caption, source_of(watched), pd.DataFrame(line), "time_chart")
