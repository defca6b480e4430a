"""One picture under one method: the answer, its metrics, and what it cost. The same code runs on every machine.

A row is a flat dict; ``store.py`` names its columns.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from bench.datasets.manifest import Entry
from bench.datasets.pictures import Picture, load
from bench.evaluation.entrants import Entrant, MethodRun, PredictionRun
from bench.evaluation.memory import peak_bytes, reset_peak
from bench.metrics import PROTOCOLS, score_all
from iph.data.pictures import write_picture
from iph.errors import InputError

QUALITY = 90  # of outputs that are kept as JPEG
SINGLE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""The environment that a process which measures must be started in."""
Row = dict[str, str | int | float]


@dataclass(frozen=True)
class RunContext:
    """What all rows of a run share. ``size`` is a square's side, None for each picture's own size.

    kept: the entrants, by name, whose outputs are kept below ``pictures``.
    """

    dataset: str
    dataset_hash: str
    protocol: str
    size: int | None
    code: str
    pictures: Path | None = None
    kept: frozenset[str] = frozenset()

    def rows(self, entrant: Entrant) -> dict[str, str]:
        """What tells the entrant's rows of this run from all other rows of its."""
        board = {"dataset_hash": self.dataset_hash, "protocol": self.protocol, "size": self.size_name}
        return board | {"weights_hash": entrant.weights_hash}

    @property
    def size_name(self) -> str:
        """The size as rows have it."""
        return "original" if self.size is None else str(self.size)

    def picture(self, entry: Entry, entrant: Entrant) -> Path:
        """Where an output is kept: in the composite's own file type, so lossless sets stay lossless."""
        return self.pictures / entrant.name / f"{entry.id}{entry.composite.suffix.lower()}"


@dataclass(frozen=True)
class Outcome:
    """The rows of one image, and a sentence for every method that failed on it."""

    rows: list[Row]
    failures: list[tuple[str, str, str]]  # id, method ("" where the image itself is bad), sentence


def prepare_process() -> None:
    """One thread a process, as ``SINGLE_THREAD`` is for all other libraries: processes are what runs side by side."""
    cv2.setNumThreads(1)


def evaluate(context: RunContext, entry: Entry, entrants: Iterable[Entrant]) -> Outcome:
    """Rows of ``entry`` for every entrant. Nothing raises: what went wrong is a sentence in the outcome."""
    try:
        picture = load(entry, context.size, context.protocol)
        if picture.target is None:
            raise InputError(f"expected a target for {entry.id}, found none; without one nothing can be measured")
        shared = _shared(context, entry, picture)
    except InputError as error:
        return Outcome([], [(entry.id, "", str(error))])
    rows, failures = [], []
    for entrant in entrants:
        try:
            rows.append(shared | _measure(context, entry, picture, entrant))
        except (Exception, SystemExit) as error:  # any method may fail in its own way; the others go on
            sentence = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            failures.append((entry.id, entrant.name, sentence))
    return Outcome(rows, failures)


def _shared(context: RunContext, entry: Entry, picture: Picture) -> Row:
    """The columns that do not depend on the method. The composite's own error says how difficult the image is."""
    change = picture.composite[picture.foreground].astype(np.float64) - picture.target[picture.foreground]
    return {
        "dataset": context.dataset,
        "dataset_hash": context.dataset_hash,
        "id": entry.id,
        "photo": entry.photo,
        "subset": entry.subset,
        "protocol": context.protocol,
        "size": context.size_name,
        "code": context.code,
        "width": picture.composite.shape[1],
        "height": picture.composite.shape[0],
        "foreground_share": float(_scored(picture).mean()),
        "composite_fmse": float(np.mean(change**2)),
    }


def _measure(context: RunContext, entry: Entry, picture: Picture, entrant: Entrant) -> Row:
    run = _opened(entrant, context.protocol)
    if isinstance(run, InputError):
        raise run
    reset_peak()
    start = time.perf_counter()
    output = run(entry, picture)
    seconds = time.perf_counter() - start
    peak = peak_bytes() / 2**20
    if output.shape != picture.target.shape:
        wanted, got = picture.target.shape, output.shape
        raise InputError(f"expected an output of {wanted[1]}x{wanted[0]} pixels, but got {got[1]}x{got[0]}")
    if entrant.name in context.kept:
        kept = context.picture(entry, entrant)
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_picture(kept, output, QUALITY)
    return {
        "method": entrant.name,
        "weights_hash": entrant.weights_hash,
        "seconds": seconds if entrant.folder is None else float("nan"),
        "peak_mb": peak if entrant.folder is None else float("nan"),
        "computed": datetime.now(UTC).isoformat(timespec="seconds"),
        **score_all(output, picture.target, _scored(picture), context.protocol),
    }


def _scored(picture: Picture) -> np.ndarray:
    """The foreground as it is scored, (H, W) bool or in [0, 1]."""
    return picture.foreground if picture.weights is None else picture.weights


@lru_cache(maxsize=64)
def _opened(entrant: Entrant, protocol: str) -> MethodRun | PredictionRun | InputError:
    """What answers for the entrant, or why nothing does: bad weights are read once and not for every image."""
    try:
        return entrant.open(PROTOCOLS[protocol])
    except InputError as error:
        return error
