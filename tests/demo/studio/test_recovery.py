"""Never stuck: a server that restarts, freezes or is cut off amid each kind of event, and the work afterwards."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from visitor_hands import PATIENCE, canvas, drag, files, hurry, kept, project, put, quiet, shown, studio, visit

from iph.images.imagefile import read_photo

__all__ = ["files", "studio", "visit"]  # fixtures

pytestmark = pytest.mark.browser
SERVER = """
import sys, uvicorn
from fastapi import FastAPI
from demo.gate_routes import studio_routes
from demo.server import close
from demo.settings import Settings
from demo.studio.page import mount_studio
app, settings = FastAPI(), Settings()
mount_studio(app, settings)
close(app, settings, studio_routes())
uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
"""


def work(opened, studio):
    """Some of everything, and what the canvas shows then."""
    drag(opened, (0.7, 0.7), (0.66, 0.68))
    opened.wait_for_selector("[data-do=undo]:not([disabled])")
    quiet(opened)
    opened.keyboard.press("c")
    opened.keyboard.press("e")
    drag(opened, (0.45, 0.5), (0.55, 0.5))
    opened.wait_for_function("document.querySelectorAll('.history li').length === 3")
    opened.focus("[data-amount=strength]")
    opened.keyboard.press("ArrowLeft")
    opened.wait_for_function("document.querySelectorAll('.history li').length === 4")
    opened.keyboard.press("r")
    quiet(opened)
    now = project(studio)
    seen = now.mapping.blended(**vars(now.amounts)).apply(now.scene.pixels, now.scene.mask)
    shown(opened, seen)
    return seen


def test_the_work_comes_back_by_itself_after_a_restart_and_on_another_server(visit, studio, files):
    opened = visit()
    put(opened, files)
    seen = work(opened, studio)
    kept(opened, 2, 4)
    studio.store.close()  # as a restart does
    opened.reload()
    opened.wait_for_selector(".split:not([hidden])")
    quiet(opened)
    assert np.abs(canvas(opened).astype(int) - seen).max() <= 2  # a mask is kept in 255 steps
    assert [step.name for step in project(studio).history.steps][1:] == ["Moved", "Eraser: person", "Strength 99 %"]
    opened.keyboard.press("Control+z")
    opened.wait_for_function("document.querySelector('[data-amount=strength]').value === '100'")
    opened.dblclick("[data-do=restart]")
    opened.wait_for_selector(".start:not([hidden])")
    kept(opened, 0, 0)  # nothing stays in the browser once it is not wanted


ACTS = {
    "take": lambda opened, files: opened.click(".card[aria-pressed=false] >> nth=0"),
    "place": lambda opened, files: opened.press(".frame", "ArrowLeft"),
    "adjust": lambda opened, files: opened.press("[data-amount=chroma]", "ArrowLeft"),
    "open": lambda opened, files: opened.set_input_files("[data-kind=other] input", files["other"]),
    "undo": lambda opened, files: opened.keyboard.press("Control+z"),
    "go": lambda opened, files: opened.evaluate("document.querySelector('.history li:last-child button').click()"),
}


@pytest.mark.parametrize("act", ACTS)
def test_whatever_is_done_after_a_restart_is_done(visit, studio, files, act):
    opened = visit()
    put(opened, files)
    opened.press("[data-amount=strength]", "ArrowLeft")
    opened.wait_for_function("document.querySelectorAll('.history li').length === 2")
    quiet(opened)
    kept(opened, 2, 2)
    studio.store.close()
    ACTS[act](opened, files)
    if act in ("undo", "go"):
        opened.wait_for_function("document.querySelector('[data-amount=strength]').value === '100'")
    else:
        opened.wait_for_function("document.querySelectorAll('.history li').length === 3")
    quiet(opened)
    assert project(studio).history.at == {"undo": 0, "go": 0}.get(act, 2)
    assert opened.is_hidden(".toast")


def test_whatever_is_cut_off_before_its_answer_is_done_once(visit, studio, files):
    opened = visit()
    put(opened, files)
    opened.press("[data-amount=strength]", "ArrowLeft")
    opened.wait_for_function("document.querySelectorAll('.history li').length === 2")
    hurry(opened)
    lost = []

    def lose(route):
        event = route.request.post_data_json["event"]
        if event == "thumbnails" or event in lost:
            return route.continue_()
        lost.append(event)
        route.fetch()  # done, but the answer does not arrive
        route.abort()

    opened.route("**/event", lose)
    seen = "at => document.querySelectorAll('.history li:not(.undone)').length === at + 1"
    for act, at in (("take", 2), ("place", 3), ("adjust", 4), ("open", 5), ("undo", 4), ("go", 0)):
        quiet(opened)
        ACTS[act](opened, files)
        opened.wait_for_function(seen, arg=at)
        assert project(studio).history.at == at
    assert lost == list(ACTS)
    opened.unroute_all()
    assert len(project(studio).history.steps) == 6


def test_a_download_after_a_restart_comes_once_and_says_where_it_failed(visit, studio, files, tmp_path):
    opened = visit()
    put(opened, files)
    kept(opened, 2, 1)
    studio.store.close()
    loads = []
    opened.on("download", lambda load: loads.append(load))
    with opened.expect_download(timeout=PATIENCE) as started:
        opened.dblclick("[data-save=photo]")
    started.value.save_as(tmp_path / "one.png")
    quiet(opened)
    time.sleep(0.5)
    assert len(loads) == 1 and read_photo(tmp_path / "one.png").pixels.shape == (240, 320, 3)
    hurry(opened)
    opened.route("**/studio/file/**/tmp*", lambda route: route.abort())
    opened.click("[data-save=recipe]")
    opened.wait_for_selector(".toast[role=alert]:not([hidden]) [data-do=act]:not([hidden])")
    assert "beach-harmonized.json stopped at 0 %" in opened.inner_text(".toast")
    opened.unroute_all()
    with opened.expect_download(timeout=PATIENCE) as started:
        opened.click("[data-do=act]")
    assert started.value.suggested_filename == "beach-harmonized.json"


def test_who_lost_the_work_to_another_page_can_take_it_back(visit, studio, files):
    opened = visit()
    put(opened, files)
    twin = opened.context.new_page()
    stored = {name: opened.evaluate(f"sessionStorage.getItem('{name}')") for name in ("iph-session", "iph-work")}
    for name, value in stored.items():
        twin.add_init_script(f"sessionStorage.getItem('{name}') || sessionStorage.setItem('{name}', '{value}')")
    twin.goto(studio.address)
    twin.wait_for_selector(".toast[role=alert]:not([hidden])", timeout=PATIENCE)
    twin.click("[data-do=act]")
    twin.wait_for_selector(".split:not([hidden])", timeout=PATIENCE)
    opened.press("[data-amount=strength]", "ArrowLeft")
    opened.wait_for_selector(".toast[role=alert]:not([hidden]) >> text=open on another page")
    opened.click("[data-do=act]")
    quiet(opened)
    opened.press("[data-amount=strength]", "ArrowLeft")
    opened.wait_for_function("document.querySelectorAll('.history li').length === 2")
    twin.close()


@pytest.fixture
def process(tmp_path):
    """``process()`` starts a server of its own, always at the same address; it is killed in the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, running = f"http://127.0.0.1:{port}", []

    def start():
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "GRADIO_TEMP_DIR": str(tmp_path)}
        running.append(subprocess.Popen([sys.executable, "-c", SERVER, str(port)], env=environment))
        deadline = time.monotonic() + 90
        while True:
            try:
                urllib.request.urlopen(address, timeout=5).close()
                return running[-1]
            except OSError:
                assert time.monotonic() < deadline and running[-1].poll() is None
                time.sleep(0.2)

    start.address = address
    yield start
    for one in running:
        one.kill()
        one.wait()


def test_a_server_that_freezes_and_one_that_is_killed_lose_nothing(page, process, files):
    server = process()
    opened = page()
    opened.set_default_timeout(PATIENCE)
    opened.goto(process.address)
    opened.wait_for_selector(".gallery .example")
    put(opened, files)
    kept(opened, 2, 1)
    server.send_signal(signal.SIGSTOP)
    opened.press("[data-amount=strength]", "ArrowLeft")
    time.sleep(1)
    server.send_signal(signal.SIGCONT)
    opened.wait_for_function("document.querySelectorAll('.history li').length === 2")
    quiet(opened)
    kept(opened, 2, 2)
    server.kill()
    server.wait()
    opened.press("[data-amount=strength]", "ArrowLeft")
    opened.wait_for_selector(".toast:not([hidden]) >> text=does not answer")
    process()
    opened.wait_for_function(
        "document.querySelectorAll('.history li').length === 3 || !document.querySelector('[data-do=act]').hidden"
    )
    if opened.is_visible("[data-do=act]"):  # it took the server longer than the page was patient
        opened.click("[data-do=act]")
    opened.wait_for_function("document.querySelectorAll('.history li').length === 3")
    opened.wait_for_function("document.querySelector('[data-amount=strength]').value === '98'")
