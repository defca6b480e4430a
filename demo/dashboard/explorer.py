"""Every image of a data set: where a method gains and fails most, and a way from one image to the next."""

import pandas as pd
import streamlit as st

from bench.metrics import METRICS
from bench.report.published import heading as metric_heading
from demo.dashboard import pictures, source, theme
from demo.dashboard.address import choose
from demo.dashboard.image_view import show_numbers, show_pictures
from demo.dashboard.source import Shown
from demo.dashboard.viewer import strip

STRIP = 16  # thumbnails at a time
SORTS = {
    "worst": "Worst first",
    "best": "Best first",
    "disagreement": "Methods disagree most",
    "gain": "Largest gain of the best method",
    "hardest": "Hardest composite",
    "id": "By name",
}


def page() -> None:
    theme.heading(
        "Explorer",
        "Every image with its composite, reference, target and results. Click a point or a thumbnail, or step with "
        "← and →.",
    )
    shown = source.choose_board(pictures.first_here())
    facts = source.facts_of(shown, shown.place)
    left, middle, right = st.columns(3)
    with left:
        metric = source.choose_metric(shown)
    with middle:
        telling = _most_telling(shown, metric)
        method = choose("Method", shown.methods, "method", telling, lambda name: facts.loc[name, "title"])
    with right:
        sort = choose("Order", list(SORTS), "sort", title=SORTS.get)
    table = source.per_image_of(shown, shown.place, metric)
    order = _ordered(table, method, metric, sort)
    _scatter(shown, table, method, metric, facts.loc[method, "title"])
    image = _choose_image(shown, table, order, method, metric, sort)
    show_pictures(shown, image, metric, facts)
    show_numbers(shown, image, metric, facts)


def _most_telling(shown: Shown, metric: str) -> str:
    """The best method that is not the composite itself."""
    overview = source.overview_of(shown, shown.place)
    means = overview[(overview["metric"] == metric) & (overview["method"] != "composite")].set_index("method")["mean"]
    if means.empty:
        return shown.methods[0]
    return means.idxmax() if source.better_is_higher(metric) else means.idxmin()


def _ordered(table: pd.DataFrame, method: str, metric: str, sort: str) -> list[str]:
    higher = source.better_is_higher(metric)
    column, ascending = {
        "worst": (method, higher),
        "best": (method, not higher),
        "disagreement": ("spread", False),
        "gain": ("gain", False),
        "hardest": ("composite_fmse", False),
    }.get(sort, (None, True))
    return list((table.sort_index() if column is None else table.sort_values(column, ascending=ascending)).index)


def _scatter(shown: Shown, table: pd.DataFrame, method: str, metric: str, title: str) -> None:
    against = "composite" if "composite" in table and method != "composite" else "composite_fmse"
    x_title = f"{metric_heading(metric)} of the composite" if against == "composite" else "fMSE of the composite"
    digits = f":.{source.digits(metric)}f"
    fig = theme.figure(330, x_title, f"{metric_heading(metric)}, {title}")
    fig.add_scattergl(
        x=table[against],
        y=table[method],
        customdata=table.index,
        mode="markers",
        marker={"size": 7, "color": theme.ACCENT, "opacity": 0.6},
        hovertemplate="%{customdata}<br>composite %{x" + digits + "}<br>result %{y" + digits + "}<extra></extra>",
    )
    if against == "composite":
        ends = [table[against].min(), table[against].max()]
        fig.add_scatter(x=ends, y=ends, mode="lines", line={"dash": "dot", "color": theme.QUIET}, hoverinfo="skip")
    caption = (
        f"Each point is an image: {METRICS[metric].title} of {title} against the composite's own. On the dotted line "
        f"nothing was gained; {'above' if source.better_is_higher(metric) else 'below'} it is better. A click opens "
        "the image below."
    )
    twin = table.reset_index()[["id", "photo", "subset", *dict.fromkeys([against, method]), "spread", "gain"]]
    points = theme.chart(fig, caption, shown.file, twin, "scatter", select=True)
    clicked = points[0].get("customdata") if points else None
    clicked = clicked[0] if isinstance(clicked, list) else clicked
    if clicked in table.index and clicked != st.session_state.get("scatter_seen"):
        st.session_state["image"] = clicked
    st.session_state["scatter_seen"] = clicked


def _choose_image(shown: Shown, table: pd.DataFrame, order: list[str], method: str, metric: str, sort: str) -> str:
    """The image in view: from the address, a click, a thumbnail, or a step through the order."""
    if st.session_state.get("image") not in table.index:
        asked = st.query_params.get("image")
        st.session_state["image"] = asked if asked in table.index else order[0]
    at = order.index(st.session_state["image"])
    digits = source.digits(metric)
    start = at // STRIP * STRIP
    items = [
        {"id": name, "src": small, "note": f"{table.at[name, method]:.{digits}f}"}
        for name in order[start : start + STRIP]
        if (small := pictures.thumbnail(shown.board, method, name))
    ]
    if items:
        clicked = strip(items, order[at], "strip")
        if clicked in table.index and clicked != order[at]:
            _open(clicked)
            st.rerun()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        last = len(order) - 1
        step = {"on_click": _open, "type": "secondary", "width": "content"}
        st.button("Previous", shortcut="Left", disabled=at == 0, args=(order[max(at - 1, 0)],), **step)
        st.button("Next", shortcut="Right", disabled=at == last, args=(order[min(at + 1, last)],), **step)
        label = f"Image {at + 1} of {len(order)}, {SORTS[sort].lower()}"
        return choose(label, order, "image")


def _open(image: str) -> None:
    st.session_state["image"] = image


page()
