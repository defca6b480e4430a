"""What a running server tells of itself: its figures, a line for every request, and whether it can work."""

import json
import logging
import re
import threading
import time
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY, generate_latest
from studio_pictures import disc, scene, write
from visitor_hands import GENEROUS

from demo.gate_routes import dashboard_routes, find_route, studio_routes, study_routes
from demo.hosting import log_lines
from demo.hosting.probes import Readiness, add_probes, serve_metrics
from demo.server import close, serve
from demo.settings import Settings
from demo.studio.page import mount_studio
from iph.errors import InputError

ROOT = Path(__file__).parents[3]
TOKEN = "a long word"


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0


def wait_for(true, seconds=60):
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.fixture(scope="module")
def server(serve, tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("cache")))
    app, settings = FastAPI(), Settings(**vars(GENEROUS) | {"metrics_token": TOKEN})
    routes = add_probes(app, settings)
    studio = mount_studio(app, settings)
    app.state.readiness.add("model", lambda: studio.unready)
    close(app, settings, (*routes, *studio_routes()))
    studio.address, studio.readiness = serve(app), app.state.readiness
    yield studio
    studio.close()
    app.state.readiness.close()
    patch.undo()


@pytest.fixture
def visitor(server):
    with httpx.Client(base_url=server.address, timeout=90) as client:
        yield client


def test_requests_work_refusals_and_room_are_counted(server, visitor, tmp_path):
    event = {"route": "POST /studio/session/*/event"}
    answered = value("iph_requests_total", **event, status="200")
    gone, unknown = value("iph_refusals_total", reason="gone"), value("iph_refusals_total", reason="unknown")
    taken = visitor.post("/studio/session").json()
    key = {"X-Session-Key": taken["key"]}
    photo = write(tmp_path / "Somebody's name.png", scene(240, 320), disc(240, 320))
    place = f"/studio/session/{taken['session']}"
    upload = visitor.put(f"{place}/upload", content=Path(photo).read_bytes(), headers=key).json()["upload"]
    asked = {"request": "0" * 32, "page": "1" * 32, "event": "open"}
    asked["data"] = {"kind": "person", "upload": upload, "name": "Somebody's name.png"}
    worked = value("iph_action_seconds_count", action="studio open")
    assert visitor.post(f"{place}/event", json=asked, headers=key).status_code == 200
    assert visitor.post(f"{place}/event", json=asked).status_code == 404  # without the key
    assert visitor.get("/wp-login.php").status_code == 404
    assert value("iph_requests_total", **event, status="200") == answered + 1
    assert value("iph_requests_total", route="none", status="404") >= 1
    assert value("iph_request_seconds_count", **event) >= 2
    assert value("iph_action_seconds_count", action="studio open") == worked + 1
    assert value("iph_refusals_total", reason="gone") == gone + 1
    assert value("iph_refusals_total", reason="unknown") == unknown + 1
    assert value("iph_sessions") == len(server.store.sessions) >= 1
    wait_for(lambda: value("iph_temporary_bytes") >= Path(photo).stat().st_size)
    assert value("iph_queue", caller="page") == 0


def test_a_called_function_is_timed_and_its_refusal_counted(server):
    from gradio_client import Client, handle_file

    client = Client(server.address, verbose=False)
    before = value("iph_action_seconds_count", action="api cut_out")
    with pytest.raises(Exception, match="Expected|expected"):
        client.predict(handle_file(ROOT / "README.md"), api_name="/cut_out")
    assert value("iph_action_seconds_count", action="api cut_out") == before + 1


def test_the_figures_are_for_who_has_the_token(visitor):
    assert visitor.get("/metrics").status_code == 401
    assert visitor.get("/metrics", headers={"Authorization": "Bearer a long word or so"}).status_code == 401
    told = visitor.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert told.status_code == 200 and "iph_sessions" in told.text and "process_resident_memory_bytes" in told.text


def test_without_a_token_there_are_no_figures_on_the_visitors_port():
    routes = add_probes(FastAPI(), Settings())
    assert find_route(routes, "GET", "/readyz") and not find_route(routes, "GET", "/metrics")


def test_the_figures_have_a_port_of_their_own(free_tcp_port):
    serve_metrics(f"127.0.0.1:{free_tcp_port}")
    assert "iph_sessions" in httpx.get(f"http://127.0.0.1:{free_tcp_port}/metrics").text
    with pytest.raises(InputError, match=f"cannot be served at 127.0.0.1:{free_tcp_port}: Address already in use"):
        serve_metrics(f"127.0.0.1:{free_tcp_port}")
    with pytest.raises(InputError, match="as address:port, like 127.0.0.1:9464, got '9464'"):
        serve_metrics("9464")


def test_several_processes_have_no_common_figures(monkeypatch):
    monkeypatch.setenv("IPH_METRICS", "127.0.0.1:1")
    with pytest.raises(InputError, match="4 were asked for: start as many servers instead"):
        serve("somewhere:app", "127.0.0.1", 1, processes=4)


def test_labels_are_few_whatever_is_asked():
    routes = (*studio_routes(), *study_routes(), *dashboard_routes())
    for method, path, label in (
        ("POST", "/studio/session/Zx-1_a/event", "/studio/session/*/event"),
        ("GET", "/studio/file/abc/Somebody.jpg", "/studio/file/*"),
        ("GET", "/gradio_api/file=/tmp/x/Somebody.jpg", "/gradio_api/file=/*"),
        ("POST", "/gradio_api/call/harmonize", "/gradio_api/call/harmonize"),
        ("GET", "/study/api/picture/0f0f.png", "/study/api/picture/*"),
        ("GET", "/leaderboard/static/js/index.x1.js", "/leaderboard/static/*"),
        ("GET", "/theme.css", "/theme.css"),
        ("GET", "/", "/"),
    ):
        assert find_route(routes, method, path).shown(path) == label


def test_the_log_has_a_line_for_every_request_and_no_visitor_in_it(visitor, caplog):
    with caplog.at_level(logging.INFO, logger=log_lines.requests.name):
        answer = visitor.get("/studio/file/secret/Somebody.jpg?token=secret", headers={"User-Agent": "Secret/1"})
        wait_for(lambda: any(record.name == log_lines.requests.name for record in caplog.records))
    record = next(one for one in caplog.records if one.name == log_lines.requests.name)
    line = log_lines.JsonLine().format(record)
    said = json.loads(line)
    assert said.keys() >= {"time", "level", "route", "status", "seconds"}
    assert (said["route"], said["status"], said["level"]) == ("GET /studio/file/*", 404, "info")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said["time"]) and said["seconds"] >= 0
    assert not any(word in line.lower() for word in ("secret", "somebody", "127.0.0.1"))
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])


def test_what_fails_within_a_request_has_its_id():
    token = log_lines.REQUEST.set("0123456789abcdef")
    try:
        raise ValueError("broken")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "it %s", ("failed",), (ValueError, error, None))
        said = json.loads(log_lines.JsonLine().format(record))
    finally:
        log_lines.REQUEST.reset(token)
    assert said["request"] == "0123456789abcdef" and said["message"] == "it failed" and "broken" in said["error"]


def test_a_server_is_ready_when_its_model_is_loaded(server, visitor):
    assert visitor.get("/healthz").json() == {"status": "ok"}
    wait_for(lambda: visitor.get("/readyz").status_code == 200)
    server.unready = "the model cannot be used"
    server.readiness.look()
    answer = visitor.get("/readyz")
    assert answer.status_code == 503 and answer.json()["reasons"] == ["the model cannot be used"]
    server.unready = None
    server.readiness.look()
    assert visitor.get("/readyz").json() == {"status": "ready"}


def test_a_full_disk_and_a_store_that_fails_or_hangs_are_said():
    full, hangs = FastAPI(), threading.Event()
    add_probes(full, Settings(free_bytes=1 << 60))
    full.state.readiness.close()
    full.state.readiness.look()
    assert full.state.readiness.reasons() == ["the disk is full"]
    readiness = Readiness(every=0.02, patience=0.1)
    readiness.add("store", lambda: 1 / 0)
    wait_for(lambda: readiness.reasons() == ["the store does not answer"])
    readiness.add("store", lambda: None)
    wait_for(lambda: readiness.reasons() == [])
    readiness.add("store", hangs.wait)
    wait_for(lambda: readiness.reasons() == ["the store does not answer"])
    hangs.set()
    readiness.close()


def test_the_board_shows_figures_that_there_are():
    board = json.loads((ROOT / "deploy/grafana-board.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    names = set(re.findall(r"\b(?:iph|process)_\w+", " ".join(asked)))
    told = generate_latest().decode()
    known = {one.removesuffix("_total") for one in re.findall(r"^# TYPE (\w+) ", told, re.M)}
    assert {re.sub("_(total|bucket|count|sum)$", "", name) for name in names} <= known
    ours = {name for name in known if name.startswith("iph_") and not name.endswith("_created")}
    assert {re.sub("_(total|bucket|count|sum)$", "", name) for name in names if name.startswith("iph_")} == ours
    labels = set(re.findall(r"by \(([\w, ]+)\)", " ".join(asked)))
    spoken = {"instance", "le", "route", "status", "action", "reason", "caller"}
    assert {word.strip() for one in labels for word in one.split(",")} <= spoken
