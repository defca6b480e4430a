"""Aggregates that take longer than a click may: made once in the background, kept in memory and on disk.

A page asks and goes on: what is ready is shown, what is not has a sentence in its place, and the page comes back by
itself. Keys hold the content's digest, so a changed file is a new key and nothing here is ever out of date.
The disk copy is JSON in the user's cache folder; results and votes are never written.
"""

import gc
import hashlib
import itertools
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path
from queue import PriorityQueue

import pandas as pd
import streamlit as st

from demo.dashboard.theme import repeated
from iph.errors import InputError
from iph.files import replacing

PATIENCE = 0.15  # seconds that a page waits for what may be nearly there
IN_MEMORY = 512  # tables
ON_DISK = 256 * 2**20  # bytes, the oldest files go first
Key = tuple[str, ...]
Aggregate = tuple[Key, Callable[[], pd.DataFrame]]


def cache_folder() -> Path:
    """Where prepared tables and thumbnails are kept between starts."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home) / "iph-dashboard"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def prepared(key: Key, make: Callable[[], pd.DataFrame], patience: float = PATIENCE) -> pd.DataFrame | None:
    """The table of ``key``, or None while it is being made; ``waiting`` then belongs in its place.

    Raises what ``make`` raised, which is an InputError for anything a person can mend.
    """
    future = _futures().start(key, make, soon=True)
    try:
        return future.result(patience)
    except NotYet:
        return None


def ahead(jobs: dict[Key, Callable[[], pd.DataFrame]]) -> None:
    """Begin with what is likely to be asked for next."""
    for key, make in jobs.items():
        _futures().start(key, make, soon=False)


def idle() -> bool:
    """Whether everything that was asked for or begun is there."""
    return all(future.done() for future in list(_futures().known.values()))


def waiting(sentence: str, key: Key) -> None:
    """Says what is being made, and runs the page again when it is there."""
    future = _futures().get(key)

    def watch() -> None:
        st.caption(f":material/hourglass_top: {sentence}")
        if future is not None and future.done():
            st.rerun()

    repeated(0.4, watch)


class _Futures:
    """One daemon thread does what was asked for, then what may be asked for; it ends with the server."""

    def __init__(self) -> None:
        self.known: OrderedDict[Key, Future] = OrderedDict()
        self.lock = threading.Lock()
        self.queue: PriorityQueue = PriorityQueue()
        self.count = itertools.count()
        _prune(cache_folder())
        gc.freeze()  # the libraries stay: a collection amid an answer has less to look through
        threading.Thread(target=self._work, name="prepared", daemon=True).start()

    def start(self, key: Key, make: Callable[[], pd.DataFrame], soon: bool) -> Future:
        with self.lock:
            known = key in self.known
            future = self.known.setdefault(key, Future())
            self.known.move_to_end(key)
            while len(self.known) > IN_MEMORY:
                self.known.popitem(last=False)
        if not known or (soon and not (future.running() or future.done())):  # asked for: overtakes what waits ahead
            self.queue.put((not soon, next(self.count), key, future, make))
        return future

    def _work(self) -> None:
        while True:
            _, _, key, future, make = self.queue.get()
            if future.running() or future.done():
                continue
            future.set_running_or_notify_cancel()
            try:
                future.set_result(_load_or_make(key, make))
            except Exception as error:  # the page that asked says what went wrong
                future.set_exception(error)

    def get(self, key: Key) -> Future | None:
        return self.known.get(key)


@st.cache_resource(show_spinner=False)
def _futures() -> _Futures:
    return _Futures()


def _load_or_make(key: Key, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    path = cache_folder() / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]}.json"
    try:
        return pd.DataFrame(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        frame = make()
    try:
        with replacing(path) as temporary:
            temporary.write_text(frame.to_json(orient="split", double_precision=15), encoding="utf-8")
    except (OSError, InputError):
        pass  # a full or read-only disk costs time, not the page
    return frame


def _prune(folder: Path) -> None:
    files = sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_mtime)
    excess = sum(path.stat().st_size for path in files) - ON_DISK
    for path in files:
        if excess <= 0:
            return
        excess -= path.stat().st_size
        path.unlink(missing_ok=True)
