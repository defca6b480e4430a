"""So many at a time: in all, and for each client. The last third is for clients that have none yet, so that a few never
shut out everybody else."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from demo.plain_routes import Refusal

FULL = "Too many people use this server at the moment: please try again in a few seconds."
YOURS = "Too many requests from this address are still being done: please try again in a few seconds."
AGAIN = 3  # seconds


def most_for(known: bool, most: int) -> int:
    """How many of ``most`` places may be taken by all together when a client comes; known: who has one already."""
    return most - most // 3 if known else most


class Places:
    """For one event loop."""

    def __init__(self, most: int, per_client: int) -> None:
        self.most, self.per_client = most, per_client
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        return self._taken.total()

    @contextmanager
    def take(self, client: str) -> Iterator[None]:
        """Count one more for this client until the end of the block. Raises Refusal where there is no place."""
        if self._taken[client] >= self.per_client:
            raise Refusal(429, "busy", YOURS, AGAIN)
        if self.taken >= most_for(self._taken[client] > 0, self.most):
            raise Refusal(503, "busy", FULL, AGAIN)
        self._taken[client] += 1
        try:
            yield
        finally:
            self._taken[client] -= 1
            self._taken += Counter()  # drops what is zero
