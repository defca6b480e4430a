"""One image at a time: what went in, what should come out, what every method made of it, and where it fails most."""

import pandas as pd
import streamlit as st

from bench.board import available
from bench.errors import InputError
from bench.metrics import METRICS
from bench.report import Board
from bench.tables import heading as metric_heading
from demo.board import look, pictures, source
from demo.board.address import choose, switch
from demo.board.source import Shown
from demo.board.viewer import Panel, panels, strip

STRIP = 16  # thumbnails at a time
PANELS = 6  # outputs shown at first
RESULTS = {"best": f"Best {PANELS}", "all": "All", "own": "My choice"}
SCALES = [5, 10, 20]  # ΔE00
SORTS = {
    "worst": "Worst first",
    "best": "Best first",
    "disagreement": "Methods disagree most",
    "gain": "Largest gain of the best method",
    "hardest": "Hardest composite",
    "id": "By name",
}


def page() -> None:
    look.heading(
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
    _pictures(shown, image, metric, facts)
    _numbers(shown, image, metric, facts)


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
    fig = look.figure(330, x_title, f"{metric_heading(metric)}, {title}")
    fig.add_scattergl(
        x=table[against],
        y=table[method],
        customdata=table.index,
        mode="markers",
        marker={"size": 7, "color": look.ACCENT, "opacity": 0.6},
        hovertemplate="%{customdata}<br>composite %{x" + digits + "}<br>result %{y" + digits + "}<extra></extra>",
    )
    if against == "composite":
        ends = [table[against].min(), table[against].max()]
        fig.add_scatter(x=ends, y=ends, mode="lines", line={"dash": "dot", "color": look.QUIET}, hoverinfo="skip")
    caption = (
        f"Each point is an image: {METRICS[metric].title} of {title} against the composite's own. On the dotted line "
        f"nothing was gained; {'above' if source.better_is_higher(metric) else 'below'} it is better. A click opens "
        "the image below."
    )
    twin = table.reset_index()[["id", "photo", "subset", *dict.fromkeys([against, method]), "spread", "gain"]]
    points = look.chart(fig, caption, shown.file, twin, "scatter", select=True)
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


def _pictures(shown: Shown, image: str, metric: str, facts: pd.DataFrame) -> None:
    board = shown.board
    given, kept = _given(board, image), pictures.kept(board, shown.methods, image)
    if given is None and not kept:
        _absent(board)
        return
    rows = board.rows[board.rows["id"] == image].set_index("method")[metric]
    ranked = rows.sort_values(ascending=not source.better_is_higher(metric)).index
    options = [name for name in ranked if name in kept and (given is None or name != "composite")]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        which = choose("Results, best first", list(RESULTS), "results", title=RESULTS.get, buttons=True)
        top = choose("ΔE00 of maps up to", SCALES, "scale", SCALES[-1], buttons=True)
        maps = switch("Difference maps", "maps")
    chosen = {"best": options[:PANELS], "all": options}.get(which)
    if chosen is None:
        picked = _pick(shown, sorted(options), facts)
        chosen = [name for name in options if name in picked]
    results = _results(shown, image, metric, chosen, given, facts, float(top) if maps else None)
    items = [*_inputs(given), *results]
    shape = pictures.shape_of(board, image) or (1, 1)
    foreground, reference = (
        (pictures.outline(given.foreground), pictures.outline(given.reference)) if given else ("", "")
    )
    panels(items, foreground, reference, shape[0] / shape[1], "panels")
    if len(results) < len(chosen):
        st.warning(
            f"{len(chosen) - len(results)} of {len(chosen)} kept pictures cannot be read. The benchmark makes them "
            "again with `--pictures --recompute`.",
            icon=":material/broken_image:",
        )
    _legend(board, maps, top, given is not None, pictures.packed_with_loss(board, kept[0], image) if kept else False)


def _pick(shown: Shown, options: list[str], facts: pd.DataFrame) -> list[str]:
    """Methods picked by hand; the choice stays from image to image."""
    return st.multiselect(
        "Methods",
        options,
        default=[name for name in options if facts.loc[name, "kind"] == "interactive"] or options[:2],
        format_func=lambda name: facts.loc[name, "title"],
        key=f"own_{shown.board.dataset}",
        persist_state="session",
        wrap=True,
    )


def _absent(board: Board) -> None:
    st.info(
        f"The pictures of {source.data_set_title(board.dataset)} are not on this machine: its rows can be looked at, "
        "its images not. Set IPH_DATA to the folder that holds the built data set, and run the benchmark with "
        "`--pictures` to keep the outputs.",
        icon=":material/hide_image:",
    )
    other = pictures.first_here()
    if other is not None:
        st.button(
            f"Open {source.data_set_title(other)}, whose pictures are here",
            on_click=lambda: st.session_state.update(dataset=other),
        )


def _given(board: Board, image: str) -> pictures.Picture | None:
    """Composite, masks and target, None where they are not here or cannot be read."""
    try:
        return pictures.inputs(board, image)
    except InputError as error:
        st.warning(
            f"{look.sentence(error)} `python -m bench datasets` with the folder checks the whole data set.",
            icon=":material/broken_image:",
        )
        return None


def _inputs(given: pictures.Picture | None) -> list[Panel]:
    if given is None:
        return []
    found = [
        Panel("Composite", "what every method is given", pictures.png_source(given.composite), "the composite", True)
    ]
    if given.target is not None:
        found.append(Panel("Target", "the real photo", pictures.png_source(given.target), "the real photo"))
    return found


def _results(
    shown: Shown,
    image: str,
    metric: str,
    chosen: list[str],
    given: pictures.Picture | None,
    facts: pd.DataFrame,
    top: float | None,
) -> list[Panel]:
    values = shown.board.rows[shown.board.rows["id"] == image].set_index("method")[metric]
    found = []
    for name in chosen:
        title = facts.loc[name, "title"]
        note = f"{METRICS[metric].title} {values[name]:.{source.digits(metric)}f}"
        src = pictures.output_source(shown.board, name, image)
        if src is None:
            continue
        if top is not None and given is not None and given.target is not None:
            drawn = pictures.difference_source(pictures.output(shown.board, name, image), given.target, top)
            src, note = (drawn, f"ΔE00 to the target, {note}") if drawn else (src, f"{note}; of another size")
        found.append(Panel(title, note, src, f"{title} on {image}"))
    return found


def _legend(board: Board, maps: bool, top: float, outlined: bool, lossy: bool) -> None:
    words = "On the composite: foreground in solid orange, reference in dashed blue. " if outlined else ""
    if maps:
        words += f"Difference maps: ΔE00 to the target from 0 (black) over red to {top} and more (pale yellow). "
    if maps and lossy:
        words += "Outputs were kept as JPEG, whose packing adds a little to the maps but nothing to the metrics. "
    if board.size != "original":
        words += f"Pictures were measured at {board.size} × {board.size} and are shown in the photo's proportions. "
    st.caption(words + "Double click, pinch or Ctrl + wheel zooms all pictures together; drag moves them.")


def _numbers(shown: Shown, image: str, metric: str, facts: pd.DataFrame) -> None:
    rows = shown.board.rows[shown.board.rows["id"] == image].set_index("method")
    names = [metric, *(name for name in available(shown.board) if name != metric)]
    table = facts[["title"]].join(rows[names]).sort_values(metric, ascending=not source.better_is_higher(metric))
    first = rows.iloc[0]
    st.subheader(f"Metrics of {image}", anchor=False)
    st.dataframe(
        table,
        hide_index=True,
        key="image_table",
        height=38 + 35 * len(table),
        column_config={"title": st.column_config.TextColumn("Method", pinned=True)}
        | {n: st.column_config.NumberColumn(metric_heading(n), format=f"%.{source.digits(n)}f") for n in names},
        alt=f"Every metric of every method on {image}",
    )
    st.caption(
        f"Photo {first['photo']}, {first['subset'] or 'no subset'}; the foreground covers "
        f"{first['foreground_share']:.1%} of the frame. One image has no interval. Source: `{shown.file}`."
    )


page()
