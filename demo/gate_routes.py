"""The routes that this server has, mounted apps included: method, path, and how large a body may come there."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

READ = ("GET", "HEAD")


@dataclass(frozen=True)
class Route:
    """``path``: a pattern that the whole decoded path must match. ``body``: the kind of its limit."""

    methods: tuple[str, ...]
    path: str
    body: str = "small"

    @cached_property
    def pattern(self) -> re.Pattern:
        return re.compile(self.path)

    @cached_property
    def _words(self) -> set[str]:
        return set(re.findall(r"[\w.=-]+", self.path.replace("\\", "")))

    def shown(self, path: str) -> str:
        """A path of this route with ``*`` for what differs from one visitor to the next: one of few texts."""
        parts = ["" if not part else part if part in self._words else "*" for part in path.split("/")]
        return re.sub(r"(?:/\*)+", "/*", "/".join(parts))


def find_route(routes: Iterable[Route], method: str, path: str) -> Route | None:
    """The route that a request is for, None where there is none."""
    if re.search(r"[\x00-\x1f\x7f\\]|//|/\.\.?(?:/|$)", path):  # leads elsewhere, or is meant to
        return None
    return next((route for route in routes if method in route.methods and route.pattern.fullmatch(path)), None)


NAME = r"[\w.~-]+"
FILE = rf"(?:{NAME}/)*{NAME}"
# A file that Gradio gave out: an absolute path, with nothing in it that could be an address.
GIVEN_OUT = r"/gradio_api/file=/[^:]+"
# Of the named API.
FUNCTIONS = ("harmonize", "paste", "cut_out", "suggest_references", "export_cube", "export_layers", "replay")


def gradio_page(prefix: str = "") -> tuple[Route, ...]:
    """What a page of Gradio's without events asks for."""
    names = "config|theme\\.css|manifest\\.json|robots\\.txt|favicon\\.ico|gradio_api/startup-events|gradio_api/info"
    return (
        Route(READ, f"{prefix}/"),
        Route(READ, rf"{prefix}/(?:{names})"),
        Route(READ, rf"{prefix}/(?:assets|static|svelte)/{FILE}"),
    )


def studio_routes(api: bool = True, mcp: bool = True) -> tuple[Route, ...]:
    """The studio's page and plain routes, and of Gradio what the named API and MCP need."""
    session = r"/studio/session/[\w-]+"
    routes = (
        *gradio_page(),
        Route(("POST",), "/studio/session"),
        Route(("POST",), rf"{session}/(?:event|leave)"),
        Route(("PUT",), rf"{session}/upload", "upload"),
        Route(("GET",), rf"{session}/(?:crop|work)"),
        Route(READ, rf"/studio/card/{NAME}"),
        Route(READ, r"/studio/file/[\w-]+/[^/]+"),
    )
    if api or mcp:
        routes += (Route(READ, GIVEN_OUT),)
    if api:
        routes += (
            Route(("POST",), "/gradio_api/upload", "form"),
            Route(READ, "/gradio_api/upload_progress"),
            Route(("POST",), "/gradio_api/(?:queue/join|cancel)"),
            Route(("GET",), r"/gradio_api/(?:queue/data|heartbeat/[\w-]+)"),
            Route(("POST",), rf"/gradio_api/call/(?:v2/)?(?:{'|'.join(FUNCTIONS)})"),
            Route(("GET",), rf"/gradio_api/call/(?:v2/)?(?:{'|'.join(FUNCTIONS)})/\w+"),
        )
    if mcp:
        routes += (
            Route(("GET", "POST", "DELETE"), "/gradio_api/mcp/?", "mcp"),
            Route(("GET",), "/gradio_api/mcp/(?:sse|schema)"),
            Route(("POST",), "/gradio_api/mcp/messages/?", "mcp"),
        )
    return routes


def study_routes(prefix: str = "/study") -> tuple[Route, ...]:
    """A study: its page, the plain routes of raters and of its administrator. Nothing of Gradio's but the page."""
    return (
        Route(READ, prefix),
        *gradio_page(prefix),
        Route(READ, rf"{prefix}/api/(?:study|progress|picture/[0-9a-f]+\.png)"),
        Route(("POST",), rf"{prefix}/api/(?:enter|vote|undo)"),
        Route(READ, rf"{prefix}/admin/?"),
        Route(READ, rf"{prefix}/admin/api/(?:summary|export/\w+)"),
        Route(("POST",), rf"{prefix}/admin/api/(?:state|rater|find)"),
    )


def dashboard_routes(prefix: str = "/leaderboard") -> tuple[Route, ...]:
    """Streamlit, without its uploads."""
    return (
        Route(READ, prefix),
        Route(READ, rf"{prefix}/(?:leaderboard|explorer|paper|speed|study)?"),
        Route(READ, rf"{prefix}/(?:\w+/)?_stcore/(?:health|host-config)"),
        Route(READ, rf"{prefix}/(?:static|media|component|_stcore/bidi-components)/{FILE}"),
        Route(READ, rf"{prefix}/favicon\.png"),
        Route(("WEBSOCKET",), rf"{prefix}/_stcore/stream"),
    )
