"""Whether a server lives, whether it can work, and its figures: ``/healthz``, ``/readyz`` and ``/metrics``."""

import hmac
import logging
import shutil
import tempfile
import time
from collections.abc import Callable

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest, start_http_server

from demo.gate_routes import READ, Route
from demo.janitor import Janitor
from demo.settings import Settings
from iph.errors import InputError

log = logging.getLogger(__name__)
Check = Callable[[], str | None]
EVERY = 2.0  # seconds
PATIENCE = 6.0  # seconds


class Readiness:
    """Looks at everything the server needs now and then, in a thread of its own, so that asking costs nothing and a
    store that hangs holds up nobody.

    every: seconds between two looks; patience: until what is looked at counts as stuck.
    """

    def __init__(self, every: float = EVERY, patience: float = PATIENCE) -> None:
        self.patience = patience
        self._checks: dict[str, Check] = {}
        self._found: dict[str, str | None] = {}
        self._looking: tuple[str, float] | None = None  # at what, and since when
        self._janitor = Janitor(every, self.look)

    def add(self, name: str, check: Check) -> None:
        """check: returns why ``name`` is not ready, or None; it may raise and it may hang."""
        self._found[name] = f"the {name} was not looked at yet"
        self._checks[name] = check

    def look(self) -> None:
        for name, check in list(self._checks.items()):
            self._looking = name, time.monotonic()
            try:
                found = check()
            except Exception as error:
                found = f"the {name} does not answer"
                if self._found[name] != found:  # once, not every two seconds
                    log.warning("not ready: %s", found, exc_info=error)
            self._found[name], self._looking = found, None

    def reasons(self) -> list[str]:
        """Why the server is not ready; none if it is."""
        found, looking = dict(self._found), self._looking
        if looking and time.monotonic() - looking[1] > self.patience:
            found[looking[0]] = f"the {looking[0]} does not answer"
        return [reason for reason in found.values() if reason]

    def close(self) -> None:
        self._janitor.close()


def disk_check(settings: Settings) -> Check:
    """Whether pictures still find room where they lie while somebody works on them."""
    folder = tempfile.gettempdir()
    return lambda: "the disk is full" if shutil.disk_usage(folder).free < settings.free_bytes else None


def add_probes(app: FastAPI, settings: Settings) -> tuple[Route, ...]:
    """Add the routes to an app, before anything is mounted at "/", and return them for the gate. What has to be ready
    beside the disk is added to ``app.state.readiness``."""
    app.add_api_route("/healthz", lambda: {"status": "ok"})
    app.add_api_route("/readyz", lambda: _readiness(app.state.readiness.reasons()))
    routes = (Route(READ, "/healthz"), Route(READ, "/readyz"))
    app.state.readiness = Readiness()
    app.state.readiness.add("disk", disk_check(settings))
    if not settings.metrics_token:
        return routes
    word = f"Bearer {settings.metrics_token}".encode()

    def metrics(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), word):
            return JSONResponse({"code": "token", "message": "Expected the token of IPH_METRICS_TOKEN."}, 401)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    app.add_api_route("/metrics", metrics)
    return (*routes, Route(("GET",), "/metrics"))


def _readiness(reasons: list[str]) -> JSONResponse:
    if reasons:
        return JSONResponse({"status": "not ready", "reasons": reasons}, 503, {"Retry-After": "2"})
    return JSONResponse({"status": "ready"})


def serve_metrics(address: str) -> None:
    """Serve the figures at ``address:port``, beside the visitors' port, until this process ends. Raises InputError."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InputError(f"expected IPH_METRICS as address:port, like 127.0.0.1:9464, got {address!r}")
    try:
        start_http_server(int(port), host.strip("[]"))
    except OSError as error:
        raise InputError(f"the figures cannot be served at {address}: {error.strerror or error}") from None
