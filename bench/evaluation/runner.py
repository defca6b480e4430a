"""Evaluates every method on every image of a data set, over processes, and picks up where an earlier run stopped."""

import hashlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import connection
from pathlib import Path

from filelock import FileLock

from bench.datasets.catalogue import CATALOGUE
from bench.datasets.check import require_complete
from bench.datasets.manifest import Dataset, Entry
from bench.errors import InputError
from bench.evaluation.entrants import Contender, check_names
from bench.evaluation.evaluate import SINGLE_THREAD, Job, Outcome, evaluate, prepare_process
from bench.evaluation.kept_pictures import keep_for, rows_shown
from bench.evaluation.store import Part, Store
from bench.metrics import PROTOCOLS

Task = tuple[Entry, tuple[Contender, ...]]
Execute = Callable[[Job, Sequence[Task]], Iterator[Outcome]]
ROOT = Path(__file__).resolve().parents[2]
DECISIVE = (
    *(
        "bench/methods/*.py",
        "bench/metrics/*.py",
        "bench/networks/*.py",
        "iph/masks/forms.py",
        "bench/evaluation/evaluate.py",
    ),
    *("bench/datasets/pictures.py", "iph/*.py", "iph/masks/forms.py", "iph/data/pictures.py"),
)


@dataclass
class Summary:
    """What a run did. ``stopped`` is true where a person stopped it."""

    computed: int = 0
    present: int = 0
    failures: list[tuple[str, str, str]] = field(default_factory=list)
    stopped: bool = False


def plan(dataset: Dataset, limit: int | None = None, shard: str | None = None) -> Dataset:
    """The first ``limit`` images, then every n-th of them for shard ``i/n`` (1/n to n/n)."""
    entries = dataset.entries[:limit]
    if shard is not None:
        number, _, count = shard.partition("/")
        if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
            raise InputError(f"expected a shard as i/n with i from 1 to n, like 2/4, but got {shard!r}")
        entries = entries[int(number) - 1 :: int(count)]
    if not entries:
        raise InputError(f"expected at least one image, but the limit or shard leaves none of {len(dataset.entries)}")
    return Dataset(dataset.name, dataset.root, entries)


def run(
    whole: Dataset,
    chosen: Dataset,
    contenders: Sequence[Contender],
    store: Store,
    execute: Execute,
    protocol: str = "strict",
    size: int | None = 256,
    recompute: bool = False,
    keep_pictures: bool = False,
    progress: Callable[[Iterable[Outcome], int], Iterable[Outcome]] = lambda outcomes, total: outcomes,
) -> Summary:
    """Measure the ``contenders`` on ``chosen`` where rows are missing; ``execute`` says on which processors.

    ``whole`` is the data set that ``chosen`` was taken from: its hash marks the rows. Raises InputError before any
    work where files are missing or damaged, or names do not tell the contenders apart. Pictures that were kept of rows
    of this board are made anew with their rows; ``keep_pictures`` keeps all, and what is kept of other rows goes.
    """
    check_names(contenders)
    require_complete(chosen.entries, whole.root)
    job = Job(
        dataset=whole.name,
        dataset_hash=whole.content_hash(),
        protocol=protocol,
        size=size,
        code=code_version(),
        pictures=store.folder.resolve() / "pictures",
    )
    ready = [contender for contender in contenders if contender.missing is None]
    before = store.merge()
    store.write_meta(_meta(store.read_meta(), job, whole, contenders))
    with FileLock(store.folder / ".lock"):  # shards may begin at the same time
        job = replace(job, kept=_make_room(job, ready, keep_pictures))
    tasks = _missing(job, chosen, ready, before if not recompute else before.iloc[:0], keep_pictures)
    wanted = len(chosen.entries) * len(ready)
    summary = Summary(present=wanted - sum(len(methods) for _, methods in tasks))
    try:
        with Part(store) as part:
            for outcome in progress(execute(job, tasks), len(tasks)):
                part.add(outcome.rows)
                summary.computed += len(outcome.rows)
                summary.failures += outcome.failures
    except KeyboardInterrupt:
        summary.stopped = True
    store.merge()
    return summary


def _make_room(job: Job, ready: Sequence[Contender], wanted: bool) -> frozenset[str]:
    """Names of those whose outputs are kept, their folders free of pictures of other rows.

    Not ``wanted``: those whose pictures of this board are there, which would show other rows after this run.
    """
    kept = set()
    for contender in ready:
        folder, rows = job.pictures / contender.name, job.rows(contender)
        shown = rows_shown(folder)
        if wanted or (shown and shown | {"weights_hash": contender.weights_hash} == rows):
            keep_for(folder, rows)
            kept.add(contender.name)
    return frozenset(kept)


def _missing(job: Job, chosen: Dataset, ready: Sequence[Contender], before, with_picture: bool) -> list[Task]:
    """One task an image, with the methods that have no row of these weights yet, or no picture where one is wanted."""
    board = (before["protocol"] == job.protocol) & (before["size"] == job.size_name)
    same = before[(before["dataset_hash"] == job.dataset_hash) & board]
    done = set(zip(same["id"], same["method"], same["weights_hash"], strict=True))
    tasks = []
    for entry in chosen.entries:
        methods = tuple(
            c
            for c in ready
            if (entry.id, c.name, c.weights_hash) not in done or (with_picture and not job.picture(entry, c).exists())
        )
        if methods:
            tasks.append((entry, methods))
    return tasks


def _meta(before: dict, job: Job, whole: Dataset, contenders: Sequence[Contender]) -> dict:
    """``meta.json``: what the rows are about. Methods of earlier runs stay in it."""
    source = CATALOGUE.get(whole.name)
    return {
        "dataset": whole.name,
        "title": source.title if source else whole.name,
        "dataset_hash": job.dataset_hash,
        "images": len(whole.entries),
        "photos": len({entry.photo for entry in whole.entries}),
        "counterpart": source.counterpart if source else None,
        "protocols": {job.protocol: PROTOCOLS[job.protocol].source} | before.get("protocols", {}),
        "code": job.code,
        "methods": before.get("methods", {}) | {contender.name: _about(contender) for contender in contenders},
    }


def _about(contender: Contender) -> dict:
    """A method as the dashboard and the tables show it."""
    about = {"weights_hash": contender.weights_hash, "missing": contender.missing}
    if contender.spec is None:
        facts = {
            "title": contender.name,
            "kind": "predictions",
            "looks_at": "",
            "note": f"pictures of {contender.folder.name}",
        }
        return facts | (contender.about.model_dump(exclude_unset=True) if contender.about else {}) | about
    method = contender.method()
    fields = ("title", "citation", "year", "venue", "kind", "looks_at", "licence", "parameters", "note")
    return {name: getattr(method, name) for name in fields} | about


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

    def execute(job: Job, tasks: Sequence[Task]) -> Iterator[Outcome]:
        if not tasks:
            return
        with (
            _single_threads(),
            ProcessPoolExecutor(
                min(workers, len(tasks)), multiprocessing.get_context("spawn"), initializer=_start_worker
            ) as pool,
        ):
            waiting: dict[Future[Outcome], str] = {
                pool.submit(evaluate, job, entry, methods): entry.id for entry, methods in tasks
            }
            try:
                for future in as_completed(waiting):
                    yield future.result()
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
