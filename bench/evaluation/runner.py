"""Evaluates every method on every image of a data set, over processes, and picks up where an earlier run stopped."""

import hashlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from itertools import islice, takewhile
from multiprocessing import connection
from pathlib import Path

from filelock import FileLock

from bench.datasets.catalogue import CATALOGUE
from bench.datasets.check import require_complete
from bench.datasets.manifest import Dataset, Entry
from bench.evaluation.entrants import Entrant
from bench.evaluation.evaluate import SINGLE_THREAD, Outcome, RunContext, evaluate, prepare_process
from bench.evaluation.interruption import interruptible
from bench.evaluation.kept_pictures import keep_for, rows_shown
from bench.evaluation.request import RunPlan
from bench.evaluation.store import SUBMITTED, Part
from bench.metrics import PROTOCOLS
from iph.errors import InputError

Task = tuple[Entry, tuple[Entrant, ...]]
Execute = Callable[[RunContext, Iterable[Task]], Iterator[Outcome]]
"""Takes a task whenever it can begin one, and no sooner: a run that is stopped offers no more of them."""
ROOT = Path(__file__).resolve().parents[2]
DECISIVE = (  # source that decides a row
    "bench/datasets/pictures.py",
    "bench/evaluation/evaluate.py",
    *("bench/methods/*.py", "bench/metrics/*.py", "bench/networks/*.py"),
    *("iph/*.py", "iph/images/*.py", "iph/masks/forms.py"),
)


@dataclass
class Summary:
    """What a run did. ``stopped`` is true where a person stopped it."""

    computed: int = 0
    present: int = 0
    failures: list[tuple[str, str, str]] = field(default_factory=list)
    stopped: bool = False

    def what_failed(self) -> str:
        """How many failures there are and the first of them, for the end of a sentence."""
        image, method, sentence = self.failures[0]
        return f"{len(self.failures)} failed, the first{f' of {method}' if method else ''} on {image}: {sentence}"


def run(
    plan: RunPlan,
    execute: Execute,
    progress: Callable[[Iterable[Outcome], int], Iterable[Outcome]] = lambda outcomes, total: outcomes,
) -> Summary:
    """Measure what ``plan`` says where rows are missing; ``execute`` says on which processors.

    Raises InputError before any work where files are missing or damaged. Pictures that were kept of rows of this board
    are made anew with their rows; where the request keeps pictures all are, and what is kept of other rows goes.
    """
    require_complete(plan.chosen.entries, plan.whole.root)
    request, store = plan.request, plan.store
    context = RunContext(
        dataset=plan.whole.name,
        dataset_hash=plan.whole.content_hash(),
        protocol=request.protocol,
        size=plan.size,
        code=code_version(),
        pictures=store.folder.resolve() / "pictures",
    )
    ready = [entrant for entrant in plan.entrants if entrant.missing is None]
    before = store.merge()
    store.write_meta(_meta(store.read_meta(), context, plan))
    with FileLock(store.folder / ".lock"):  # shards may begin at the same time
        context = replace(context, kept=_make_room(context, ready, request.keep_pictures))
    known = before.iloc[:0] if request.recompute else before[before["code"] != SUBMITTED]
    tasks = _missing(context, plan.chosen, ready, known, request.keep_pictures)
    wanted = len(plan.chosen.entries) * len(ready)
    summary = Summary(present=wanted - sum(len(entrants) for _, entrants in tasks))
    with Part(store) as part, interruptible() as stopped:
        offered = takewhile(lambda _: not stopped(), tasks)
        for outcome in progress(execute(context, offered), len(tasks)):
            part.add(outcome.rows)
            summary.computed += len(outcome.rows)
            summary.failures += outcome.failures
        summary.stopped = stopped()
    store.merge()
    return summary


def _make_room(context: RunContext, ready: Sequence[Entrant], wanted: bool) -> frozenset[str]:
    """Names of those whose outputs are kept, their folders free of pictures of other rows.

    Not ``wanted``: those whose pictures of this board are there, which would show other rows after this run.
    """
    kept = set()
    for entrant in ready:
        folder, rows = context.pictures / entrant.name, context.rows(entrant)
        shown = rows_shown(folder)
        if wanted or (shown and shown | {"weights_hash": entrant.weights_hash} == rows):
            keep_for(folder, rows)
            kept.add(entrant.name)
    return frozenset(kept)


def _missing(context: RunContext, chosen: Dataset, ready: Sequence[Entrant], before, with_picture: bool) -> list[Task]:
    """One task an image, with the methods that have no row of these weights yet, or no picture where one is wanted."""
    board = (before["protocol"] == context.protocol) & (before["size"] == context.size_name)
    same = before[(before["dataset_hash"] == context.dataset_hash) & board]
    done = set(zip(same["id"], same["method"], same["weights_hash"], strict=True))

    def lacks(entry: Entry, entrant: Entrant) -> bool:
        without_row = (entry.id, entrant.name, entrant.weights_hash) not in done
        return without_row or (with_picture and not context.picture(entry, entrant).exists())

    tasks = [(entry, tuple(entrant for entrant in ready if lacks(entry, entrant))) for entry in chosen.entries]
    return [(entry, lacking) for entry, lacking in tasks if lacking]


def _meta(before: dict, context: RunContext, plan: RunPlan) -> dict:
    """``meta.json``: what the rows are about. Methods of earlier runs stay in it."""
    whole = plan.whole
    source = CATALOGUE.get(whole.name)
    return {
        "dataset": whole.name,
        "title": source.title if source else whole.name,
        "dataset_hash": context.dataset_hash,
        "images": len(whole.entries),
        "photos": len({entry.photo for entry in whole.entries}),
        "counterpart": source.counterpart if source else None,
        "protocols": {context.protocol: PROTOCOLS[context.protocol].source} | before.get("protocols", {}),
        "code": context.code,
        "methods": before.get("methods", {}) | {entrant.name: entrant.facts() for entrant in plan.entrants},
    }


def code_version() -> str:
    """The package's version and 12 hex digits over the source that decides a row."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in DECISIVE for path in ROOT.glob(pattern)):
        digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    try:
        release = version("interactive-portrait-harmonization")
    except PackageNotFoundError:
        release = "source"
    return f"{release}+{digest.hexdigest()[:12]}"


def local(workers: int) -> Execute:
    """Run on ``workers`` processes of this machine; a single one is a process of its own too, so a crash is caught."""

    def execute(context: RunContext, tasks: Iterable[Task]) -> Iterator[Outcome]:
        spawned = multiprocessing.get_context("spawn")
        with _single_threads(), ProcessPoolExecutor(workers, spawned, initializer=_start_worker) as pool:
            running: set[Future[Outcome]] = set()
            coming = iter(tasks)
            try:
                while True:
                    free = workers - len(running)
                    running |= {pool.submit(evaluate, context, entry, who) for entry, who in islice(coming, free)}
                    if not running:
                        return
                    ended, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in ended)
            except BrokenProcessPool:
                raise InputError(
                    "expected the workers to live, but one was killed, perhaps for want of memory; all finished rows "
                    "are kept, and the same command with --workers 1 goes on"
                ) from None
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    return execute


def _start_worker() -> None:
    """Set a worker up; it leaves Ctrl-C to its parent and ends with it, however the parent ends."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare_process()


def _end_with_parent() -> None:
    connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


@contextmanager
def _single_threads() -> Iterator[None]:
    """Children read these when they start, before any code of ours runs in them."""
    before = {name: os.environ.get(name) for name in SINGLE_THREAD}
    os.environ.update(SINGLE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
