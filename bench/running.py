"""What ``run`` does on a terminal, whichever engine runs it: sentences for mistakes, a bar, a summary, an exit code."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
from tqdm import tqdm

from bench.datasets.catalogue import CATALOGUE, open_dataset
from bench.errors import InputError, unknown
from bench.evaluation import entrants
from bench.evaluation.runner import Execute, plan, run
from bench.evaluation.store import Store
from bench.metrics import PROTOCOLS
from bench.report.render import gathered

FEW = 10  # failures that are printed


@contextmanager
def sentences() -> Iterator[None]:
    """What a person did wrong is one sentence and exit code 2, never a traceback."""
    try:
        yield
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


def progress(items: Iterable, total: int) -> Iterable:
    """A bar on a terminal's error stream; quiet where nobody looks."""
    return tqdm(items, total=total, unit="image", disable=not sys.stderr.isatty())


def run_and_report(
    dataset: str,
    root: Path | None,
    methods: Sequence[str],
    predictions: Sequence[str],
    out: Path,
    protocol: str,
    size: str | None,
    execute: Execute,
    limit: int | None = None,
    shard: str | None = None,
    recompute: bool = False,
    keep_pictures: bool = False,
) -> None:
    """What ``run`` does, on whatever ``execute`` runs on. Exits 1 where an image or method failed, 130 after Ctrl-C."""
    if protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS)
    whole = open_dataset(dataset, root).of_split("test")
    chosen = plan(whole, limit, shard)
    names = [name for given in methods for name in given.split(",") if name not in ("", "none")]
    who = entrants.methods(names) + [entrants.predictions(given, chosen, whole) for given in predictions]
    if not who:
        raise InputError("expected at least one method or one --predictions name=DIR, got none")
    for line in gathered({contender.name: contender.missing for contender in who if contender.missing}):
        typer.echo(line, err=True)
    side = _side(size, usual_side(whole.name, protocol))
    store = Store(out, whole.name)
    summary = run(whole, chosen, who, store, execute, protocol, side, recompute, keep_pictures, progress)
    typer.echo(f"{store.folder}: {summary.computed} rows computed, {summary.present} were there")
    _report_failures(summary.failures)
    if summary.stopped:
        typer.echo("stopped: all finished rows are kept, and the same command goes on", err=True)
        raise typer.Exit(130)
    if summary.failures:
        raise typer.Exit(1)


def usual_side(dataset: str, protocol: str) -> int | None:
    """Side in pixels at which ``dataset`` is measured where nobody asks for another; None for its own size."""
    return PROTOCOLS[protocol].size or (CATALOGUE[dataset].size if dataset in CATALOGUE else 256)


def _side(size: str | None, default: int | None) -> int | None:
    if size is None:
        return default
    if size == "original":
        return None
    if not size.isdigit() or int(size) < 16:
        raise InputError(f"expected a size in pixels from 16, or 'original', but got {size!r}")
    return int(size)


def _report_failures(failures: Sequence[tuple[str, str, str]]) -> None:
    """One line a method and sentence, with how many images it hit."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for image, method, sentence in failures:
        grouped.setdefault((method, sentence), []).append(image)
    for (method, sentence), images in list(grouped.items())[:FEW]:
        where = images[0] if len(images) == 1 else f"{images[0]} and {len(images) - 1} more"
        typer.echo(f"failed: {f'{method} on ' if method else ''}{where}: {sentence}", err=True)
    if len(grouped) > FEW:
        typer.echo(f"and {len(grouped) - FEW} more kinds of failure", err=True)
