"""What quality costs in time and size, and where it holds: small or large foregrounds, easy or hard composites."""

import streamlit as st

from bench.metrics import METRICS
from bench.report.dashboard_data import frontier, groups
from bench.report.published import heading as metric_heading
from demo.dashboard import source, theme
from demo.dashboard.address import choose
from demo.dashboard.prepared import prepared, waiting
from demo.dashboard.source import Shown
from iph.errors import InputError

SMALLEST, LARGEST = 9, 34  # pixels, markers of methods without parameters and of the largest network
BY = {"size": "Foreground size", "difficulty": "Difficulty", "subset": "Subset"}


def page() -> None:
    theme.heading(
        "Quality against speed",
        "How good, how fast and how large each method is, and whether that holds for small foregrounds and hard "
        "composites.",
    )
    shown = source.choose_board()
    left, _ = st.columns(2)
    with left:
        metric = source.choose_metric(shown)
    _scatter(shown, metric)
    st.subheader("By foreground size and difficulty", anchor=False)
    by = choose("Group images by", list(BY), "by", title=BY.get, buttons=True)
    _groups(shown, metric, by)


def _scatter(shown: Shown, metric: str) -> None:
    overview = source.overview_of(shown, shown.place)
    main = overview[overview["metric"] == metric].set_index("method")[["mean", "low", "high"]]
    table = source.facts_of(shown, shown.place).join(main)
    untimed = table[table["seconds"].isna()]["title"].tolist()
    timed = table.dropna(subset="seconds").drop(index="composite", errors="ignore")  # which takes no time
    if timed.empty:
        st.info("No method was timed: the rows come from finished pictures, which cost nothing here.")
        return
    largest = timed["parameters"].max()
    front = frontier(timed["seconds"], timed["mean"], source.better_is_higher(metric))
    named = [name for name in timed.index if timed.at[name, "kind"] != "classical" or name == front[-1]]
    named = timed.loc[named].sort_values("mean").index
    side = {name: ("bottom", "top")[at % 2] + " center" for at, name in enumerate(named)}
    fig = theme.figure(440, "milliseconds an image, median", metric_heading(metric), legend=True)
    for kind, color in theme.KINDS.items():
        rows = timed[timed["kind"] == kind]
        if rows.empty:
            continue
        share = (rows["parameters"].fillna(0) / largest) ** 0.5 if largest > 0 else 0 * rows["seconds"]
        fig.add_scatter(
            x=rows["seconds"] * 1000,
            y=rows["mean"],
            name=kind,
            text=[title if name in side else "" for name, title in rows["title"].items()],
            customdata=rows["title"],
            mode="markers+text",
            textposition=[side.get(name, "top center") for name in rows.index],
            textfont={"size": 12},
            cliponaxis=False,
            marker={"size": SMALLEST + (LARGEST - SMALLEST) * share, "color": color, "opacity": 0.85},
            error_y={"type": "data", "array": rows["high"] - rows["mean"], "arrayminus": rows["mean"] - rows["low"]},
            hovertemplate="%{customdata}<br>%{x:.2f} ms, %{y:." + str(source.digits(metric)) + "f}<extra></extra>",
        )
    fig.add_scatter(
        x=timed.loc[front, "seconds"] * 1000,
        y=timed.loc[front, "mean"],
        mode="lines",
        name="none is both faster and better",
        line={"color": theme.QUIET, "width": 1.2, "shape": "hv"},
        hoverinfo="skip",
    )
    if "composite" in table.index:
        fig.add_hline(table.loc["composite", "mean"], line={"dash": "dot", "color": theme.QUIET, "width": 1})
    fig.update_xaxes(type="log", tickvals=[step * 10.0**power for power in range(-3, 7) for step in (1, 2, 5)])
    caption = (
        f"{METRICS[metric].title} with 95 % interval against the median time of one image on the machine that ran it, "
        "one thread a process, on a logarithmic scale; a marker's area grows with the number of parameters, and "
        f"methods without any are smallest. {'Up' if source.better_is_higher(metric) else 'Down'} and to the left is "
        "better; the dotted line is the composite, which takes no time."
        + (f" Not timed: {', '.join(untimed)}." if untimed else "")
    )
    twin = timed.assign(ms=timed["seconds"] * 1000).reset_index()
    columns = {
        "ms": st.column_config.NumberColumn("ms an image", format="%.3f"),
        "parameters": st.column_config.NumberColumn("Parameters", format="compact"),
        "peak_mb": st.column_config.NumberColumn("Peak memory, MB", format="%.0f"),
        "title": "Method",
        "kind": "Type",
        "mean": metric_heading(metric),
    }
    kept = ["title", "kind", "mean", "low", "high", "ms", "peak_mb", "parameters"]
    theme.chart(fig, caption, shown.file, twin[kept].sort_values("ms"), "speed_chart", columns=columns)


def _groups(shown: Shown, metric: str, by: str) -> None:
    key = (*shown.place, "groups", by, metric)
    try:
        table = prepared(key, lambda: groups(shown.board, by, metric))
    except InputError as error:
        st.info(f"{theme.sentence(error)} Another grouping can be chosen above.", icon=":material/info:")
        return
    if table is None:
        waiting("Groups of images are being averaged …", key)
        return
    facts = source.facts_of(shown, shown.place)
    table = table.join(facts[["title", "kind"]], on="method")
    names = list(dict.fromkeys(table["group"]))
    means = table.groupby("title")["mean"].mean().sort_values(ascending=source.better_is_higher(metric))
    fig = theme.figure(110 + (theme.ROW + 8) * len(means), metric_heading(metric), legend=True)
    for at, name in enumerate(names):
        rows = table[table["group"] == name]
        fig.add_scatter(
            x=rows["mean"],
            y=rows["title"],
            name=f"{name} (n={rows['images'].iloc[0]})",
            mode="markers",
            marker={
                "size": 9,
                "symbol": ("circle", "diamond", "square", "cross", "x")[at % 5],
                "color": _SHADES[at % 5],
            },
            error_x={"type": "data", "array": rows["high"] - rows["mean"], "arrayminus": rows["mean"] - rows["low"]},
            hovertemplate="%{y}: %{x:." + str(source.digits(metric)) + "f}<extra>" + name + "</extra>",
        )
    fig.update_yaxes(categoryorder="array", categoryarray=means.index.tolist())
    caption = (
        f"{METRICS[metric].title} of each method by {BY[by].lower()}, mean and 95 % interval over photos of each "
        "group; n counts images. "
        + ("The groups are thirds by the composite's own foreground error." if by == "difficulty" else "")
        + ("The groups are shares of the frame that the foreground covers." if by == "size" else "")
    )
    twin = table[["title", "group", "images", "mean", "low", "high"]]
    theme.chart(fig, caption.strip(), shown.file, twin, "groups_chart")


_SHADES = ("#4a90c2", "#d98c1f", "#159a80", "#b5679b", "#8a9390")

page()
