"""How much disk visitors' pictures take, in all and from one address, and what happens when that is too much.

Files of the API and MCP belong to no session: what an address brought that way counts as its own until they are deleted
by age, and all of them together have half of the room, so that programs never take the pages'.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.plain_routes import Refusal
from demo.settings import Settings
from demo.studio.session_store import SessionStore
from demo.visitor_folders import size_of

FULL = "The server has no room for more pictures at the moment: please try again in some minutes."
YOURS = "The pictures from this address take all the room they may: please start over on a page that is done with."

CACHE = 2  # every second byte is the pages'


class TemporarySpace:
    """What is taken: measured now and then, and counted in between. store: the pages' sessions; cache: the folder of
    the API's and MCP's files, which belong to no client. For several threads."""

    def __init__(
        self, settings: Settings, store: SessionStore, cache: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.settings, self._store, self._cache, self._clock = settings, store, cache, clock
        # Seen on the disk; promised to files on their way; and what came of those since the last look.
        self._seen, self._promised, self._since = Counter(), Counter(), Counter()
        self._brought: deque[tuple[float, str, int]] = deque()  # to the cache: until when it lies there, by whom, bytes
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

    @property
    def taken(self) -> int:
        """Bytes, in all."""
        with self._lock:
            return (self._seen + self._since).total()

    @contextmanager
    def reserved(self, client: str, size: int, in_cache: bool = False) -> Iterator[None]:
        """Room for a file of that size, which comes now. Raises Refusal where there is none."""
        self.check(client, size, in_cache)
        with self._lock:
            self._promised[client] += size
        try:
            yield
        finally:
            with self._lock:
                self._promised[client] -= size
                self._since["" if in_cache else client] += size
                if in_cache:
                    self._brought.append((self._clock() + self.settings.file_seconds, client, size))

    def check(self, client: str, size: int = 0, in_cache: bool = False) -> None:
        """Raises Refusal where nothing of that size may be written any more. in_cache: to the API's and MCP's files."""
        with self._lock:
            while self._brought and self._brought[0][0] <= self._clock():
                self._brought.popleft()
            taken = self._seen + self._promised + self._since
            own = taken[client] + sum(brought for _, one, brought in self._brought if one == client)
        most = self.settings.temporary_bytes
        if taken.total() + size >= most or (in_cache and taken[""] + size >= most // CACHE):
            raise Refusal(507, "full", FULL)
        if own + size >= self.settings.temporary_bytes_per_client:
            raise Refusal(507, "full", YOURS)
