"""Closed routes, uploads only, and so many calls a client."""

import asyncio

import gradio as gr
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from demo.rate_limit import RateLimit
from demo.studio.limits import ClosedBlocks, ClosedRoutes, uploads_only

UPLOAD = {"path": "/tmp/gradio/ab/x.png", "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/x.png",
        "https://example.org/x.png",
        " HTTPS://example.org",
        "file:///etc/passwd",
        "ftp://a/b",
        "data:x",
    ],
)
def test_an_address_in_place_of_a_file_is_refused(address):
    for value in ({"path": address}, [UPLOAD, {"path": address}], {"photo": {"deep": [{"path": address}]}}):
        with pytest.raises(gr.Error, match="fetches nothing"):
            uploads_only(value)


def test_uploads_and_everything_else_pass():
    value = [UPLOAD, {"strength": 0.5, "text": "http://example.org"}, None, 3, "a"]
    assert uploads_only(value) == value
    own = {"path": "http://127.0.0.1:7860/gradio_api/file=/tmp/gradio/ab/x.png", "url": "http://elsewhere/"}
    assert uploads_only(own) == {"path": "/tmp/gradio/ab/x.png", "url": None}


def test_routes_that_nobody_needs_are_closed_and_uploads_counted():
    now = [0.0]
    limit = RateLimit(rate=1, burst=8, clock=lambda: now[0])
    routes = [Route("/{path:path}", lambda request: PlainTextResponse("open"), methods=["GET", "POST"])]
    client = TestClient(Starlette(routes=routes, middleware=[Middleware(ClosedRoutes, limit=limit)]))
    for path in ("file=http://127.0.0.1/x", "proxy=http://a.b/", "process_recording", "deep_link", "vibe-code/"):
        assert client.get(f"/gradio_api/{path}").status_code == 404
    for path in ("", "config", "gradio_api/file=/tmp/gradio/x.png", "gradio_api/info", "assets/index.js"):
        assert client.get(f"/{path}").text == "open"
    answers = [client.post("/gradio_api/upload").status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    now[0] = 4.0
    assert client.post("/gradio_api/upload").status_code == 200


def test_too_many_calls_are_told_to_wait():
    with ClosedBlocks() as app:
        app.limit = RateLimit(rate=0.5, burst=2)
        gr.api(_double, api_name="double")
    request = gr.Request(client={"host": "10.0.0.1"})
    call = lambda: asyncio.run(app.process_api(0, [2], request=request))  # noqa: E731
    assert [call()["data"] for _ in range(2)] == [[4], [4]]
    with pytest.raises(gr.Error, match="please wait 2 seconds"):
        call()


def _double(number: int) -> int:
    return 2 * number


def test_a_token_comes_back_with_time_and_clients_are_counted_apart():
    now = [0.0]
    limit = RateLimit(rate=2, burst=4, clients=2, clock=lambda: now[0])
    assert [limit.wait("a") for _ in range(5)] == [0, 0, 0, 0, 0.5]
    assert limit.wait("b", 4) == 0
    now[0] = 0.5
    assert limit.wait("a") == 0 and limit.wait("a") == pytest.approx(0.5)
    limit.wait("c")
    assert limit.wait("b", 4) == 0  # forgotten as the oldest of three, and so new
