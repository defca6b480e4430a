"""Fixtures of the screens' tests: a real Chromium, a page that reports its own errors, a server on a free port."""

import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
import uvicorn

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOCAL_HOSTS = {"127.0.0.1", "localhost"}
LOCAL_SCHEMES = {"data", "blob", "about"}


@pytest.fixture(scope="module")
def browser(chromium):
    """One headless Chromium for the tests of a module. (Not the whole session: Playwright keeps an event loop
    running in the main thread, which would break ``asyncio.run`` in other tests.)"""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """``page(url, width=1280, height=800, dark=False, **context)`` opens a page in a profile of its own.

    ``context`` goes to Playwright's ``new_context`` (``has_touch=True``, ``storage_state=...``). When the test ends,
    every uncaught JavaScript error and every request that left this machine fails it; ``page.errors`` and ``page.left``
    hold them for tests that want to look sooner.
    """
    contexts, errors, left = [], [], []

    def note_request(request):
        parts = urlsplit(request.url)
        if parts.scheme not in LOCAL_SCHEMES and parts.hostname not in LOCAL_HOSTS:
            left.append(request.url)

    def open_page(url=None, *, width=1280, height=800, dark=False, **context):
        contexts.append(
            browser.new_context(
                viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", **context
            )
        )
        opened = contexts[-1].new_page()
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.on("request", note_request)
        if url:
            opened.goto(url)
        return opened

    open_page.errors, open_page.left = errors, left
    yield open_page
    for context in contexts:
        context.close()
    assert not errors, f"uncaught errors in the page: {errors}"
    assert not left, f"requests that left this machine: {left}"


@pytest.fixture(scope="module")
def serve():
    """``serve(app)`` runs an ASGI app on a free loopback port until the module's tests end, and returns its address.
    keep_alive: seconds until a connection that nobody uses is closed."""
    running = []

    def start(app, keep_alive: int = 5) -> str:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", timeout_keep_alive=keep_alive, proxy_headers=False)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        running.append((server, thread))
        deadline = time.monotonic() + 60
        while not server.started:
            assert thread.is_alive() and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(10)
