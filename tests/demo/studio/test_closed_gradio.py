"""Uploads only, room for what comes, and so many calls a client."""

import asyncio

import gradio as gr
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from demo.rate_limit import RateLimit
from demo.settings import Settings
from demo.studio.closed_gradio import ClosedBlocks, FilesOnTheirWay, uploads_only
from demo.studio.limits import Limits
from demo.studio.session_store import SessionStore
from demo.uploads import MAX_CALL


@pytest.fixture
def upload(tmp_path, monkeypatch):
    """A file that a caller uploaded."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    file = tmp_path / "ab" / "x.png"
    file.parent.mkdir()
    file.write_bytes(b"a picture")
    return {"path": str(file), "url": None, "meta": {"_type": "gradio.FileData"}}


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
def test_an_address_in_place_of_a_file_is_refused(address, upload):
    for value in ({"path": address}, [upload, {"path": address}], {"photo": {"deep": [{"path": address}]}}):
        with pytest.raises(gr.Error, match="fetches nothing"):
            uploads_only(value)


def test_uploads_and_everything_else_pass(upload):
    value = [upload, {"strength": 0.5, "text": "http://example.org"}, None, 3, "a"]
    assert uploads_only(value) == value
    own = {"path": f"http://127.0.0.1:7860/gradio_api/file={upload['path']}", "url": "http://elsewhere/"}
    assert uploads_only(own) == {"path": upload["path"], "url": None}


@pytest.fixture
def limits(tmp_path):
    """``limits(**settings)`` are those of a studio of its own."""
    made = []

    def make(**settings):
        settings = Settings(**settings)
        made.append(Limits(settings, SessionStore(settings), tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def asked(limits):
    """A server that takes all that comes and says how many bytes it was, behind limits of its own."""

    async def read(request):
        return PlainTextResponse(str(len(await request.body())))

    def make(**settings):
        shared = limits(**settings)
        routes = [Route("/{path:path}", read, methods=["GET", "POST"])]
        return shared, TestClient(Starlette(routes=routes, middleware=[Middleware(FilesOnTheirWay, limits=shared)]))

    return make


def test_uploads_are_counted(asked):
    now = [0.0]
    shared, client = asked()
    shared.requests = RateLimit(rate=1, burst=8, clock=lambda: now[0])
    for path in ("", "config", "gradio_api/file=/tmp/gradio/x.png", "gradio_api/upload_progress"):
        assert client.get(f"/{path}").text == "0"
    answers = [client.post("/gradio_api/upload").status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    now[0] = 4.0
    assert client.post("/gradio_api/upload").status_code == 200
    now[0] = 8.0
    shared.uploads.most = 0
    refused = client.post("/gradio_api/upload")
    assert refused.status_code == 503 and "Too many people" in refused.text and refused.headers["Retry-After"]


@pytest.mark.parametrize("path", ["gradio_api/upload", "gradio_api/mcp", "gradio_api/mcp/messages"])
def test_there_is_room_on_the_disk_before_a_file_comes(asked, path):
    """A file of MCP's is in the call itself; one that does not say its size may be the largest."""
    shared, client = asked(temporary_bytes=MAX_CALL + 2000, temporary_bytes_per_client=MAX_CALL)
    assert client.post(f"/{path}", content=b"x" * 1000).text == "1000"
    with shared.space.reserved("another", MAX_CALL - 1):
        refused = client.post(f"/{path}", content=b"x" * 1001)
        assert refused.status_code == 507 and "no room for more" in refused.text
    shared.space.measure()
    assert client.post(f"/{path}", content=b"x" * 1000).status_code == 200
    assert client.post(f"/{path}", content=iter([b"x" * 1000])).status_code == 507


def test_too_many_calls_are_told_to_wait(limits):
    with ClosedBlocks() as app:
        app.limits = limits(requests_per_second=0.5, requests_at_once=2)
        gr.api(_double, api_name="double")
    request = gr.Request(client={"host": "10.0.0.1"})
    call = lambda: asyncio.run(app.process_api(0, [2], request=request))  # noqa: E731
    assert [call()["data"] for _ in range(2)] == [[4], [4]]
    with pytest.raises(gr.Error, match="please wait 2 seconds"):
        call()


def _double(number: int) -> int:
    return 2 * number


def test_a_full_disk_is_told_before_anything_is_done(limits, tmp_path):
    with ClosedBlocks() as app:
        app.limits = limits(temporary_bytes=1000)
        gr.api(_double, api_name="double")
    (tmp_path / "result.png").write_bytes(b"x" * 1000)
    app.limits.space.measure()
    with pytest.raises(gr.Error, match="no room for more pictures"):
        asyncio.run(app.process_api(0, [2], request=gr.Request(client={"host": "10.0.0.1"})))
