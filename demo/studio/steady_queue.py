"""Gradio's queue, made to keep events whose stream closes.

A page's stream of answers closes with the last one that it waits for, and opens with its next event. If that event is
just being asked for, it can be lost in two ways, after which the page waits for ever. Gradio's server takes the closed
stream for a page that was left and drops the event: here it runs to its end, and its answer waits for the page's next
stream, until the page is really left. And the page may hear that the event was taken before it hears that its stream
is closed, and so opens no other: here a stream stays open for a while after its last answer, as most events come
together, and an event that comes just after its end is said to be taken a moment later.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from gradio.queueing import Queue
from gradio.server_messages import ProcessCompletedMessage
from gradio.utils import LRUCache

OPEN_SECONDS = 10.0  # that a stream stays open without an event; a browser has few connections to a server
HEARD_SECONDS = 0.25  # after which a page has heard of its stream's end


class _Kept(LRUCache):
    """Answers by session. The end of a stream, which deletes its session's, deletes nothing."""

    def __setitem__(self, session: str, answers: object) -> None:
        if session not in self and len(self) >= self.max_size:
            super().__delitem__(next(iter(self)))
        OrderedDict.__setitem__(self, session, answers)

    def __delitem__(self, session: str) -> None:
        pass


class _Pending(set):
    """The events that a session waits for. Its stream closes when, after an answer, this has the length 0."""

    def __init__(self, answer_nothing: Callable[[], None]) -> None:
        super().__init__()
        self._answer_nothing = answer_nothing
        self._timer: asyncio.TimerHandle | None = None
        self.closing_at: float | None = None

    def __len__(self) -> int:
        return super().__len__() + (self.closing_at is None)

    def add(self, event: str) -> None:
        self._stop()
        self.closing_at = None
        super().add(event)

    def remove(self, event: str) -> None:
        super().remove(event)
        self._stop()
        if not super().__len__():
            self._timer = asyncio.get_running_loop().call_later(OPEN_SECONDS, self._close)

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _close(self) -> None:
        self.closing_at = asyncio.get_running_loop().time()
        self._answer_nothing()


def keep_events(queue: Queue) -> None:
    """Let no event go with its stream. To be called before the first one."""
    cancel, push = queue.clean_events, queue.push
    answers, pending = _Kept(queue.pending_messages_per_session.max_size), queue.pending_event_ids_session

    async def clean_events(*, session_hash: str | None = None, event_id: str | None = None) -> None:
        if event_id is not None:
            await cancel(event_id=event_id)

    def answer_nothing(session: str) -> None:
        if session in answers:
            answers[session].put_nowait(ProcessCompletedMessage(output={}, success=True, event_id="none"))

    async def push_when_heard(body, request, username):
        session = body.session_hash
        closed_at = None
        if session is not None:  # without one, it is a single question by a program
            closed_at = pending.setdefault(session, _Pending(lambda: answer_nothing(session))).closing_at
        pushed = await push(body, request, username)
        if closed_at is not None:
            await asyncio.sleep(closed_at + HEARD_SECONDS - asyncio.get_running_loop().time())
        return pushed

    queue.pending_messages_per_session = answers
    queue.clean_events = clean_events
    queue.push = push_when_heard


def forget(queue: Queue, session: str) -> None:
    """A page was left: what it would still have been told goes."""
    OrderedDict.pop(queue.pending_messages_per_session, session, None)
    queue.pending_event_ids_session.pop(session, None)
