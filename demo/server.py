"""How this project is served: behind its gate, over bounded connections, saying nothing that nobody needs to know."""

import gc
import os
from collections.abc import Iterable

import uvicorn
from fastapi import FastAPI

from demo.connections import BoundedProtocol
from demo.gate import LOOPBACK, Gate, Rules, own_names
from demo.gate_routes import Route
from demo.hosting.log_lines import CONFIG
from demo.hosting.probes import serve_metrics
from demo.hosting.watch import Watch
from demo.settings import Settings
from demo.uploads import MAX_CALL, MAX_UPLOAD
from iph.errors import InputError

SMALL = 1 << 20
LIMITS = {
    "small": SMALL,
    "upload": MAX_UPLOAD,
    "form": MAX_UPLOAD + (64 << 10),  # the same file in a form
    "mcp": MAX_CALL,
}


def close(app: FastAPI, settings: Settings, routes: Iterable[Route]) -> None:
    """Put the gate in front of an app; to be called last. Raises InputError where the settings are none."""
    rules = Rules(
        hosts=settings.hosts or LOOPBACK,
        proxies=settings.proxies,
        hops=settings.proxy_hops,
        frames=settings.frames,
        sockets=settings.dashboards,
        sockets_per_client=settings.dashboards_per_client,
        chunk_seconds=settings.chunk_seconds,
        body_seconds=settings.body_seconds,
    )
    routes = tuple(routes)
    app.add_middleware(Gate, rules=rules, limits=LIMITS, routes=routes)
    app.add_middleware(Watch, routes=routes)


def serve(app: FastAPI | str, host: str, port: int, processes: int = 1) -> None:
    """Serve an app, or that of the factory ``module:name`` in several processes, until it is told to end.

    Raises InputError where the figures have no place of their own.
    """
    settings = Settings.from_environment()
    if processes > 1 and (settings.metrics or settings.metrics_token):
        raise InputError(
            f"the figures are those of one process, but {processes} were asked for: start as many servers instead"
        )
    if settings.metrics:
        serve_metrics(settings.metrics)
    gc.freeze()  # what is imported by now stays: looking through it for garbage stopped everybody for a quarter second
    uvicorn.run(
        app,
        factory=isinstance(app, str),
        workers=processes if isinstance(app, str) else None,
        host=host,
        port=port,
        http=BoundedProtocol,
        proxy_headers=False,  # the gate reads them, of named proxies only
        server_header=False,
        access_log=False,  # it would hold visitors' addresses
        log_level="warning",
        log_config=CONFIG if settings.log_json else uvicorn.config.LOGGING_CONFIG,
        ws_max_size=SMALL,
        timeout_keep_alive=75,  # longer than anyone looks at a pair of pictures
        timeout_graceful_shutdown=2,  # open pages never close their connection by themselves
    )


def answer_to(host: str) -> None:
    """Where nobody set IPH_HOSTS, set it to the names of a server that listens on ``host``, for its processes too."""
    os.environ.setdefault("IPH_HOSTS", ",".join(own_names(host)))
