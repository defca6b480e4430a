"""One image of the explorer: its composite, target and results side by side, and every metric of every method on it."""

import pandas as pd
import streamlit as st

from bench.metrics import METRICS
from bench.report.boards import Board
from bench.report.dashboard_data import available
from bench.report.published import heading as metric_heading
from demo.dashboard import pictures, source, theme
from demo.dashboard.address import choose, switch
from demo.dashboard.source import Shown
from demo.dashboard.text import code, plain
from demo.dashboard.viewer import Panel, panels
from demo.outlines import outline
from iph.errors import InputError

PANELS = 6  # outputs shown at first
RESULTS = {"best": f"Best {PANELS}", "all": "All", "own": "My choice"}
SCALES = [5, 10, 20]  # ΔE00


def show_pictures(shown: Shown, image: str, metric: str, facts: pd.DataFrame) -> None:
    board = shown.board
    given, kept = _given(board, image), pictures.kept(board, shown.methods, image)
    if given is None and not kept:
        _absent(board)
        return
    rows = board.rows[board.rows["id"] == image].set_index("method")[metric]
    ranked = rows.sort_values(ascending=not source.better_is_higher(metric)).index
    answers = [name for name in ranked if given is None or name != "composite"]
    options = [name for name in answers if name in kept]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        which = choose("Results, best first", list(RESULTS), "results", title=RESULTS.get, buttons=True)
        top = choose("ΔE00 of maps up to", SCALES, "scale", SCALES[-1], buttons=True)
        maps = switch("Difference maps", "maps")
    chosen = {"best": options[:PANELS], "all": options}.get(which)
    if chosen is None:
        picked = _pick(shown, sorted(options), facts)
        chosen = [name for name in options if name in picked]
    elif which == "best":
        _say_what_is_better(answers, chosen, facts)
    results = _results(shown, image, metric, chosen, given, facts, float(top) if maps else None)
    items = [*_inputs(given), *results]
    shape = pictures.shape_of(board, image) or (1, 1)
    masks = (given.foreground, given.reference) if given else (None, None)
    foreground, reference = ("" if mask is None else outline(mask, (100, 100)) for mask in masks)
    panels(items, foreground, reference, shape[0] / shape[1], "panels")
    if len(results) < len(chosen):
        st.warning(
            f"{len(chosen) - len(results)} of {len(chosen)} kept pictures cannot be read. The benchmark makes them "
            "again with `--pictures --recompute`.",
            icon=":material/broken_image:",
        )
    _legend(board, maps, top, given is not None, pictures.packed_with_loss(board, kept[0], image) if kept else False)


def _say_what_is_better(answers: list[str], chosen: list[str], facts: pd.DataFrame) -> None:
    """The best methods on an image are not always those whose pictures were kept."""
    before = answers[: answers.index(chosen[-1])] if len(chosen) == PANELS else answers
    lost = [name for name in before if name not in chosen]
    if lost:
        places = f"places {', '.join(str(answers.index(name) + 1) for name in chosen)}" if chosen else "none"
        names = ", ".join(facts.loc[name, "title"] for name in lost)
        st.caption(
            f"Shown are the best of which a picture was kept ({places} of {len(answers)} on this image). Without one: "
            f"{plain(names)}. `python -m bench run --pictures` keeps them."
        )


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
        f"The pictures of {plain(source.data_set_title(board.dataset))} are not on this machine: its rows can be "
        "looked at, its images not. Set IPH_DATA to the folder that holds the built data set, and run the benchmark "
        "with `--pictures` to keep the outputs.",
        icon=":material/hide_image:",
    )
    other = pictures.first_here()
    if other is not None:
        st.button(
            f"Open {plain(source.data_set_title(other))}, whose pictures are here",
            on_click=lambda: st.session_state.update(dataset=other),
        )


def _given(board: Board, image: str) -> pictures.Picture | None:
    """Composite, masks and target, None where they are not here or cannot be read."""
    try:
        return pictures.inputs(board, image)
    except InputError as error:
        st.warning(
            f"{theme.sentence(error)} `python -m bench datasets` with the folder checks the whole data set.",
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


def show_numbers(shown: Shown, image: str, metric: str, facts: pd.DataFrame) -> None:
    rows = shown.board.rows[shown.board.rows["id"] == image].set_index("method")
    names = [metric, *(name for name in available(shown.board) if name != metric)]
    table = facts[["title"]].join(rows[names]).sort_values(metric, ascending=not source.better_is_higher(metric))
    first = rows.iloc[0]
    st.subheader(f"Metrics of {plain(image)}", anchor=False)
    theme.data(
        table,
        hide_index=True,
        key="image_table",
        height=38 + 35 * len(table),
        column_config={"title": st.column_config.TextColumn("Method", pinned=True)}
        | {n: st.column_config.NumberColumn(metric_heading(n), format=f"%.{source.digits(n)}f") for n in names},
        alt=f"Every metric of every method on {image}",
    )
    st.caption(
        f"Photo {plain(first['photo'])}, {plain(first['subset'] or 'no subset')}; the foreground covers "
        f"{first['foreground_share']:.1%} of the frame. One image has no interval. Source: {code(shown.file)}."
    )
