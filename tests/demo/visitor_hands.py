"""The studio on a server, and the hands of a visitor in a browser, for the tests of its page."""

import base64
import time

import numpy as np
import pytest
from fastapi import FastAPI
from studio_pictures import disc, scene, write

from demo.gate_routes import studio_routes
from demo.server import close
from demo.settings import Settings
from demo.studio.page import mount_studio

PATIENCE = 90_000  # milliseconds; other work may share the machine
KEEP_ALIVE = 2  # seconds until the server closes a connection that nobody uses
GENEROUS = Settings(requests_per_second=1000, requests_at_once=1000, sessions_per_client=60, sweep_seconds=0.2)
CANVAS = """() => {
    const c = document.querySelector('canvas.after');
    const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
    let text = '';
    for (const value of d) text += String.fromCharCode(value);
    return [c.width, c.height, btoa(text)];
}"""

KEPT = """async () => {
    const open = indexedDB.open('iph-studio');
    const db = await new Promise((done) => { open.onsuccess = () => done(open.result); });
    const read = (name) => new Promise((done) => {
        const all = db.transaction(name).objectStore(name).getAll();
        all.onsuccess = () => done(all.result);
    });
    const [originals, works] = [await read('originals'), await read('works')];
    db.close();
    return [originals.length, works.length ? (works[0].work ? works[0].work.steps.length : 0) : 0];
}"""


@pytest.fixture(scope="module")
def studio(serve, tmp_path_factory):
    patch = pytest.MonkeyPatch()
    cache = str(tmp_path_factory.mktemp("cache"))
    patch.setenv("GRADIO_TEMP_DIR", cache)
    patch.setattr("gradio.mcp.DEFAULT_TEMP_DIR", cache)  # read from the environment when it was imported
    app = FastAPI()
    studio = mount_studio(app, GENEROUS)
    close(app, GENEROUS, studio_routes())
    studio.address = serve(app, KEEP_ALIVE)
    yield studio
    studio.close()
    patch.undo()


@pytest.fixture
def visit(page, studio):
    """``visit(**page options)`` opens the studio."""

    def go(**options):
        opened = page(**options)
        opened.set_default_timeout(PATIENCE)
        opened.goto(studio.address)
        opened.wait_for_selector(".gallery .example")
        return opened

    return go


@pytest.fixture
def files(tmp_path):
    return {
        "background": write(tmp_path / "beach.png", scene(240, 320)),
        "person": write(tmp_path / "me.png", scene(160, 120, 2), disc(160, 120)),
        "other": write(tmp_path / "sunset.jpg", scene(90, 90, 7)),
    }


def put(opened, files):
    """Background and person, and the first result."""
    for kind in ("background", "person"):
        opened.set_input_files(f".drop[data-kind={kind}] input", files[kind])
        opened.wait_for_function(f"!document.querySelector('.drop[data-kind={kind}].waiting')")
        if kind == "background":
            opened.wait_for_selector(".drop.filled")
    opened.wait_for_selector(".split:not([hidden])")
    quiet(opened)


def quiet(opened):
    """Nothing is on its way: no event, no thumbnail, no drag."""
    opened.wait_for_function(
        "!document.querySelector('#studio [data-busy], .card.stale, .frame[data-dragging]')"
        " && !document.querySelector('#studio .html-container > [data-busy]')"
    )


def point(opened, x, y):
    """A place on the picture, in pixels of the window."""
    box = opened.query_selector(".frame").bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def hurry(opened):
    """Let the page's pauses before another try pass quickly."""
    opened.evaluate(
        "() => { const wait = setTimeout;"
        " window.setTimeout = (f, ms, ...rest) => wait(f, ms < 10000 ? ms / 20 : ms, ...rest); }"
    )


def drag(opened, start, end):
    opened.mouse.move(*point(opened, *start))
    opened.mouse.down()
    opened.mouse.move(*point(opened, *end), steps=3)
    opened.mouse.up()


def canvas(opened) -> np.ndarray:
    width, height, data = opened.evaluate(CANVAS)
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)[..., :3]


def shown(opened, expected, within=0):
    """Wait until the canvas shows exactly these pixels, or within so many levels."""
    deadline = time.monotonic() + PATIENCE / 1000
    while (now := canvas(opened)).shape != expected.shape or np.abs(now.astype(int) - expected).max() > within:
        assert time.monotonic() < deadline, now.shape == expected.shape and np.abs(now.astype(int) - expected).max()
        time.sleep(0.1)


def arrived(condition):
    """Wait until the server has what the page sent; it may not even be on its way yet, and the page still quiet."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.05)


def kept(opened, originals, steps):
    """Wait until the browser has a copy of so many photos and so many steps."""
    deadline = time.monotonic() + PATIENCE / 1000
    while opened.evaluate(KEPT) != [originals, steps]:
        assert time.monotonic() < deadline, opened.evaluate(KEPT)
        time.sleep(0.2)


def project(studio):
    """The work of the visitor who came last, or did something last."""
    return studio.store.sessions[next(reversed(studio.store.sessions))].project


def download(opened, what, folder):
    with opened.expect_download(timeout=PATIENCE) as started:
        opened.click(f"[data-save={what}]")
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path
