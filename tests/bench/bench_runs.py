"""A whole run in this process, so that tests are quick."""

from pathlib import Path

from bench.evaluation.evaluate import evaluate
from bench.evaluation.request import RunRequest, plan
from bench.evaluation.runner import run

TWO = ("composite", "luminance-background")


def serial(context, tasks):
    """The same work in this process, so that tests are quick."""
    for entry, methods in tasks:
        yield evaluate(context, entry, methods)


def go(folder: Path, results: Path, names=TWO, execute=serial, predictions=(), size=None, **options):
    """The store of ``results`` and the summary of a run; pictures keep their size unless ``size`` is given.

    "usual" is that of the protocol and the data set.
    """
    size = None if size == "usual" else "original" if size is None else str(size)
    request = RunRequest(
        str(folder), results, methods=tuple(names), predictions=tuple(predictions), size=size, **options
    )
    found = plan(request)
    return found.store, run(found, execute)
