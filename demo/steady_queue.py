"""Gradio's queue, made to keep events whose stream closes.

A page closes its stream of answers when the last one it waits for is there. If its next event is just being asked for,
Gradio takes the closed stream for a page that was left and drops that event: the page waits for ever. Here an event
runs to its end, and its answer waits for the page's next stream, until the page is really left.
"""

from collections import OrderedDict

from gradio.queueing import Queue
from gradio.utils import LRUCache


class _Kept(LRUCache):
    """Answers by session. The end of a stream, which deletes its session's, deletes nothing."""

    def __setitem__(self, session: str, answers: object) -> None:
        if session not in self and len(self) >= self.max_size:
            super().__delitem__(next(iter(self)))
        OrderedDict.__setitem__(self, session, answers)

    def __delitem__(self, session: str) -> None:
        pass


def keep_events(queue: Queue) -> None:
    """Let no event go with its stream. To be called before the first one."""
    cancel = queue.clean_events

    async def clean_events(*, session_hash: str | None = None, event_id: str | None = None) -> None:
        if event_id is not None:
            await cancel(event_id=event_id)

    queue.pending_messages_per_session = _Kept(queue.pending_messages_per_session.max_size)
    queue.clean_events = clean_events


def forget(queue: Queue, session: str) -> None:
    """A page was left: what it would still have been told goes."""
    OrderedDict.pop(queue.pending_messages_per_session, session, None)
    queue.pending_event_ids_session.pop(session, None)
