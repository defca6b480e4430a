"""How this project is served: uvicorn behind its bounded connections, with nothing said that nobody needs to know."""

import uvicorn

from demo.connections import Connections, bounded
from demo.gate import is_proxy_of
from demo.settings import Settings


def options(settings: Settings, host: str, port: int) -> dict:
    """What ``uvicorn.run`` is told, for one process or several."""
    connections = Connections(settings.connections, settings.connections_per_client, is_proxy_of(settings.proxies))
    return {
        "host": host,
        "port": port,
        "http": bounded(connections, settings.head_seconds),
        "proxy_headers": False,  # the gate reads them, and from named proxies only
        "server_header": False,
        "access_log": False,  # it would hold visitors' addresses
        "log_level": "warning",
        "h11_max_incomplete_event_size": 64 << 10,
        "ws_max_size": 1 << 20,
        "timeout_keep_alive": 75,  # longer than anyone looks at a pair of pictures
        # Open pages never close their connection by themselves: do not wait for them at the end.
        "timeout_graceful_shutdown": 2,
    }


def serve(app: object, settings: Settings, host: str, port: int, processes: int = 1) -> None:
    """Serve an app, or the factory that ``module:name`` names, until the process is ended."""
    factory = isinstance(app, str)
    uvicorn.run(app, factory=factory, workers=processes if factory else None, **options(settings, host, port))
