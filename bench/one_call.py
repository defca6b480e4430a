"""``bench.evaluate(harmonize)``: a method of one's own against the benchmark in one call, as a table.

The rows are those of ``python -m bench run``: the same plan, the same scoring, the same statistics.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from tqdm.auto import tqdm

from bench.evaluation import runner
from bench.evaluation.evaluate import Outcome, RunContext
from bench.evaluation.evaluate import evaluate as measure
from bench.evaluation.request import RunRequest, plan
from bench.methods import METHODS
from bench.methods.registry import Harmonize
from bench.metrics import METRICS
from bench.report.boards import TABLE_1, Board, boards, scores
from bench.report.look import Look
from bench.report.render import render
from bench.report.tables import measured
from iph.errors import InputError, unknown

BASELINE = "composite"  # what every method is compared with: the input, unchanged


@dataclass(frozen=True)
class Evaluation:
    """What was measured. Printed, or at the end of a notebook's cell, it is the board's table with its notes."""

    board: Board
    metrics: tuple[str, ...]

    @property
    def rows(self) -> pd.DataFrame:
        """One row an image and method, with the columns of a results folder (bench/README.md)."""
        return self.board.rows

    @property
    def table(self) -> pd.DataFrame:
        """One row a method, the best first, by its name: ``title``, ``rank``, the mean of every metric, and of the
        first metric the 95 % interval (``low``, ``high``), ``difference`` to the best with ``p``, ``wins`` and ``n``.
        """
        found = scores(self.board, self.metrics)
        means = found.pivot(index="method", columns="metric", values="mean")[list(self.metrics)]
        first = found[found["metric"] == self.metrics[0]].set_index("method")
        order = first.assign(loss=first["difference"].abs()).sort_values(["rank", "loss"]).index
        rest = ["low", "high", "difference", "p", "wins", "n"]
        table = means.join(first[["rank", *rest]]).loc[order]
        titles = [self.board.about(name)["title"] for name in order]
        return table.assign(title=titles)[["title", "rank", *self.metrics, *rest]]

    def __str__(self) -> str:
        return render(measured(self.board, self.metrics, Look(missing=False)), "text")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return render(measured(self.board, self.metrics, Look(missing=False)), "html")


def evaluate(
    method: Harmonize | str | os.PathLike,
    dataset: str | os.PathLike = "sample",
    protocol: str = "strict",
    *,
    root: str | os.PathLike | None = None,
    size: int | str | None = None,
    limit: int | None = None,
    metrics: Sequence[str] = TABLE_1,
    name: str | None = None,
    results: str | os.PathLike | None = None,
    execute: runner.Execute | None = None,
) -> Evaluation:
    """Measure ``method`` and the direct composite on a data set.

    method: a function ``(composite (H, W, 3) uint8, foreground (H, W) bool, reference (H, W) bool or None)`` to
    (H, W, 3) uint8; a folder of finished pictures, nested or flat, named by id as other tools write them; a Python file
    that defines ``harmonize``; or the name of a method of this benchmark. dataset: a name of ``python -m bench
    datasets`` (below ``root`` where it does not ship), or a folder. size: pixels a side, "original", or None for what
    protocol and data set say. limit: only the first images. name: what the table calls it. results: a folder that keeps
    rows, and whose other methods then stand beside; without it nothing is written. execute: on which processors;
    ``method`` stays in this process unless it is told.

    Raises InputError for wrong arguments, and where the method fails on an image: a mean over the others would flatter.
    """
    for metric in metrics:  # before anything is measured
        if metric not in METRICS:
            raise unknown("metric", metric, METRICS)
        if lacking := METRICS[metric].missing():
            raise InputError(f"{metric}: {lacking}")
    called = name or _name_of(method)
    with _kept(results) as out:
        request = RunRequest(
            str(dataset),
            out,
            root=None if root is None else Path(root),
            protocol=protocol,
            size=None if size is None else str(size),
            limit=limit,
            **_asked(method, called),
        )
        found = plan(request)
        for entrant, reason in found.missing.items():
            raise InputError(f"{entrant}: {reason}")
        summary = runner.run(found, execute or _here, _bar)
        if summary.stopped:
            raise KeyboardInterrupt
        if summary.failures:
            wanted = len(found.chosen.entries)
            raise InputError(f"expected an answer for each of {wanted} images, but {summary.what_failed()}")
        side = "original" if found.size is None else str(found.size)
        (board,) = boards(out, protocol, side, found.whole.name)
    return Evaluation(board, tuple(metrics))


def _asked(method: Harmonize | str | os.PathLike, name: str) -> dict:
    """``method`` in the words of a request."""
    if callable(method):
        return {"methods": (BASELINE,), "functions": ((name, method),)}
    if Path(method).is_dir():
        return {"methods": (BASELINE,), "predictions": (f"{name}={method}",)}
    own = [f"{name}={method}"] if str(method).endswith(".py") else [str(method)]
    if own[0] not in METHODS and not str(method).endswith(".py") and os.sep in str(method):
        raise InputError(f"expected a function, a folder of pictures, a .py file or a method's name, but got {method}")
    return {"methods": tuple(dict.fromkeys([BASELINE, *own]))}


def _name_of(method: Harmonize | str | os.PathLike) -> str:
    """A row's name: a function's own, a file's, a folder's."""
    if callable(method):
        given = getattr(method, "__name__", type(method).__name__)
    else:
        given = Path(os.path.abspath(method)).stem
    return re.sub(r"[^\w.+-]+", "-", given).strip("-.") or "method"


@contextmanager
def _kept(results: str | os.PathLike | None) -> Iterator[Path]:
    if results is not None:
        yield Path(results)
        return
    with TemporaryDirectory() as folder:
        yield Path(folder)


def _here(context: RunContext, tasks: Iterable[runner.Task]) -> Iterator[Outcome]:
    """In this process: a function cannot be sent to another one, and a plain script cannot be started twice."""
    for entry, who in tasks:
        yield measure(context, entry, who)


def _bar(outcomes: Iterable[Outcome], total: int) -> Iterable[Outcome]:
    """A bar in a notebook or on a terminal; quiet elsewhere."""
    return tqdm(outcomes, total=total, unit="image", disable=None)
