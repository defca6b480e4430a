"""Folders for visitors' pictures that go with their process: what a killed one left behind, the next one deletes."""

import contextlib
import os
import secrets
import shutil
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


def _lock(folder: Path) -> FileLock:
    """The lock beside a folder; any thread may release it."""
    return FileLock(f"{folder}.lock", thread_local=False)


def _delete(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)
