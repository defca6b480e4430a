"""How much disk visitors' pictures take, in all and from one address, and what happens when that is too much."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.plain_routes import Refusal
from demo.settings import Settings
from demo.studio.session_store import SessionStore
from demo.visitor_folders import size_of

FULL = "The server has no room for more pictures at the moment: please try again in some minutes."
YOURS = "The pictures from this address take all the room they may: please start over on a page that is done with."


class TemporarySpace:
    """What is taken: measured now and then, and counted in between. store: the pages' sessions; cache: the folder of
    the API's and MCP's files, which belong to no client. For several threads."""

    def __init__(self, settings: Settings, store: SessionStore, cache: Path) -> None:
        self.settings, self._store, self._cache = settings, store, cache
        # Seen on the disk; promised to files on their way; and what came of those since the last look.
        self._seen, self._promised, self._since = Counter(), Counter(), Counter()
        self._lock = threading.Lock()

    def measure(self) -> None:
        """Look at the disk."""
        with self._lock:
            before = self._since.copy()
        seen = Counter({"": size_of(self._cache)})
        for client, folder in self._store.folders():
            seen[client] += size_of(folder)
        with self._lock:
            self._seen, self._since = seen, self._since - before

    @contextmanager
    def reserved(self, client: str, size: int) -> Iterator[None]:
        """Room for a file of that size, which comes now. Raises Refusal where there is none."""
        self.check(client, size)
        with self._lock:
            self._promised[client] += size
        try:
            yield
        finally:
            with self._lock:
                self._promised[client] -= size
                self._since[client] += size

    def check(self, client: str, size: int = 0) -> None:
        """Raises Refusal where nothing of that size may be written any more."""
        with self._lock:
            taken = self._seen + self._promised + self._since
        if taken.total() + size >= self.settings.temporary_bytes:
            raise Refusal(507, "full", FULL)
        if taken[client] + size >= self.settings.temporary_bytes_per_client:
            raise Refusal(507, "full", YOURS)
