"""What the plain routes of studio and study have in common: small bodies, and every refusal as JSON with a ``code`` for
the page and a ``message`` for people."""

import logging
import math
from collections.abc import Callable

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from demo.hosting.figures import refused
from demo.sentences import OUR_FAULT

log = logging.getLogger(__name__)


class Refusal(Exception):
    """What was asked is not done. ``seconds``: after which asking again may help, None if it does not."""

    def __init__(self, status: int, code: str, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.seconds = status, code, seconds


def refusal(status: int, code: str, message: str, seconds: float | None = None) -> JSONResponse:
    refused(code)
    headers = None if seconds is None else {"Retry-After": str(math.ceil(seconds))}
    # Half a surrogate pair, which JSON may hold in any text, is no text that can be sent back.
    shown = message.encode("utf-8", "replace").decode()
    return JSONResponse({"code": code, "message": shown}, status, headers)


class PlainRoute(APIRoute):
    """Refuses a POST without a length or with a long body. Other methods see to their bodies themselves."""

    body_limit = 1 << 20

    def explain(self, error: Exception) -> Response:
        """What is answered to an error."""
        if isinstance(error, Refusal):
            return refusal(error.status, error.code, str(error), error.seconds)
        if isinstance(error, RequestValidationError):
            first = error.errors()[0]
            return refusal(422, "invalid", f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        if isinstance(error, ClientDisconnect):
            return Response(status_code=400)  # nobody reads it
        if isinstance(error, HTTPException):  # a body that is no JSON at all
            return refusal(error.status_code, "invalid", str(error.detail))
        log.error("a request failed", exc_info=error)
        return refusal(500, "fault", OUR_FAULT)

    def get_route_handler(self) -> Callable:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            if request.method == "POST" and not self._is_small(request):
                return refusal(413, "invalid", "the request is too large")
            try:
                return await handle(request)
            except Exception as error:
                return self.explain(error)

        return guarded

    def _is_small(self, request: Request) -> bool:
        length = request.headers.get("content-length", "")
        return length.isdecimal() and len(length) < 16 and int(length) <= self.body_limit


def with_slash(request: Request) -> RedirectResponse:
    """Where a mounted page really lies; what was asked of it, such as a participant's number, goes along."""
    name, query = request.url.path.rpartition("/")[2], request.url.query
    return RedirectResponse(f"{name}/?{query}" if query else f"{name}/")
