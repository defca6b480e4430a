"""Which results are shown: the folder, the data set and the protocol, chosen in the address and checked by name.

No text from the address becomes part of a path: data sets are names that a listing of the folder found.
"""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import streamlit as st

from bench.datasets.catalogue import CATALOGUE
from bench.evaluation.store import data_sets
from bench.metrics import METRICS
from bench.report.boards import Board
from bench.report.dashboard_data import available, digest, facts, open_boards, overview, per_image
from demo.dashboard import theme
from demo.dashboard.address import choose
from iph.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
FAVOURITES = ("fmse", "psnr")  # the metric shown first, where it is there


@dataclass(frozen=True)
class Shown:
    """A board with the name of its content. ``place`` is what keys of prepared tables begin with."""

    board: Board
    digest: str

    @cached_property
    def methods(self) -> list[str]:
        return self.board.methods

    @property
    def place(self) -> tuple[str, ...]:
        return (self.digest, self.board.dataset, self.board.protocol, self.board.size)

    @property
    def file(self) -> str:
        """The file that every number of this board was read from, for captions."""
        return f"{results_folder().name}/{self.board.dataset}/rows.parquet (content {self.digest})"


def results_folder() -> Path:
    return Path(os.environ.get("IPH_RESULTS") or ROOT / "results")


def data_set_names() -> list[str]:
    """Data sets with results, those that ship last; stops the page with a way forward where there are none."""
    try:
        names = data_sets(results_folder())
    except InputError as error:
        _stop(str(error), "`python -m bench run --dataset sample --methods classical` measures the sample in a minute.")
    return sorted(names, key=lambda name: (name == "sample", list(CATALOGUE).index(name) if name in CATALOGUE else 99))


def choose_board(start: str | None = None, key: str = "dataset") -> Shown:
    """The selectors of data set and protocol, side by side, and the board they name; ``start`` is the default."""
    left, right = st.columns(2)
    names = data_set_names()
    default = start if start in names else names[0]
    before = st.session_state.get(f"{key}_start", default)
    if before != default and st.session_state.get(key) == before:  # another page's default, that nobody chose
        st.session_state[key] = default
    st.session_state[f"{key}_start"] = default
    with left:
        name = choose("Data set", names, key, default, data_set_title)
    try:
        found = boards_of(name)
    except InputError as error:
        again = f"`python -m bench run --dataset {name}` measures it again; a damaged file has to be removed first."
        _stop(str(error), again + (" The other data sets can still be chosen above." if len(names) > 1 else ""))
    options = {f"{protocol}-{size}": key for key in found for protocol, size in [key]}
    with right:
        protocol = "protocol" if key == "dataset" else f"{key}_protocol"
        chosen = choose("Protocol and size", list(options), protocol, title=lambda name: _protocol(*options[name]))
    return found[options[chosen]]


def boards_of(name: str) -> dict[tuple[str, str], Shown]:
    """Every board of a data set. Raises InputError where its files are damaged or empty."""
    return _boards(str(results_folder()), name, digest(results_folder(), name))


@st.cache_resource(max_entries=16, show_spinner=False)
def _boards(folder: str, name: str, content: str) -> dict[tuple[str, str], Shown]:
    return {key: Shown(board, content) for key, board in open_boards(folder, name).items()}


def choose_metric(shown: Shown) -> str:
    """The selector of the metric."""
    names = available(shown.board)
    if not names:
        _stop("No metric has a value in every row of this board.", "Run the benchmark again with `--recompute`.")
    start = next((name for name in FAVOURITES if name in names), names[0])
    return choose("Metric", names, "metric", start, metric_title)


@st.cache_resource(max_entries=32, show_spinner=False)
def overview_of(_shown: Shown, place: tuple[str, ...]) -> pd.DataFrame:
    return overview(_shown.board)


@st.cache_resource(max_entries=32, show_spinner=False)
def facts_of(_shown: Shown, place: tuple[str, ...]) -> pd.DataFrame:
    return facts(_shown.board).set_index("method")


@st.cache_resource(max_entries=64, show_spinner=False)
def per_image_of(_shown: Shown, place: tuple[str, ...], metric: str) -> pd.DataFrame:
    return per_image(_shown.board, metric)


def metric_title(name: str) -> str:
    """``PSNR ↑ (dB, frame)``."""
    metric = METRICS[name]
    return f"{metric.heading} ({metric.unit}, {metric.region})"


def better_is_higher(metric: str) -> bool:
    return METRICS[metric].higher_is_better


def digits(metric: str) -> int:
    return METRICS[metric].digits


def data_set_title(name: str) -> str:
    return CATALOGUE[name].title if name in CATALOGUE else name


def _protocol(protocol: str, size: str) -> str:
    return f"{protocol}, {'original size' if size == 'original' else f'{size} × {size}'}"


def _stop(problem: str, forward: str) -> None:
    st.warning(f"{theme.sentence(problem)}\n\n{forward}", icon=":material/info:")
    st.stop()
