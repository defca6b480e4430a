"""Connections of a real server: how many, and for how long without a word."""

import socket
import threading
import time

import pytest
import uvicorn

from demo.connections import BoundedProtocol, Connections


async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.send", "text": "heard"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def serve():
    """``serve(most, most_per_client, head_seconds)`` starts a server and returns its port."""
    servers = []

    def start(most=50, most_per_client=50, head_seconds=30.0, is_proxy=lambda client: False) -> int:
        bounds = Connections(most, most_per_client, is_proxy), head_seconds
        protocol = type("Protocol", (BoundedProtocol,), {"bounds": staticmethod(lambda: bounds)})
        server = uvicorn.Server(uvicorn.Config(app, port=0, http=protocol, lifespan="off", log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        servers.append((server, thread))
        return server.servers[0].sockets[0].getsockname()[1]

    yield start
    for server, thread in servers:
        server.should_exit = True
        thread.join(10)


REQUEST = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def answered(connection: socket.socket) -> bool:
    try:
        connection.sendall(REQUEST)
        said = b""
        while not said.endswith(b"ok") and (more := connection.recv(1000)):
            said += more
        return said.startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def test_a_client_has_so_many_connections_and_gets_them_back(serve):
    port = serve(most_per_client=3)
    held = [connect(port) for _ in range(3)]
    assert all(map(answered, held)) and not answered(connect(port))
    held.pop().close()
    time.sleep(0.1)
    assert answered(connect(port))


def test_all_clients_together_have_so_many(serve):
    port = serve(most=2)
    held = [connect(port) for _ in range(2)]
    assert all(map(answered, held)) and not answered(connect(port))


def test_a_proxy_carries_many(serve):
    port = serve(most_per_client=1, is_proxy=lambda client: client == "127.0.0.1")
    assert all(map(answered, [connect(port) for _ in range(3)]))


def closed_after(connection: socket.socket) -> float:
    start = time.monotonic()
    try:
        while connection.recv(1000):
            pass
    except OSError:
        pass
    return time.monotonic() - start


@pytest.mark.parametrize("said", [b"", b"GET / HT", REQUEST[:-2]])
def test_a_head_that_never_ends_is_given_up(serve, said):
    connection = connect(serve(head_seconds=0.3))
    connection.sendall(said)
    assert 0.2 < closed_after(connection) < 3


def test_the_next_request_of_a_connection_has_as_long(serve):
    connection = connect(serve(head_seconds=0.3))
    assert answered(connection)
    time.sleep(0.5)
    assert answered(connection)
    connection.sendall(b"GET / HT")
    assert closed_after(connection) < 3


def test_a_websocket_may_be_silent(serve):
    from websockets.sync.client import connect as open_socket

    port = serve(head_seconds=0.3, most_per_client=1)
    with open_socket(f"ws://127.0.0.1:{port}/") as talk:
        time.sleep(0.6)
        talk.send("still there?")
        assert talk.recv(timeout=5) == "heard"
        assert not answered(connect(port))
    time.sleep(0.2)
    assert answered(connect(port))
