"""How often a client may ask: a token bucket each."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from math import ceil

from demo.plain_routes import Refusal

UPLOAD_COST = 4  # of a picture: as much as so many other requests


class RateLimit:
    """A token bucket for each client: ``burst`` calls at once, ``rate`` a second in the long run."""

    def __init__(
        self, rate: float, burst: float, clients: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rate, self.burst, self.clients, self.clock = rate, burst, clients, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, client: str, cost: float = 1) -> None:
        """Take ``cost`` tokens. Raises Refusal where the client has to wait for them."""
        if wait := self.wait(client, cost):
            sentence = f"Too many requests from this address: please wait {ceil(wait)} seconds."
            raise Refusal(429, "busy", sentence, wait)

    def wait(self, client: str, cost: float = 1) -> float:
        """Take ``cost`` tokens and return 0, or take nothing and return in how many seconds they will be there."""
        with self._lock:
            now = self.clock()
            left, then = self._buckets.pop(client, (self.burst, now))
            left = min(self.burst, left + (now - then) * self.rate)
            wait = max(0.0, (cost - left) / self.rate)
            self._buckets[client] = (left if wait else left - cost, now)
            while len(self._buckets) > self.clients:
                self._buckets.popitem(last=False)
            return wait
