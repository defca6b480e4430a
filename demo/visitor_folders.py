"""Folders for visitors' pictures that go with their process: what a killed one left behind, the next one deletes.

Files that belong to no visitor, such as those of the named API, go by age.
"""

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "iph-studio-"


class OwnFolder:
    """A folder with a name that cannot be guessed, for this user only, and locked as long as this process lives."""

    def __init__(self, parent: Path) -> None:
        parent.mkdir(parents=True, exist_ok=True)
        self.path = parent / f"{PREFIX}{secrets.token_urlsafe(16)}"
        self._lock = _lock(self.path)
        self._lock.acquire()  # first, so that nobody finds the folder without its lock
        self.path.mkdir(mode=0o700)

    def close(self) -> None:
        """Delete it, for good."""
        _delete(self.path, self._lock)


def sweep(parent: Path) -> None:
    """Delete what killed processes left in a parent; a folder whose process lives is locked and stays."""
    for folder in parent.glob(f"{PREFIX}*"):
        if not folder.is_dir() or not os.access(folder, os.W_OK):  # a lock, or somebody else's
            continue
        lock = _lock(folder)
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=0)
            _delete(folder, lock)


def sweep_by_age(parent: Path, seconds: float) -> None:
    """Delete the files below a folder that were last written so long ago, and folders that are empty since then."""
    oldest = time.time() - seconds
    for place, folders, files in os.walk(parent, topdown=False):
        for name in files:
            _delete_older(Path(place, name), oldest, os.unlink)
        for name in folders:
            _delete_older(Path(place, name), oldest, os.rmdir)


def _delete_older(path: Path, oldest: float, delete: Callable[[Path], None]) -> None:
    with contextlib.suppress(OSError):  # gone already, not ours, or not empty
        if path.lstat().st_mtime < oldest:
            delete(path)


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def _lock(folder: Path) -> FileLock:
    """The lock beside a folder; any thread may release it."""
    return FileLock(f"{folder}.lock", thread_local=False)


def _delete(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)
