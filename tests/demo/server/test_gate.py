"""What the gate lets through, what it turns away, and what it says on the way out."""

import asyncio
import json
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route as AppRoute

from demo.gate import LOOPBACK, Gate, Parts, Rules, own_names
from demo.gate_routes import Route, dashboard_routes, find_route, studio_routes, study_routes
from demo.uploads import receive

LIMITS = {"small": 1000, "form": 5000}
ROUTES = (
    Route(("GET", "HEAD"), "/"),
    Route(("POST",), "/event"),
    Route(("POST",), "/upload", "form"),
    Route(("GET",), r"/file=/[^:]*"),
)


async def echo(request: Request) -> JSONResponse:
    body = await request.body()
    about = {"size": len(body), "client": request.client and request.client.host, "scheme": request.url.scheme}
    return JSONResponse(about | {"headers": dict(request.headers)})


async def told_at_once(request: Request) -> StreamingResponse:
    async def lines():
        yield b"begun"
        async for chunk in request.stream():
            yield chunk

    return StreamingResponse(lines())


def gated(**rules) -> Gate:
    app = Starlette(routes=[AppRoute("/{path:path}", echo, methods=["GET", "POST", "PUT", "DELETE"])])
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)
    return Gate(app, Rules(**rules), LIMITS, ROUTES)


def ask(method: str, path: str, client: str = "9.9.9.9", host: str = "localhost:7860", headers=None, gate=None, **more):
    async def asked():
        transport = httpx.ASGITransport(gate or gated(), client=(client, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as session:
            return await session.request(method, path, headers={"host": host, **(headers or {})}, **more)

    return asyncio.run(asked())


def test_what_is_on_the_list_gets_through():
    assert ask("GET", "/").status_code == 200
    assert ask("POST", "/event", content=b"x" * 1000).json()["size"] == 1000


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/other"),
        ("POST", "/"),
        ("DELETE", "/event"),
        ("OPTIONS", "/event"),
        ("TRACE", "/"),
        ("GET", "/Event"),
        ("GET", "/file=http://a.b/c"),
        ("GET", "/file=/http:/a.b"),
        ("GET", "/file=%68ttp://a.b"),
        ("GET", "/file=//a.b/c"),
        ("GET", "/file=/%2fa.b/c"),
        ("GET", "/file=/a/../../etc/passwd"),
        ("GET", "/file=/a/%2e%2e/etc/passwd"),
        ("GET", "/file=/a%5c..%5cpasswd"),
        ("GET", "/file=/a%00.png"),
    ],
)
def test_what_is_not_on_the_list_does_not_exist(method, path):
    assert ask(method, path).status_code == 404


@settings(max_examples=100)
@given(st.text(max_size=30), st.sampled_from(["GET", "POST", "PUT", "PATCH"]))
def test_nothing_but_the_list_is_found(path, method):
    route = find_route(ROUTES, method, path)
    assert route is None or (method in route.methods and (path in ("/", "/event", "/upload") or path[:7] == "/file=/"))


def test_a_large_body_is_refused_before_it_is_read_or_while_it_comes():
    assert ask("POST", "/event", content=b"x" * 1001).status_code == 413

    async def chunks():
        for _ in range(20):
            yield b"x" * 100

    answer = ask("POST", "/event", content=chunks())  # chunked: no length is said
    assert answer.status_code == 413 and "at most" in answer.json()["message"]
    assert ask("POST", "/upload", content=b"x" * 5000, headers={"content-type": "image/png"}).status_code == 200


def test_who_is_refused_by_the_head_may_finish_sending_and_reads_the_answer(serve):
    """Cut off in the middle, a client is told "connection reset" instead of why."""
    where = urlsplit(serve(gated()))
    with socket.create_connection((where.hostname, where.port), timeout=60) as connection:
        connection.sendall(b"POST /nowhere HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900000\r\n\r\n")
        time.sleep(0.1)  # the head is read, and the refusal decided
        connection.sendall(b"x" * 900_000)
        said = b""
        while more := connection.recv(100_000):
            said += more
    assert said.startswith(b"HTTP/1.1 404") and b"no such page" in said


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "9" * 30, "1, 1"])
def test_a_length_that_is_no_number_is_refused(length):
    assert ask("POST", "/event", content=b"x", headers={"content-length": length}).status_code == 400


def multipart(files: int) -> dict:
    return {"files": [("files", (f"{n}.png", b"--x" * 50, "image/png")) for n in range(files)]}


def test_one_file_a_request():
    assert ask("POST", "/upload", **multipart(1)).status_code == 200
    answer = ask("POST", "/upload", **multipart(2))
    assert answer.status_code == 413 and "one file" in answer.json()["message"]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(0, 4))
def test_parts_are_counted_however_the_body_is_cut(cuts, parts):
    body = b"".join(b"--mark\r\n\r\nabc-mar--mar\r\n" for _ in range(parts)) + b"--mark--\r\n"
    counted, at, more = Parts("multipart/form-data; boundary=mark"), 0, False
    for cut in [*cuts, len(body)]:
        more = counted.more_than_one(body[at : at + cut])
        at += cut
    assert more == (parts > 1)


def test_a_body_that_dawdles_is_given_up():
    async def slow():
        yield b"x"
        await asyncio.sleep(5)
        yield b"y"

    answer = ask("POST", "/event", content=slow(), gate=gated(chunk_seconds=0.1))
    assert answer.status_code == 408

    async def drops():
        for _ in range(50):
            yield b"x"
            await asyncio.sleep(0.05)

    assert ask("POST", "/event", content=drops(), gate=gated(chunk_seconds=0.2, body_seconds=0.5)).status_code == 408


def test_a_client_has_so_many_websockets_and_gets_them_back():
    async def talk(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    async def opened(gate: Gate, client: str) -> tuple[asyncio.Task, asyncio.Queue, list]:
        said, answers = asyncio.Queue(), []
        await said.put({"type": "websocket.connect"})

        async def send(message):
            answers.append(message["type"])

        scope = {"type": "websocket", "path": "/stream", "scheme": "ws", "client": (client, 1)}
        task = asyncio.create_task(gate({**scope, "headers": [(b"host", b"localhost")]}, said.get, send))
        await asyncio.sleep(0.01)
        return task, said, answers

    async def tried():
        rules = Rules(sockets=9, sockets_per_client=2)
        gate = Gate(talk, rules, LIMITS, (Route(("WEBSOCKET",), "/stream"),))
        held = [await opened(gate, client) for client in ("9.9.9.9", "9.9.9.9", "9.9.9.9", "8.8.8.8")]
        assert [answers[0].rpartition(".")[2] for _, _, answers in held] == ["accept", "accept", "close", "accept"]
        task, said, _ = held[0]
        await said.put({"type": "websocket.disconnect"})
        await task
        assert (await opened(gate, "9.9.9.9"))[2] == ["websocket.accept"]

    asyncio.run(tried())


def test_an_upload_that_dawdles_leaves_nothing_on_the_disk(tmp_path):
    path = tmp_path / "upload"

    async def take(request: Request) -> JSONResponse:
        await receive(request.stream(), path, 5000)
        return JSONResponse({})

    async def slow():
        yield b"x"
        while not path.exists():
            await asyncio.sleep(0.01)
        await asyncio.sleep(5)
        yield b"y"

    app = Starlette(routes=[AppRoute("/upload", take, methods=["POST"])])
    answer = ask("POST", "/upload", content=slow(), gate=Gate(app, Rules(chunk_seconds=0.3), LIMITS, ROUTES))
    assert answer.status_code == 408 and not path.exists()


@pytest.mark.parametrize(
    ("seen", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("203.0.113.7:50123", "203.0.113.7"),
        ("[2001:db8:1:2::9]:50123", "2001:db8:1:2::"),
        ("::1", "::1"),
        ("127.0.0.1", "127.0.0.1"),
    ],
)
def test_who_has_a_whole_network_of_addresses_counts_as_one(seen, counted):
    assert ask("GET", "/", client=seen).json()["client"] == counted
    proxied = {"headers": {"x-forwarded-for": seen}, "gate": gated(proxies=("9.9.9.9",))}
    assert ask("GET", "/", **proxied).json()["client"] == counted


@pytest.mark.parametrize("host", ["localhost", "localhost:7860", "127.0.0.1:1", "[::1]:7860", "LOCALHOST"])
def test_loopback_names_are_ours(host):
    assert ask("GET", "/", host=host).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "10.0.0.1", "", "[", "a b", "a@b"])
def test_other_names_are_not(host):
    assert ask("GET", "/", host=host).status_code in (400, 421)


def test_an_administrator_names_hosts():
    gate = gated(hosts=("studio.example.org",))
    assert ask("GET", "/", host="studio.example.org", gate=gate).status_code == 200
    assert ask("GET", "/", host="localhost", gate=gate).status_code == 421
    assert ask("GET", "/", host="any.thing", gate=gated(hosts=("*",))).status_code == 200


def test_a_server_for_others_answers_to_addresses_but_not_to_names():
    assert own_names("127.0.0.1") == LOOPBACK
    gate = gated(hosts=own_names("0.0.0.0"))
    assert ask("GET", "/", host="192.168.1.5:7860", gate=gate).status_code == 200
    assert ask("GET", "/", host="rebound.example", gate=gate).status_code == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:1", "file://", "https://localhost.e"]
)
def test_a_foreign_page_changes_nothing_and_reads_nothing(origin):
    assert ask("POST", "/event", headers={"origin": origin}).status_code == 403
    answer = ask("GET", "/", headers={"origin": origin})
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_our_own_page_and_programs_do():
    assert ask("POST", "/event", headers={"origin": "http://localhost:7860"}).status_code == 200
    assert ask("POST", "/event").status_code == 200
    assert ask("POST", "/event", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    gate = gated(hosts=("studio.example.org",))  # behind a proxy that speaks TLS
    secure = {"origin": "https://studio.example.org"}
    assert ask("POST", "/event", host="studio.example.org", headers=secure, gate=gate).status_code == 200


def test_every_answer_says_what_a_browser_may_do_with_it():
    for answer in (ask("GET", "/"), ask("GET", "/other"), ask("GET", "/", host="evil.example")):
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
        assert "object-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert "server" not in answer.headers and "strict-transport-security" not in answer.headers
    framed = ask("GET", "/", gate=gated(frames=("https://huggingface.co",)))
    assert "frame-ancestors 'self' https://huggingface.co" in framed.headers["content-security-policy"]


SPOOFED = {
    "x-forwarded-for": "1.1.1.1, 2.2.2.2",
    "x-forwarded-proto": "https",
    "x-gradio-server": "http://evil.example",
}


def test_nobody_else_says_who_asks():
    seen = ask("GET", "/", headers=SPOOFED).json()
    assert seen["client"] == "9.9.9.9" and seen["scheme"] == "http"
    assert not [name for name in seen["headers"] if name.startswith("x-forwarded") or name == "x-gradio-server"]


@pytest.mark.parametrize(("hops", "client"), [(1, "2.2.2.2"), (2, "1.1.1.1"), (3, "1.1.1.1")])
def test_a_named_proxy_does_counted_from_the_right(hops, client):
    gate = gated(proxies=("9.9.0.0/16",), hops=hops)
    answer = ask("GET", "/", headers=SPOOFED, gate=gate)
    assert answer.json()["client"] == client and answer.json()["scheme"] == "https"
    assert answer.headers["strict-transport-security"]
    assert "x-gradio-server" not in answer.json()["headers"]
    assert ask("GET", "/", headers=SPOOFED, gate=gate, client="8.8.8.8").json()["client"] == "8.8.8.8"


def test_a_name_that_a_proxy_forwards_is_checked_too():
    gate = gated(proxies=("9.9.9.9",))
    assert ask("GET", "/", headers={"x-forwarded-host": "evil.example"}, gate=gate).status_code == 421
    assert ask("GET", "/", headers={"x-forwarded-host": "evil.example"}).status_code == 200  # not a proxy: dropped


def test_a_refusal_is_one_json_sentence():
    said = json.loads(ask("GET", "/", host="evil.example").content)
    assert said["code"] == "refused" and "IPH_HOSTS" in said["message"]


def test_an_answer_that_had_begun_is_not_answered_twice():
    app = Starlette(routes=[AppRoute("/event", told_at_once, methods=["POST"])])
    messages = []

    async def asked():
        gate = Gate(app, Rules(), LIMITS, ROUTES)
        chunks = iter([{"type": "http.request", "body": b"x" * 900, "more_body": True}] * 3)
        head = [(b"host", b"localhost"), (b"transfer-encoding", b"chunked")]
        scope = {"type": "http", "method": "POST", "path": "/event", "headers": head, "scheme": "http"}
        scope |= {"query_string": b"", "http_version": "1.1", "client": ("9.9.9.9", 1), "server": ("localhost", 80)}

        async def receive():
            return next(chunks)

        async def send(message):
            messages.append(message)

        await gate({**scope, "root_path": "", "raw_path": b"/event"}, receive, send)

    try:
        asyncio.run(asked())
    except Exception:  # the app may say that its client has left
        pass
    assert [message["type"] for message in messages].count("http.response.start") <= 1


@pytest.mark.parametrize(("api", "mcp"), [(True, True), (False, True), (True, False), (False, False)])
def test_api_and_mcp_can_each_be_switched_off(api, mcp):
    routes = studio_routes(api, mcp)
    assert (find_route(routes, "POST", "/gradio_api/upload") is not None) == api
    assert (find_route(routes, "POST", "/gradio_api/call/harmonize") is not None) == api
    assert (find_route(routes, "POST", "/gradio_api/mcp/") is not None) == mcp
    assert (find_route(routes, "GET", "/gradio_api/file=/tmp/a/b.png") is not None) == (api or mcp)
    assert find_route(routes, "POST", "/studio/session") and find_route(routes, "GET", "/")


@pytest.mark.parametrize(
    "path",
    [
        *("/gradio_api/component_server", "/gradio_api/process_recording", "/gradio_api/deep_link", "/monitoring"),
        *("/gradio_api/run/harmonize", "/gradio_api/api/harmonize", "/gradio_api/proxy=http://a.b/c", "/vibe-code"),
        *("/gradio_api/call/studio_save", "/gradio_api/file/tmp/a", "/gradio_api/stream/a", "/dev/reload", "/runs"),
        *("/study/gradio_api/upload", "/study/gradio_api/queue/join", "/study/gradio_api/file=/tmp/a/b.png"),
        *("/leaderboard/_stcore/upload_file/a/b", "/leaderboard/_stcore/metrics", "/docs", "/openapi.json"),
    ],
)
def test_what_nobody_needs_is_not_on_the_real_list(path):
    routes = (*studio_routes(), *study_routes(), *dashboard_routes())
    assert not [
        method for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH") if find_route(routes, method, path)
    ]
