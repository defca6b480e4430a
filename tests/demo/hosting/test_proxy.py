"""Behind a real nginx with the shipped configuration, the rules of ``docs/security.md`` hold."""

import asyncio
import json
import socket
import ssl
import time
from urllib.parse import urlsplit

import httpx
import pytest
import websockets.exceptions
from dashboard_hands import forget_runtime
from hosting_hands import NAME, free_ports, proxied
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from websockets.asyncio.client import connect

from app import build_app

__all__ = ["proxied"]  # a fixture
TRUSTING = ssl._create_unverified_context()
VISITOR = "127.0.0.9"


@pytest.fixture(scope="module")
def behind(serve, proxied, tmp_path_factory):
    """The whole application behind nginx: ``.address``, ``.direct`` past it, and ``.studio``."""
    patch = pytest.MonkeyPatch()
    for name, text in (
        ("IPH_PROXIES", "127.0.0.1"),
        ("IPH_HOSTS", f"{NAME},127.0.0.1"),
        ("IPH_CHUNK_SECONDS", "1"),
        ("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("cache"))),
    ):
        patch.setenv(name, text)
    forget_runtime()
    app = build_app()
    app.direct = serve(app)
    app.address = proxied([int(app.direct.rpartition(":")[2]), *free_ports(2)])
    yield app
    app.state.studio.close()
    patch.undo()


@pytest.fixture
def visitor(behind):
    transport = httpx.HTTPTransport(verify=TRUSTING, local_address=VISITOR)
    # No cookie yet, and of three replicas one lives: the first answer may come after two tries.
    with httpx.Client(base_url=behind.address, transport=transport, timeout=60) as client:
        yield client


def taken_from(behind, answer) -> str:
    """The address that a new session is counted for."""
    assert answer.status_code == 201, answer.text
    return behind.state.studio.store.sessions[answer.json()["session"]].client


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Client", "X-Gradio-Server"]
)
def test_a_visitor_is_who_connects_whatever_they_say(behind, visitor, header):
    said = {"Forwarded": "for=6.6.6.6"}.get(header, "6.6.6.6, 7.7.7.7")
    assert taken_from(behind, visitor.post("/studio/session", headers={header: said})) == VISITOR


def test_who_comes_past_the_proxy_speaks_for_nobody(behind):
    with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.8"), base_url=behind.direct) as client:
        answer = client.post("/studio/session", headers={"X-Forwarded-For": "6.6.6.6"})
    assert taken_from(behind, answer) == "127.0.0.8"


def test_names_and_pages_of_others_are_turned_away(visitor):
    assert visitor.get("/healthz", headers={"Host": NAME}).status_code == 200
    assert visitor.get("/healthz", headers={"Host": "evil.example"}).status_code == 421
    assert visitor.get("/healthz", headers={"X-Forwarded-Host": "evil.example"}).status_code == 200
    config = visitor.get("/config", headers={"Host": NAME, "X-Forwarded-Host": "evil.example"}).json()
    assert config["root"] == f"https://{NAME}" and "evil" not in json.dumps(config)
    for origin, status in (("https://evil.example", 403), (f"https://{NAME}", 201)):
        answer = visitor.post("/studio/session", headers={"Host": NAME, "Origin": origin})
        assert answer.status_code == status
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert "nginx/" not in answer.headers.get("server", "")


def test_the_dashboard_s_websocket(behind):
    address = f"{behind.address.replace('https', 'wss')}/leaderboard/_stcore/stream"

    async def subprotocol_from(origin: str) -> str | None:
        # Not the client with threads: one of its threads reads a TLS connection while the other writes.
        given = {"ssl": TRUSTING, "subprotocols": ["streamlit"], "open_timeout": 60}
        async with connect(address, origin=origin, **given) as opened:
            return opened.subprotocol

    assert asyncio.run(subprotocol_from(f"https://{urlsplit(address).netloc}")) == "streamlit"
    with pytest.raises(websockets.exceptions.InvalidStatus, match="403"):
        asyncio.run(subprotocol_from("https://evil.example"))


def raw(address: str, head: str, body: bytes = b"") -> str:
    """The answer to a request that is sent as it is, and no further."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=30) as plain:
        with TRUSTING.wrap_socket(plain) as sending:
            sending.sendall(f"{head}\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode() + body)
            parts = []
            while part := sending.recv(1 << 16):
                parts.append(part)
    return b"".join(parts).decode()


def test_uploads_that_are_cut_are_said_in_the_application_s_words(behind, visitor):
    taken = visitor.post("/studio/session").json()
    head = f"PUT /studio/session/{taken['session']}/upload HTTP/1.1\r\nX-Session-Key: {taken['key']}"
    large = raw(behind.address, f"{head}\r\nContent-Length: 500000000")
    assert " 413 " in large.splitlines()[0]
    said = json.loads(large.partition("\r\n\r\n")[2])
    assert said == {"code": "large", "message": "Expected a file of at most 361 MB, got a larger one."}
    slow = raw(behind.address, f"{head}\r\nContent-Length: 5000", b"begun")
    assert " 408 " in slow.splitlines()[0] and "took too long" in slow


def test_nobody_behind_the_proxy_is_a_sentence(proxied):
    answer = httpx.get(proxied(free_ports(3)), verify=TRUSTING, timeout=30)
    assert answer.status_code == 503
    assert answer.json() == {
        "code": "away",
        "message": "The server does not answer at the moment: please try again.",
    }


def test_a_browser_stays_and_who_takes_no_cookie_stays_by_address(serve, proxied):
    def replica(number: int) -> str:
        async def hello(request):
            return PlainTextResponse(str(number))

        return serve(Starlette(routes=[Route("/", hello, methods=["GET", "POST"])]))

    ports = [int(replica(number).rpartition(":")[2]) for number in (1, 2, 3)]
    address = proxied(ports)
    for number in "123":
        with httpx.Client(verify=TRUSTING, cookies={"iph_replica": number}) as client:
            assert [client.post(address).text for _ in range(4)] == [number] * 4  # and no other cookie came
    with httpx.Client(verify=TRUSTING) as client:
        first = client.get(address)
        cookie = first.headers["set-cookie"]
        assert cookie == f"iph_replica={first.text}; Path=/; HttpOnly; Secure; SameSite=Lax"
        again = client.get(address)
        assert again.text == first.text and "set-cookie" not in again.headers
    by_address = set()
    for last in range(1, 40):
        transport = httpx.HTTPTransport(verify=TRUSTING, local_address=f"127.0.3.{last}")
        with httpx.Client(transport=transport) as client:
            answers = {client.get(address).text for _ in range(3) if client.cookies.clear() is None}
        assert len(answers) == 1
        by_address |= answers
    assert by_address == {"1", "2", "3"}  # and visitors are spread


def test_a_replica_that_hangs_costs_a_wait_and_no_answer(serve, proxied):
    """A vote is asked of the next one; so is a page."""

    def app(number):
        async def answer(request):
            return PlainTextResponse(str(number))

        routes = [Route("/", answer), Route("/study/api/vote", answer, methods=["POST"])]
        return int(serve(Starlette(routes=routes)).rpartition(":")[2])

    with socket.create_server(("127.0.0.1", 0)) as hangs:  # takes connections and says nothing, like a stopped process
        address = proxied([hangs.getsockname()[1], app(2), app(3)], patience=1)
        for ask in (lambda client: client.post(f"{address}/study/api/vote"), lambda client: client.get(address)):
            time.sleep(6.5)  # until nginx has forgotten the failure: it counts five whole seconds of its clock
            with httpx.Client(verify=TRUSTING, cookies={"iph_replica": "1"}, timeout=30) as client:
                begun = time.monotonic()
                answer = ask(client)
                assert answer.text in ("2", "3") and time.monotonic() - begun >= 1
                assert f"iph_replica={answer.text};" in answer.headers["set-cookie"]
