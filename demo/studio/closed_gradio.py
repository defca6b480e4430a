"""Gradio, closed to what callers of the named API and MCP may not do: ask too much, make the server fetch addresses, or
go round the queue."""

import asyncio
import copy
import logging
import re
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.hosting.figures import refused
from demo.plain_routes import Refusal
from demo.rate_limit import UPLOAD_COST
from demo.studio.limits import Limits
from demo.uploads import MAX_CALL, MAX_UPLOAD
from demo.work_queue import WorkQueue

log = logging.getLogger(__name__)
FILE = "/gradio_api/file="
LEFT_SECONDS = 0.5  # between two looks whether a caller is still there


@dataclass(frozen=True)
class Caller:
    """Who calls a named function, and the queue of their kind; ``event`` is Gradio's, None for MCP."""

    client: str
    work: WorkQueue
    event: object | None

    @property
    def kind(self) -> str:
        return "mcp" if self.event is None else "api"

    async def gone(self) -> None:
        """Returns when the caller has left; never for those of whom Gradio does not say so."""
        while self.event is None or self.event.alive:
            await asyncio.sleep(LEFT_SECONDS)


CALLER: ContextVar[Caller] = ContextVar("CALLER")


class ClosedBlocks(gr.Blocks):
    """Blocks whose every call counts against the client's limit, and whose inputs are uploads: an address in place of a
    file is refused, not fetched."""

    limits: Limits

    async def process_api(self, block_fn, inputs, state=None, request=None, iterator=None, event_id=None, **kwargs):
        client = request.client.host if request is not None and request.client else ""
        try:
            self.limits.requests.count(client)
            self.limits.space.check(client, in_cache=True)
        except Refusal as refusal:
            refused(refusal.code)
            raise gr.Error(str(refusal), print_exception=False) from None
        # MCP's calls come past Gradio's queue, and so have no event.
        work = self.limits.mcp if event_id is None else self.limits.api
        CALLER.set(Caller(client, work, self._queue.event_ids_to_events.get(event_id)))
        return await super().process_api(block_fn, inputs, state, request, iterator, event_id=event_id, **kwargs)

    def let_mcp_past_the_queue(self) -> None:
        """MCP's calls are done here, not sent to this server by a client of Gradio's, whose address the first caller's
        headers would choose for everybody. To be called once the MCP server is there."""
        server = self.mcp_server_obj
        find = server.get_block_fn_from_endpoint_name

        def unqueued(name: str):
            found = copy.copy(find(name))
            if found is not None:
                found.queue = False
            return found

        server.get_block_fn_from_endpoint_name = unqueued

    async def preprocess_data(self, block_fn, inputs, state, explicit_call=False):
        return await super().preprocess_data(block_fn, [uploads_only(value) for value in inputs], state, explicit_call)


def uploads_only(value: object) -> object:
    """The value if every file in it is an upload, or a result given out earlier. This server's own address of one is
    read as its path. Gradio itself would copy any file that the server can read into its cache.

    Raises gr.Error at anything else.
    """
    if isinstance(value, list):
        return [uploads_only(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    path = value.get("path")
    if isinstance(path, str):
        if re.match(r"\s*[a-z][a-z0-9+.-]+:", path, re.IGNORECASE):
            if FILE not in path:
                sentence = "Expected an uploaded file, got an address: this server fetches nothing from elsewhere."
                raise gr.Error(sentence, print_exception=False)
            path = path.split(FILE, 1)[1]
        return {**value, "path": given_file(path), "url": None}
    return {key: uploads_only(entry) for key, entry in value.items()}


def given_file(path: str) -> str:
    """The file at a path if it is an upload or a result: ``<Gradio's cache>/<folder>/<name>``.

    Raises gr.Error, the same for everything else, so that nobody learns which files there are.
    """
    folder = Path(get_upload_folder()).resolve()
    try:
        file = Path(path).resolve(strict=True)
        if file.is_file() and not Path(path).is_symlink() and file.parent.parent == folder:
            return str(file)
    except (OSError, ValueError, RuntimeError):  # no file, a null byte, a loop of links
        pass
    sentence = "Expected a file that was uploaded here or that this server gave out, got something else."
    raise gr.Error(sentence, print_exception=False)


class FilesOnTheirWay:
    """ASGI middleware: counts what brings files to Gradio, uploads and MCP's calls, against the client's limits, before
    any of it is on the disk. Which routes there are is the gate's affair."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app, self.limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/") if scope["type"] == "http" and scope["method"] == "POST" else ""
        client = (scope.get("client") or ("",))[0]
        length = dict(scope["headers"]).get(b"content-length", b"").decode("latin-1")
        size = int(length) if length.isdecimal() else None
        try:
            if path.endswith("/gradio_api/upload"):
                self.limits.requests.count(client, UPLOAD_COST)
                with self.limits.uploads.take(client), self._room(client, size, MAX_UPLOAD):
                    await self._upload(scope, receive, send)
            elif "/gradio_api/mcp" in path:
                with self._room(client, size, MAX_CALL):
                    await self.app(scope, receive, send)
            else:
                await self.app(scope, receive, send)
        except Refusal as refusal:
            refused(refusal.code)
            headers = {"Retry-After": str(ceil(refusal.seconds))} if refusal.seconds else None
            await PlainTextResponse(str(refusal), refusal.status, headers)(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except (AttributeError, TypeError, ValueError):  # Gradio takes every part of the form for a file
            log.info("an upload was no file", exc_info=True)
            await PlainTextResponse("Expected one file in a form, got something else.", 400)(scope, receive, send)

    def _room(self, client: str, size: int | None, most: int) -> AbstractContextManager[None]:
        """Room for a body, as large as it may be where it does not say its size."""
        return self.limits.space.reserved(client, most if size is None else size, in_cache=True)
