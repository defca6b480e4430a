"""The plain routes of the studio's page, request by request: what a session, an upload, an event and a picture is."""

import json
import socket
import threading
import time
from dataclasses import replace

import cv2
import httpx
import numpy as np
import pytest
from studio_pictures import disc, scene, write
from visitor_hands import GENEROUS, PATIENCE, studio

from demo.studio import project, routes
from demo.studio.project import Project

__all__ = ["studio"]  # a fixture
PLACE = {"x": 0.7, "y": 0.6, "height": 0.5, "mirrored": False}


class Page:
    """A page's side of the conversation. ``ask`` does an event, ``post`` returns the bare response to it."""

    def __init__(self, studio, number: int = 1) -> None:
        self.studio, self.id, self.requests = studio, f"{number:024x}", 0
        self.client = httpx.Client(base_url=f"{studio.address}/studio/", timeout=PATIENCE / 1000)
        taken = self.client.post("session")
        assert taken.status_code == 201
        self.name, self.key = taken.json()["session"], taken.json()["key"]
        self.headers = {"X-Session-Key": self.key}

    @property
    def session(self):
        return self.studio.store.sessions[self.name]

    def body(self, event: str, data: dict, request: str | None = None) -> dict:
        self.requests += 1
        return {"request": request or f"{self.requests:024x}", "page": self.id, "event": event, "data": data}

    def post(self, event: str, data: dict | None = None, request: str | None = None, **options) -> httpx.Response:
        options = {"headers": self.headers, "json": self.body(event, data or {}, request)} | options
        return self.client.post(f"session/{self.name}/event", **options)

    def ask(self, event: str, **data) -> dict:
        return self.post(event, data).raise_for_status().json()

    def upload(self, content, **options) -> httpx.Response:
        return self.client.put(f"session/{self.name}/upload", content=content, headers=self.headers, **options)

    def open(self, kind: str, path) -> dict:
        upload = self.upload(path.read_bytes()).raise_for_status().json()["upload"]
        return self.ask("open", kind=kind, upload=upload, name=path.name)

    def cut(self, event: str, data: dict, request: str) -> None:
        """Ask, and be gone before the answer."""
        body = json.dumps(self.body(event, data, request)).encode()
        lines = (
            f"POST /studio/session/{self.name}/event HTTP/1.1",
            f"Host: {self.client.base_url.host}",
            f"X-Session-Key: {self.key}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        )
        with socket.create_connection((self.client.base_url.host, self.client.base_url.port)) as line:
            line.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            time.sleep(0.3)


@pytest.fixture
def page(studio):
    page = Page(studio)
    yield page
    page.client.close()
    studio.store.close()


@pytest.fixture
def placed(page, tmp_path):
    """A page with a result."""
    page.open("background", write(tmp_path / "beach.png", scene()))
    assert page.open("person", write(tmp_path / "me.png", scene(80, 60, 2), disc(80, 60)))["result"]
    return page


@pytest.fixture
def slow(monkeypatch):
    """``slow(name)`` makes something of a project wait for the event that is returned; ``slow.begun`` is set then."""
    gates = []

    def make(name):
        quick, gate = getattr(Project, name), threading.Event()
        gates.append(gate)

        def wait(*arguments):
            make.begun.set()
            assert gate.wait(60)
            return quick(*arguments)

        monkeypatch.setattr(Project, name, wait)
        return gate

    make.begun = threading.Event()
    yield make
    for gate in gates:
        gate.set()


def test_an_event_whose_answer_is_lost_is_done_once(placed, slow):
    gate, request = slow("place"), "a" * 24
    placed.cut("place", PLACE, request)
    gate.set()
    answer = placed.post("place", PLACE, request).json()
    assert answer["message"] is None and answer["person"]["placement"]["x"] == 0.7
    assert len(placed.session.project.history.past) == 1
    placed.ask("undo")
    assert placed.session.project.history.past == ()


def test_a_waiting_event_whose_page_has_left_is_given_up(studio, placed, slow):
    gate = slow("place")
    first = threading.Thread(target=placed.post, args=("place", PLACE))
    first.start()
    assert slow.begun.wait(30)
    placed.cut("adjust", {"strength": 0.5, "luminance": 1, "chroma": 1}, "b" * 24)
    assert wait_for(lambda: studio.limits.page.places.taken == 1)
    gate.set()
    first.join()
    assert placed.ask("resume")["amounts"]["strength"] == 1


def test_an_event_that_runs_stops_at_its_next_stage_when_its_page_leaves(studio, placed, tmp_path, monkeypatch):
    """The photo is read; nothing is made of it, nothing changed, and the upload is there to be asked for again."""
    begun, gate, made, read = threading.Event(), threading.Event(), [], project.open_picture

    def slowly(path, id):
        begun.set()
        assert gate.wait(60)
        return read(path, id)

    monkeypatch.setattr(project, "open_picture", slowly)
    monkeypatch.setattr(project, "suggestions", lambda *arguments: made.append(arguments))
    picture = write(tmp_path / "other.png", scene(90, 120, 5))
    asked = {"kind": "background", "name": "other.png"}
    asked["upload"] = placed.upload(picture.read_bytes()).json()["upload"]
    before = placed.session.project.pictures["background"]
    placed.cut("open", asked, "d" * 24)
    assert begun.wait(30)
    time.sleep(0.2)  # until the server has heard that the page left
    gate.set()
    assert wait_for(lambda: not studio.limits.page.places.taken)
    assert not made and placed.session.project.pictures["background"] is before
    monkeypatch.undo()
    assert placed.post("open", asked, "d" * 24).json()["slots"]["background"]["name"] == "other.png"


def wait_for(condition) -> bool:
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_answers_are_whole_states_in_order(placed):
    turns, results = [], []
    threads = [
        threading.Thread(target=lambda k=k: results.append(placed.ask("place", **PLACE | {"x": 0.3 + 0.1 * k})))
        for k in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    turns = {answer["turn"]: answer["person"]["placement"]["x"] for answer in results}
    assert len(turns) == 4
    assert placed.ask("resume")["person"]["placement"]["x"] == turns[max(turns)]


def test_an_event_that_takes_too_long_is_told_so_and_can_be_asked_for_again(studio, placed, slow, monkeypatch):
    gate = slow("place")
    monkeypatch.setattr(studio.limits.page, "seconds", 0.3)
    late = placed.post("place", PLACE, "c" * 24)
    assert late.status_code == 503 and late.json()["code"] == "busy" and int(late.headers["Retry-After"]) > 0
    assert "longer than 0.3 seconds" in late.json()["message"]
    monkeypatch.undo()
    gate.set()
    assert placed.post("place", PLACE, "c" * 24).json()["person"]["placement"]["x"] == 0.7
    assert len(placed.session.project.history.past) == 1


def test_too_many_events_at_a_time_are_refused_with_a_sentence(studio, placed, slow, monkeypatch):
    gate = slow("place")
    monkeypatch.setattr(studio.limits.page.places, "per_client", 2)
    waiting = [threading.Thread(target=placed.post, args=("place", PLACE)) for _ in range(2)]
    for thread in waiting:
        thread.start()
    assert wait_for(lambda: studio.limits.page.places.taken == 2)
    refused = placed.post("undo")
    assert refused.status_code == 429 and "from this address" in refused.json()["message"]
    monkeypatch.setattr(studio.limits.page.places, "per_client", 9)
    monkeypatch.setattr(studio.limits.page.places, "most", 2)
    refused = placed.post("undo")
    assert refused.status_code == 503 and "Too many people" in refused.json()["message"]
    gate.set()
    for thread in waiting:
        thread.join()
    assert placed.ask("undo")["result"]


def test_nobody_waits_inside_a_slot(studio, placed, slow):
    gate, slots = slow("place"), studio.store.settings.page_at_once
    # One page's events wait for each other; nobody else waits for them.
    waiting = [threading.Thread(target=placed.post, args=("place", PLACE)) for _ in range(slots)]
    for thread in waiting:
        thread.start()
    assert wait_for(lambda: studio.limits.page.places.taken == len(waiting))
    other = Page(studio, 2)
    assert other.ask("example", id="haze")["result"]
    other.client.close()
    gate.set()
    for thread in waiting:
        thread.join()


def test_a_session_opens_with_its_key_only(studio, placed):
    stranger = Page(studio, 2)
    for headers in ({}, {"X-Session-Key": stranger.key}, {"X-Session-Key": "x" * 99}):
        for answer in (
            placed.post("undo", headers=headers),
            placed.client.put(f"session/{placed.name}/upload", content=b"x", headers=headers),
        ):
            assert answer.status_code in (404, 422) and answer.json()["message"]
    for body in ({"key": stranger.key, "page": placed.id}, {}, [], "x", None):
        answer = placed.client.post(f"session/{placed.name}/leave", content=json.dumps(body))
        assert answer.status_code in (404, 422)
    assert placed.session.left is None and placed.ask("resume")["result"]
    stranger.client.close()


def test_another_page_is_told_that_the_work_is_elsewhere(placed):
    twin = "f" * 24
    body = placed.body("undo", {}) | {"page": twin}
    answer = placed.post("undo", json=body)
    assert answer.status_code == 409 and answer.json()["code"] == "elsewhere"
    assert placed.post("resume", json=body | {"event": "resume"}).json()["result"]
    assert placed.post("undo").json()["code"] == "elsewhere"


@pytest.mark.parametrize(
    "change",
    [
        {"event": "__init__"},
        {"event": ["undo"]},
        {"request": "short"},
        {"page": "../x"},
        {"data": [1]},
        {"more": 1},
    ],
)
def test_requests_of_another_form_are_refused(page, change):
    answer = page.post("undo", json=page.body("undo", {}) | change)
    assert answer.status_code == 422 and answer.json()["code"] == "invalid"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 5000, b'{"data": ' * 50_000, b"null", b"NaN"]
)
def test_bodies_that_are_no_events_are_refused(page, content, caplog):
    answer = page.post("undo", json=None, content=content, headers=page.headers | {"Content-Type": "application/json"})
    assert answer.status_code in (400, 422) and answer.json()["code"] == "invalid" and not caplog.records


def test_bodies_have_a_length_and_are_small(page):
    large = page.post("undo", json=page.body("undo", {"x": "y" * (1 << 20)}))
    chunked = page.client.post(f"session/{page.name}/event", content=iter([b"{}"]), headers=page.headers)
    assert large.status_code == chunked.status_code == 413


def test_an_upload_is_measured_while_it_comes(page, monkeypatch):
    monkeypatch.setattr(routes, "MAX_UPLOAD", 3 << 20)
    whole = page.upload(b"\0" * (3 << 20))
    assert whole.status_code == 201
    path = page.session.find_upload(whole.json()["upload"])
    assert path.stat().st_size == 3 << 20
    for content in (b"\0" * ((3 << 20) + 1), iter([b"\0" * (1 << 20)] * 4), b""):
        try:
            answer = page.upload(content)
        except httpx.WriteError:  # refused before all of it was sent
            answer = None
        assert answer is None or answer.status_code in (413, 422) and answer.json()["message"].startswith("Expected")
    assert wait_for(lambda: list(path.parent.iterdir()) == [path])


def test_an_upload_that_is_cut_off_leaves_nothing(page):
    address = (page.client.base_url.host, page.client.base_url.port)
    head = (
        f"PUT /studio/session/{page.name}/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Session-Key: {page.key}\r\n"
        "Content-Length: 1000\r\n\r\nsome"
    )
    with socket.create_connection(address) as line:
        line.sendall(head.encode())
        assert wait_for(lambda: any(page.session._uploads.iterdir()))
    assert wait_for(lambda: not any(page.session._uploads.iterdir()) and not page.session.users)


def test_pictures_are_seen_and_files_are_kept(placed):
    shown = placed.ask("resume")
    picture = placed.client.get(shown["photo"]["file"])
    assert picture.headers["content-type"] == "image/png" and "content-disposition" not in picture.headers
    assert "private" in picture.headers["cache-control"] and picture.headers["x-content-type-options"] == "nosniff"
    given = placed.ask("save", what="recipe")["file"]
    kept = placed.client.get(given["address"])
    assert kept.headers["content-disposition"] == 'attachment; filename="beach-harmonized.json"'
    assert kept.headers["cache-control"] == "no-store" and kept.json()
    secret = given["address"].split("/")[1]
    for path in (f"file/{secret}/x.png", f"file/{placed.name}/photo-1.png", f"file/{secret}/..%2F..%2Fx", "file/x/y"):
        assert placed.client.get(path).status_code == 404
    assert placed.client.get("card/haze.jpg").headers["content-type"] == "image/jpeg"
    assert placed.client.get("card/..%2Fhaze-background.jpg").status_code == 404


def test_true_pixels_and_the_copy_of_the_work_are_for_who_has_the_key(studio, placed):
    window = {"view": "photo", "x": 40, "y": 20, "width": 100, "height": 60, "wanted": 100}
    answer = placed.client.get(f"session/{placed.name}/crop", params=window, headers=placed.headers)
    assert answer.headers["content-type"] == "image/png" and answer.headers["cache-control"] == "no-store"
    seen = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    was, covered, full = np.split(seen, 3)
    now = placed.session.project
    np.testing.assert_array_equal(was, now.scene.pixels[20:80, 40:140])  # so small a photo is its own proxy
    np.testing.assert_array_equal(covered[..., 0], np.rint(now.scene.mask[20:80, 40:140] * 255))
    np.testing.assert_array_equal(full, now.mapping.apply(now.scene.pixels, now.scene.mask)[20:80, 40:140])
    work = placed.client.get(f"session/{placed.name}/work", headers=placed.headers).json()
    assert [step["name"] for step in work["steps"]] == ["Opened me.png"]
    for path in ("crop", "work"):
        for headers in ({}, {"X-Session-Key": "x" * 43}):
            assert placed.client.get(f"session/{placed.name}/{path}", params=window, headers=headers).status_code == 404
    for wrong in ({"x": -1}, {"width": 4000}, {"wanted": 200}, {"view": "film"}, {"more": 1}, {"height": 0}):
        asked = placed.client.get(f"session/{placed.name}/crop", params=window | wrong, headers=placed.headers)
        assert asked.status_code == 422 and asked.json()["message"]
    assert placed.client.post(f"session/{placed.name}/crop", headers=placed.headers).status_code == 404


def test_a_page_that_leaves_takes_what_holds_nothing_along(studio, page):
    folder = page.session.folder
    left = page.client.post(f"session/{page.name}/leave", content=json.dumps({"key": page.key, "page": page.id}))
    assert left.status_code == 204 and not folder.exists()
    assert page.post("undo").json()["code"] == "gone"


def test_where_there_is_no_room_left_nothing_is_written(studio, placed, monkeypatch):
    monkeypatch.setattr(studio.limits.space, "settings", replace(GENEROUS, temporary_bytes=1))
    for answer in (placed.upload(b"x"), placed.post("save", {"what": "photo"}), placed.post("example", {"id": "haze"})):
        assert answer.status_code == 507 and answer.json()["code"] == "full"
        assert "no room for more pictures" in answer.json()["message"]
    assert placed.post("undo").status_code == 200  # what writes little goes on


def test_only_so_many_uploads_are_on_their_way(studio, page, monkeypatch):
    monkeypatch.setattr(studio.limits.uploads, "per_client", 0)
    answer = page.upload(b"x")
    assert answer.status_code == 429 and "from this address" in answer.json()["message"]


def test_requests_count_against_the_clients_limit(studio, page, monkeypatch):
    monkeypatch.setattr(studio.limits.requests, "wait", lambda client, cost=1: 3.2 if cost <= 4 else 0)
    for answer in (page.post("undo"), page.client.post("session"), page.upload(b"x")):
        assert answer.status_code == 429 and answer.headers["Retry-After"] == "4"
        assert "please wait 4 seconds" in answer.json()["message"]


def test_what_is_wrong_on_the_server_is_one_sentence(page, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(routes, "handle", fail)
    answer = page.post("undo")
    assert answer.status_code == 500 and answer.json()["code"] == "fault" and "secret" not in answer.text
    assert "a secret detail" in caplog.text
