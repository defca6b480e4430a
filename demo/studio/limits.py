"""What visitors may not do: ask too much, make the server fetch addresses, use routes of Gradio that nobody needs."""

import re
from math import ceil

import gradio as gr
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.rate_limit import RateLimit

FILE = "/gradio_api/file="
UPLOAD_COST = 4
# Pages of Gradio that fetch for a visitor, take recordings, or keep a session under a public name.
CLOSED = re.compile(
    r"/(?:file=https?:|proxy=|process_recording|deep_link|vibe-|dev/|run-history|profiling|monitoring|custom_component)",
    re.IGNORECASE,
)


class ClosedBlocks(gr.Blocks):
    """Blocks whose every call, from the page, the API and MCP alike, counts against the client's limit, and whose
    inputs are uploads: an address in place of a file is refused, not fetched."""

    limit: RateLimit | None = None

    async def process_api(self, block_fn, inputs, state=None, request=None, iterator=None, **kwargs):
        client = getattr(getattr(request, "client", None), "host", None)
        if self.limit is not None and client is not None and iterator is None:
            wait = self.limit.wait(client)
            if wait:
                sentence = f"Too many requests from this address: please wait {ceil(wait)} seconds."
                raise gr.Error(sentence, print_exception=False)
        return await super().process_api(block_fn, inputs, state, request, iterator, **kwargs)

    async def preprocess_data(self, block_fn, inputs, state, explicit_call=False):
        return await super().preprocess_data(block_fn, [uploads_only(value) for value in inputs], state, explicit_call)


def uploads_only(value: object) -> object:
    """The value if every file in it is an upload. This server's own address of one is read as its path.

    Raises gr.Error at any other address.
    """
    if isinstance(value, list):
        return [uploads_only(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    path = value.get("path")
    if isinstance(path, str) and re.match(r"\s*[a-z][a-z0-9+.-]+:", path, re.IGNORECASE):
        if FILE not in path:
            sentence = "Expected an uploaded file, got an address: this server fetches nothing from elsewhere."
            raise gr.Error(sentence, print_exception=False)
        return {**value, "path": path.split(FILE, 1)[1], "url": None}
    return {key: uploads_only(entry) for key, entry in value.items()}


class ClosedRoutes:
    """ASGI middleware: closes ``CLOSED``, and counts uploads against the client's limit."""

    def __init__(self, app: ASGIApp, limit: RateLimit) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if scope["type"] == "http":
            path = scope["path"]
            if CLOSED.search(path):
                app = PlainTextResponse("Not found: this server has no such page.", 404)
            elif path.rstrip("/").endswith("/upload"):
                wait = self.limit.wait((scope.get("client") or ("",))[0], UPLOAD_COST)
                if wait:
                    told = f"Too many uploads: please wait {ceil(wait)} seconds."
                    app = PlainTextResponse(told, 429, {"Retry-After": str(ceil(wait))})
        await app(scope, receive, send)
