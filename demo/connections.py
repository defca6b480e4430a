"""How uvicorn takes connections: so many in all and from one client, and none that never says what it wants."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from functools import cache

from uvicorn.protocols.http.h11_impl import H11Protocol

from demo.gate import counted_as, proxy_test
from demo.hosting.figures import refused
from demo.settings import Settings


class Connections:
    """The open connections, by client. uvicorn's websockets come from here too, whose end it tells nobody."""

    def __init__(self, most: int, most_per_client: int, is_proxy: Callable[[str], bool]) -> None:
        """most, most_per_client: open at a time; a proxy, which carries many clients, is bounded by the first alone."""
        self.most, self.most_per_client, self.is_proxy = most, most_per_client, is_proxy
        self._open: dict[str, set[asyncio.Transport]] = defaultdict(set)

    def take(self, client: str, transport: asyncio.Transport) -> bool:
        """Count a new connection, or refuse it."""
        bounded, client = not self.is_proxy(client), counted_as(client)
        own = self._still_open(client)
        if len(own) >= self.most_per_client and bounded:
            return False
        if sum(map(len, self._open.values())) >= self.most:
            if sum(len(self._still_open(one)) for one in list(self._open)) >= self.most:
                return False
        self._open[client].add(transport)
        return True

    def _still_open(self, client: str) -> set[asyncio.Transport]:
        self._open[client] = {one for one in self._open[client] if not one.is_closing()}
        return self._open[client] or self._open.pop(client)


class BoundedProtocol(H11Protocol):
    """A protocol class for ``uvicorn.Config(http=...)``, bounded as the environment says; each process for itself."""

    waiting: asyncio.TimerHandle | None = None

    @staticmethod
    @cache
    def bounds() -> tuple[Connections, float]:
        """The open connections, and the seconds until a request's head has to be there."""
        settings = Settings.from_environment()
        is_proxy = proxy_test(settings.proxies)
        return Connections(settings.connections, settings.connections_per_client, is_proxy), settings.head_seconds

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        connections, _ = self.bounds()
        if connections.take((self.client or ("",))[0], transport):
            self._expect_head()
        else:
            refused("connections")
            transport.abort()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        upgraded = self.transport.get_protocol() is not self
        if upgraded or (self.cycle is not None and not self.cycle.response_complete):
            self._stop_waiting()  # the head is there; the body is the gate's affair
        elif self.waiting is None:
            self._expect_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._stop_waiting()  # until the next byte comes uvicorn's own timer runs

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    def _expect_head(self) -> None:
        self.waiting = self.loop.call_later(self.bounds()[1], self.transport.abort)

    def _stop_waiting(self) -> None:
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None
