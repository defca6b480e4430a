"""One thread that looks now and then: for what is to be deleted, and whether the server can work."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Janitor:
    """Calls every chore, the first time at once, until it is closed; one that fails is tried again the next time."""

    def __init__(self, seconds: float, *chores: Callable[[], None]) -> None:
        self._seconds, self._chores = seconds, chores
        self._end = threading.Event()
        threading.Thread(target=self._work, name="studio-janitor", daemon=True).start()

    def _work(self) -> None:
        while True:
            for chore in self._chores:
                try:
                    chore()
                except Exception:
                    log.exception("the chore %s failed", chore)
            if self._end.wait(self._seconds):
                return

    def close(self) -> None:
        self._end.set()
