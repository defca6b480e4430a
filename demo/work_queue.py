"""Heavy work in a few threads of its own, so that one kind of caller never takes the others' turn.

Who asks takes a place first, of which there are so many in all and for each client; the rest are told to come back.
Then the work waits for one of the threads without holding anything, in the order in which it came. Work whose caller
has gone is dropped as long as it waits. A thread cannot be stopped: where it runs, it ends at its next ``go_on``.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TypeVar

from demo.places import AGAIN, Places
from demo.plain_routes import Refusal
from iph.errors import InputError

T = TypeVar("T")
SLOW = "This takes the server longer than {seconds:g} seconds: please try again, or with a smaller picture."

_GIVEN_UP: ContextVar[threading.Event] = ContextVar("_GIVEN_UP")


class Stopped(InputError):
    """Nobody waits for this work any more. As after every InputError, nothing was changed."""


def go_on() -> None:
    """To be called between the stages of long work. Raises Stopped where its caller has left or was sent away."""
    given_up = _GIVEN_UP.get(None)
    if given_up is not None and given_up.is_set():
        raise Stopped("this was stopped on its way, for nobody waits for it")


class WorkQueue:
    """at_once: threads; most, per_client: places, those at work among them; seconds: the longest anybody waits."""

    def __init__(self, name: str, at_once: int, most: int, per_client: int, seconds: float) -> None:
        self.places, self.seconds = Places(most, per_client), seconds
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=name)

    async def run(self, work: Callable[[], T]) -> T:
        """What the work returns, done in a thread. Cancelled, it ends only when the thread has, at its next stage."""
        given_up = threading.Event()

        def stages() -> T:
            before = _GIVEN_UP.set(given_up)
            try:
                return work()
            finally:
                _GIVEN_UP.reset(before)

        waiting = self._threads.submit(stages)
        done = asyncio.wrap_future(waiting)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            if not waiting.cancel():
                given_up.set()
                await asyncio.wait([done])
                done.exception()  # nobody else asks
            raise

    async def answer(self, work: Awaitable[T], gone: Awaitable[object]) -> T:
        """What ``work`` returns, unless its caller is gone first or it takes too long. Raises Refusal in both cases."""
        task, left = asyncio.ensure_future(work), asyncio.ensure_future(gone)
        done = set()
        try:
            done, _ = await asyncio.wait({task, left}, timeout=self.seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            left.cancel()
            if task not in done:
                task.cancel()
                task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # nobody else asks
        if task in done:
            return task.result()
        if done:
            raise Refusal(400, "left", "The caller has left.")
        raise Refusal(503, "busy", SLOW.format(seconds=self.seconds), AGAIN)

    def close(self) -> None:
        """Drop what waits; what runs ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
