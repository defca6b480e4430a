"""ASGI middleware in front of the gate: every request gets an id, is counted and timed, and logged where wanted."""

import secrets
import time
from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.gate_routes import Route, find_route
from demo.hosting.figures import REQUEST_SECONDS, REQUESTS
from demo.hosting.log_lines import REQUEST, requests

NONE = "none"  # what is asked for, but is no route of ours


class Watch:
    def __init__(self, app: ASGIApp, routes: Iterable[Route]) -> None:
        self.app, self.routes = app, tuple(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        method = scope.get("method", "WEBSOCKET")
        route = find_route(self.routes, method, scope["path"])
        label = NONE if route is None else f"{method} {route.shown(scope['path'])}"
        request, begun, status = secrets.token_hex(8), time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            match message["type"]:
                case "http.response.start" | "websocket.http.response.start":
                    status = message["status"]
                    MutableHeaders(scope=message)["x-request-id"] = request
                case "websocket.accept":
                    status = 101
                case "websocket.close" if status == 500:  # before it was accepted
                    status = 403
            await send(message)

        before = REQUEST.set(request)
        try:
            await self.app(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - begun
            REQUESTS.labels(label, status).inc()
            if scope["type"] == "http":  # a websocket stays open as long as its page
                REQUEST_SECONDS.labels(label).observe(seconds)
            fields = {"route": label, "status": status, "seconds": round(seconds, 4)}
            requests.info("request", extra={"fields": fields})
            REQUEST.reset(before)
