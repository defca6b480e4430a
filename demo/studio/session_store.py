"""All visitors' sessions: taken when a page has something to keep, opened by name and key, deleted in good time.

A session goes some minutes after its page did, or when nobody touched it for an hour. Until then a reloaded page finds
it again. Where there are too many, those go that hold nothing; else the newcomer is refused, and nobody's work deleted.
The last third of the places is for addresses that have none yet, so that a few cannot shut out everybody else.
"""

import hmac
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.places import most_for
from demo.plain_routes import Refusal
from demo.settings import Settings
from demo.studio.visitor_session import VisitorSession

GONE = (
    "These pictures are no longer on the server, which deletes them when their page was left for {left:g} minutes or"
    " not touched for {idle:g}, and when it restarts."
)
ELSEWHERE = "These pictures are open on another page."
FULL = "All places of the studio are taken at the moment: please try again in some minutes."
YOURS = "Too many pages of the studio are open from this address: please close one and try again in some minutes."


class SessionStore:
    """Sessions by name, the longest untouched first. For several threads."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings, self.clock = settings, clock
        self.sessions: dict[str, VisitorSession] = {}
        self._lock = threading.Lock()

    def take(self, client: str) -> VisitorSession:
        """A new session. Raises Refusal where the client, or everybody together, have as many as they may."""
        self.sweep()
        spares = []
        with self._lock:
            known = any(one.client == client for one in self.sessions.values())
            for most, own, sentence in (
                (self.settings.sessions_per_client, True, YOURS),
                (most_for(known, self.settings.sessions), False, FULL),
            ):
                counted = [one for one in self.sessions.values() if not own or one.client == client]
                if len(counted) >= most:
                    spare = next((one for one in counted if one.is_empty and not one.users), None)
                    if spare is None:
                        raise Refusal(503, "full", sentence)
                    spares.append(self.sessions.pop(spare.name))
            session = VisitorSession(client)
            session.touched = self.clock()
            self.sessions[session.name] = session
        for spare in spares:
            spare.close()
        return session

    @contextmanager
    def using(self, name: str, key: str, page: str | None = None, takes_over: bool = False) -> Iterator[VisitorSession]:
        """The session of that name and key, which stays as long as it is used. ``page``: who asks; a session belongs to
        the page that asked first, until another one takes it over. Raises Refusal if it is gone or elsewhere."""
        with self._lock:
            session = self._opened(name, key)
            if page is not None:
                if session.page not in (None, page) and not takes_over:
                    raise Refusal(409, "elsewhere", ELSEWHERE)
                session.page = page
            self.sessions[name] = self.sessions.pop(name)  # the last
            session.touched, session.left = self.clock(), None
            session.users += 1
        try:
            yield session
        finally:
            with self._lock:
                session.users -= 1
                session.touched = self.clock()

    def leave(self, name: str, key: str, page: str) -> None:
        """A page was left: delete what holds nothing, and work only when nobody comes back in time."""
        with self._lock:
            session = self._opened(name, key)
            if session.page in (None, page):
                session.left = self.clock()
        self.sweep()

    def picture(self, folder: str, name: str) -> tuple[Path, str | None] | None:
        """A picture shown to a visitor, or a file handed to them under the name that comes with it; None if gone."""
        with self._lock:
            pictures = next((one.pictures for one in self.sessions.values() if one.pictures.address == folder), None)
        return None if pictures is None else pictures.file(name)

    def folders(self) -> list[tuple[str, Path]]:
        """Each session's client and folder."""
        with self._lock:
            return [(one.client, one.folder) for one in self.sessions.values()]

    def sweep(self) -> None:
        """Close what was left and what nobody touched for long."""
        with self._lock:
            now = self.clock()
            over = [one for one in self.sessions.values() if not one.users and self._is_over(one, now)]
            for session in over:
                del self.sessions[session.name]
        for session in over:  # without the lock: deleting takes time, and nobody finds them any more
            session.close()

    def close(self) -> None:
        """Delete everything."""
        with self._lock:
            closed = list(self.sessions.values())
            self.sessions.clear()
        for session in closed:
            session.close()

    def _opened(self, name: str, key: str) -> VisitorSession:
        session = self.sessions.get(name)
        if session is None or not hmac.compare_digest(session.key.encode(), key.encode()):
            minutes = {"left": self.settings.left_seconds / 60, "idle": self.settings.idle_seconds / 60}
            raise Refusal(404, "gone", GONE.format(**minutes))
        return session

    def _is_over(self, session: VisitorSession, now: float) -> bool:
        if session.left is not None and (session.is_empty or now - session.left >= self.settings.left_seconds):
            return True
        return now - session.touched > self.settings.idle_seconds
