"""A whole run in this process, so that tests are quick."""

from pathlib import Path

from bench import contenders
from bench.datasets import read_manifest
from bench.evaluate import evaluate
from bench.runner import plan, run
from bench.store import Store

TWO = ("composite", "luminance-background")


def serial(job, tasks):
    """The same work in this process, so that tests are quick."""
    for entry, methods in tasks:
        yield evaluate(job, entry, methods)


def go(folder: Path, results: Path, names=TWO, execute=serial, limit=None, shard=None, predictions=(), **options):
    whole = read_manifest(folder)
    chosen = plan(whole, limit, shard)
    who = contenders.methods(names) + [contenders.predictions(p, chosen, whole) for p in predictions]
    store = Store(results, whole.name)
    return store, run(whole, chosen, who, store, execute, **{"size": None} | options)
