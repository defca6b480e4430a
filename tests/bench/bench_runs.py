"""A whole run in this process, so that tests are quick."""

from pathlib import Path

from bench.datasets import read_manifest
from bench.evaluation import entrants
from bench.evaluation.evaluate import evaluate
from bench.evaluation.runner import plan, run
from bench.evaluation.store import Store

TWO = ("composite", "luminance-background")


def serial(job, tasks):
    """The same work in this process, so that tests are quick."""
    for entry, methods in tasks:
        yield evaluate(job, entry, methods)


def go(folder: Path, results: Path, names=TWO, execute=serial, limit=None, shard=None, predictions=(), **options):
    whole = read_manifest(folder)
    chosen = plan(whole, limit, shard)
    who = entrants.methods(names) + [entrants.predictions(p, chosen, whole) for p in predictions]
    store = Store(results, whole.name)
    return store, run(whole, chosen, who, store, execute, **{"size": None} | options)
