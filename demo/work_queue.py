"""Heavy work in a few threads of its own, so that one kind of caller never takes the others' turn.

Who asks takes a place first, of which there are so many in all and for each client; the rest are told to come back.
Then the work waits for one of the threads without holding anything, in the order in which it came. A thread cannot be
stopped: work whose caller has gone is dropped as long as it waits, and ends unheard if it runs.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from demo.plain_routes import Refusal

T = TypeVar("T")
FULL = "Too many people use this server at the moment: please try again in a few seconds."
YOURS = "Too many requests from this address are still being done: please try again in a few seconds."
SLOW = "This takes the server longer than {seconds:g} seconds: please try again, or with a smaller picture."
AGAIN = 3  # seconds


class WorkQueue:
    """at_once: threads; most, per_client: places, those at work among them; seconds: the longest anybody waits."""

    def __init__(self, name: str, at_once: int, most: int, per_client: int, seconds: float) -> None:
        self.most, self.per_client, self.seconds = most, per_client, seconds
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=name)
        self._taken: Counter[str] = Counter()

    @contextmanager
    def place(self, client: str) -> Iterator[None]:
        """Count one more for this client as long as it is asked for. Raises Refusal where there is no place."""
        if self._taken[client] >= self.per_client:
            raise Refusal(429, "busy", YOURS, AGAIN)
        if self._taken.total() >= self.most:
            raise Refusal(503, "busy", FULL, AGAIN)
        self._taken[client] += 1
        try:
            yield
        finally:
            self._taken[client] -= 1
            self._taken += Counter()  # drops what is zero

    async def run(self, work: Callable[[], T]) -> T:
        """What the work returns, done in a thread. Cancelled, it ends only when the thread has."""
        waiting = self._threads.submit(work)
        done = asyncio.wrap_future(waiting)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            if not waiting.cancel():
                await asyncio.wait([done])
                done.exception()  # nobody else asks
            raise

    async def answer(self, work: Awaitable[T], gone: Awaitable[object] | None = None) -> T:
        """What ``work`` returns, unless its caller is gone first or it takes too long. Raises Refusal in both cases."""
        task = asyncio.ensure_future(work)
        left = None if gone is None else asyncio.ensure_future(gone)
        done, _ = await asyncio.wait(
            {task} if left is None else {task, left}, timeout=self.seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if left is not None:
            left.cancel()
        if task in done:
            return task.result()
        task.cancel()
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # nobody else asks
        if done:
            raise Refusal(400, "left", "the page has left")
        raise Refusal(503, "busy", SLOW.format(seconds=self.seconds), AGAIN)

    def close(self) -> None:
        """Drop what waits; what runs ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
