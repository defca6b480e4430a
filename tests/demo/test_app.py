"""``app.py``: one process for the studio, the dashboard and a study; on Hugging Face Spaces the studio alone."""

import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from dashboard_hands import forget_runtime
from streamlit.runtime import Runtime
from study_files import write_study

from app import build_app

PATIENT = httpx.Client(timeout=90)  # other work may share the machine
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def address(serve):
    forget_runtime()
    return serve(build_app())


def test_every_page_is_served(address):
    studio = PATIENT.get(f"{address}/")
    assert studio.status_code == 200 and "Portrait Harmonization" in studio.text
    assert PATIENT.get(f"{address}/healthz").json() == {"status": "ok"}
    redirect = PATIENT.get(f"{address}/leaderboard")
    assert redirect.is_redirect and redirect.headers["location"].endswith("leaderboard/")
    chosen = PATIENT.get(f"{address}/leaderboard?metric=psnr")
    assert chosen.headers["location"].endswith("leaderboard/?metric=psnr")
    dashboard = PATIENT.get(f"{address}/leaderboard/", follow_redirects=True)
    assert dashboard.status_code == 200 and "streamlit" in dashboard.text.lower()
    assert PATIENT.get(f"{address}/leaderboard/_stcore/health").status_code == 200
    assert PATIENT.get(f"{address}/study/").status_code == 404  # no study was asked for


def test_nothing_of_the_server_is_described_but_the_api(address):
    assert PATIENT.get(f"{address}/docs").status_code == 404
    config = PATIENT.get(f"{address}/config").json()
    assert not config["analytics_enabled"]
    public = {d["api_name"] for d in config["dependencies"] if d["api_visibility"] == "public"}
    assert public == {"harmonize", "paste", "cut_out", "suggest_references", "export_cube", "export_layers", "replay"}
    assert PATIENT.get(f"{address}/gradio_api/file={ROOT / 'app.py'}").status_code == 403


def test_no_page_is_looked_at_a_thousand_times_a_second_while_nobody_is_there(tmp_path):
    forget_runtime()
    app = build_app(str(write_study(tmp_path)))
    pages = [route.app.blocks for route in app.routes if hasattr(getattr(route, "app", None), "blocks")]
    assert len(pages) == 2 and all(page._queue.sleep_when_free >= 0.01 for page in pages)
    app.state.study.store.close()
    app.state.studio.close()


@pytest.mark.browser
def test_studio_and_dashboard_open_in_a_browser(address, page):
    opened = page(address)
    opened.wait_for_selector(".gallery .example", timeout=90_000)
    opened.get_by_role("link", name="Benchmark and user study").click()
    opened.wait_for_url(f"{address}/leaderboard/")
    opened.wait_for_selector("[data-testid=stApp]", timeout=90_000)
    back = opened.get_by_role("link", name="To the studio")
    back.wait_for(timeout=90_000)
    assert back.evaluate("link => link.href") == f"{address}/"


def test_a_study_that_is_not_there_is_a_sentence(monkeypatch):
    """In this process: a second one would only import everything again."""
    for name, value in {"IPH_STUDY": "nowhere.toml", "IPH_HOSTS": "", "IPH_STUDIO": "/"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Runtime, "_instance", None)  # the other tests' server keeps its own
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended.value.code.startswith("IPH_STUDY: expected a study file")  # a text: the exit status is 1


@contextmanager
def own_process(folder: Path, **settings: str):
    """``python app.py`` with these settings in its environment; gives its address once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cache = folder / "cache"
    settings |= {
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(cache),
        "OMP_NUM_THREADS": "1",
    }
    log = (folder / "log.txt").open("w+")
    command = [sys.executable, "app.py"]
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 180
        while True:
            assert server.poll() is None and time.monotonic() < deadline, (folder / "log.txt").read_text()
            try:
                if PATIENT.get(f"http://127.0.0.1:{port}/gradio_api/info").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        assert server.wait(60) == 0  # an orderly end, in which what visitors left is deleted
        log.close()
        shutil.rmtree(cache, ignore_errors=True)


def test_a_space_serves_the_studio(tmp_path):
    with own_process(tmp_path, SPACE_ID="someone/studio") as address:
        assert "/harmonize" in PATIENT.get(f"{address}/gradio_api/info").json()["named_endpoints"]
        assert PATIENT.get(f"{address}/gradio_api/proxy=http://a.b/").status_code == 404


def test_a_study_is_found_with_and_without_the_last_slash(tmp_path):
    with own_process(tmp_path, IPH_STUDY=str(write_study(tmp_path))) as address:
        for asked in ("/study", "/study/", "/study?PROLIFIC_PID=p1"):
            page = PATIENT.get(f"{address}{asked}", follow_redirects=True)
            assert page.status_code == 200 and "gradio" in page.text
            assert page.url.path == "/study/" and page.url.query == asked.partition("?")[2].encode()
        said = (tmp_path / "log.txt").read_text()
        assert f"Raters go to {address}/study, " in said and "#" not in said and "--admin-link" in said
