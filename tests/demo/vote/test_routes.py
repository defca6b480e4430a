"""The routes of the voting page and of its admin page, without a browser."""

import io
import json
import sqlite3

import numpy as np
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image, PngImagePlugin
from study_files import METHODS, RATERS, write_study

from demo.rate_limit import RateLimit
from demo.vote.admin import admin_router
from demo.vote.page import ASSETS
from demo.vote.routes import STATUS, study_router
from userstudy.design.study_file import load_study
from userstudy.votes.sessions import Sessions
from userstudy.votes.simulate import Taste, simulate
from userstudy.votes.store import Store
from userstudy.votes.tokens import admin_token

BOTH = """
[pairs]
per_rater = 4
answers = ["tie", "skip"]
attention = 1
show_composite = true
[ranking]
per_rater = 1
"""
CODES = """
[completion]
complete = "C-DONE"
failed_checks = "C-FAIL"
no_consent = "C-NO"
screened_out = "C-OUT"
redirect = "https://app.prolific.com/submissions/complete?cc={code}"
"""
DEVICE = {"width": 1280, "height": 800}


class Client(TestClient):
    """Talks to one study as a rater or as its administrator."""

    sessions: Sessions

    def enter(self, **more) -> dict:
        answer = self.post("/study/api/enter", json={"consent": True, "device": DEVICE, **more})
        assert answer.status_code == 200, answer.text
        self.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return answer.json()

    def vote(self, number: int, choice: str = "left", **more):
        body = {"request_id": f"request-{number}", "trial": number, "choice": choice, "seconds": 1.5} | more
        return self.post("/study/api/vote", json=body)

    def admin(self, method: str, path: str, **more):
        token = admin_token(self.sessions.row.secret)
        return self.request(method, f"/study/admin/api/{path}", headers={"Authorization": f"Bearer {token}"}, **more)


@pytest.fixture
def make_client(tmp_path):
    opened = []

    def make(rest=BOTH + RATERS + CODES, name="trial", **limits) -> Client:
        study = load_study(write_study(tmp_path, rest, name))
        sessions = Sessions(Store(f"sqlite:///{tmp_path}/{name}.db"), study)
        opened.append(sessions.store)
        app = FastAPI()
        app.include_router(study_router(sessions, **limits), prefix="/study")
        app.include_router(admin_router(sessions), prefix="/study")
        client = Client(app)
        client.sessions = sessions
        return client

    yield make
    for store in opened:
        store.close()


def finish(client: Client, progress: dict, wrong: bool = False) -> dict:
    while progress["upcoming"]:
        trial = progress["upcoming"][0]
        if trial["task"] == "ranking":
            answer = client.vote(trial["trial"], "ranked", ranks=[2, 1, None, 3])
        else:
            asked = "right" if "choose picture B" in (trial["note"] or "") else "left"
            answer = client.vote(trial["trial"], {"left": "right", "right": "left"}[asked] if wrong else asked)
        assert answer.status_code == 200, answer.text
        progress = answer.json()
    return progress


def test_a_session_from_consent_to_code(make_client):
    client = make_client()
    page = client.get("/study/api/study").json()
    assert page["state"] == "open" and page["ranking"] == {"question": page["ranking"]["question"], "ranks": 3}
    assert page["codes"] == {"no_consent": "C-NO", "screened_out": "C-OUT"}
    progress = client.enter()
    assert progress["total"] == 6 and progress["completion"] is None and len(progress["upcoming"]) == 3
    progress = finish(client, progress)
    assert (progress["outcome"], progress["completion"]) == ("complete", "C-DONE")
    assert client.get("/study/api/progress").json()["completion"] == "C-DONE"


def test_nothing_sent_to_a_rater_names_a_method_an_item_or_a_kind(make_client):
    client = make_client()
    progress = client.enter()
    sent = json.dumps([client.get("/study/api/study").json(), progress])
    while progress["upcoming"]:
        progress = client.vote(progress["upcoming"][0]["trial"], "skip").json()
        sent += json.dumps(progress)
    for word in (*METHODS, "photo-", "attention", "golden", "repeat", "normal", "expected", "C-FAIL"):
        assert word not in sent
    assert sent.count("C-DONE") == 1  # only once it is earned


def test_pictures_are_lossless_nameless_and_cached(make_client, tmp_path):
    client = make_client()
    rng = np.random.default_rng(3)
    scene = rng.integers(0, 255, (32, 48, 3), dtype=np.uint8)
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "made by IPH")
    study = client.sessions.study
    for (_, method), path in study.pictures.items():
        Image.fromarray(scene + METHODS.index(method) if method in METHODS else scene).save(path, pnginfo=text)
    trial = client.enter()["upcoming"][0]
    with client.sessions.store.read() as connection:
        item, shown = connection.execute(sa.text("SELECT item, shown FROM trials WHERE trial = 0")).one()
    for name, method in zip(trial["pictures"], json.loads(shown), strict=True):
        answer = client.get(f"/study/api/picture/{name}.png")
        assert answer.headers["content-type"] == "image/png" and "immutable" in answer.headers["cache-control"]
        assert b"IPH" not in answer.content and "iph" not in str(answer.headers).lower()
        original = np.asarray(Image.open(study.pictures[item, method]))
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))), original)
    assert client.get(f"/study/api/picture/{trial['composite']}.png").status_code == 200
    for wrong in ("0" * 32, "..%2f..%2ftrial", "IPH"):
        assert client.get(f"/study/api/picture/{wrong}.png").status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"trial": 99}, 422, "invalid"),
        ({"choice": "both_bad"}, 422, "invalid"),
        ({"choice": "undone"}, 422, "invalid"),
        ({"ranks": [1, 2]}, 422, "invalid"),
        ({"seconds": -3}, 422, "invalid"),
        ({"trial": "zero"}, 422, "invalid"),
        ({"extra": 1}, 422, "invalid"),
        ({"request_id": "x"}, 422, "invalid"),
        ({"choice": "left" * 9000}, 413, "invalid"),
    ],
)
def test_forged_votes_are_refused(make_client, body, status, code):
    client = make_client()
    client.enter()
    answer = client.vote(0, **body)
    assert answer.status_code == status and answer.json()["code"] == code
    assert client.get("/study/api/progress").json()["done"] == 0


def test_the_page_knows_every_code_of_a_refusal():
    script = (ASSETS / "vote_api.js").read_text(encoding="utf-8")
    for code in (*STATUS, "token", "store"):
        assert f'"{code}"' in script  # any other is to the page not the study's word


def test_replays_conflicts_and_undo(make_client):
    client = make_client()
    client.enter()
    first = client.vote(0, "left")
    assert client.vote(0, "left").json() == first.json()
    again = client.vote(0, "right", request_id="another-one")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    undone = client.post("/study/api/undo", json={"request_id": "undo-number-1"})
    assert undone.json()["done"] == 0 and undone.json()["upcoming"][0]["trial"] == 0
    assert client.post("/study/api/undo", json={"request_id": "undo-number-1"}).json() == undone.json()
    nothing = client.post("/study/api/undo", json={"request_id": "undo-number-2"})
    assert (nothing.status_code, nothing.json()["code"]) == (409, "conflict")


def test_foreign_forged_and_missing_tokens(make_client):
    client, other = make_client(), make_client(name="other")
    other.enter()
    client.headers["Authorization"] = other.headers["Authorization"]
    assert client.vote(0, "left").json() == {"code": "token", "message": "this link or token belongs to another study"}
    for wrong in ("Bearer a.b.c", "Bearer ", "nonsense"):
        client.headers["Authorization"] = wrong
        assert client.get("/study/api/progress").status_code == 401
    del client.headers["Authorization"]
    assert client.get("/study/api/progress").status_code == 401


def test_consent_screen_and_seats_gate_the_entrance(make_client):
    client = make_client(BOTH + RATERS.replace("number = 30", "number = 1"))
    for wrong in ({"device": DEVICE}, {"consent": False, "device": DEVICE}, {"consent": True}):
        assert client.post("/study/api/enter", json=wrong).status_code == 422
    small = client.post("/study/api/enter", json={"consent": True, "device": {"width": 200, "height": 800}})
    assert (small.status_code, small.json()["code"]) == (403, "screen")
    client.enter(origin="prolific", participant="5f0c1a2b")
    token = client.headers["Authorization"]
    full = client.post("/study/api/enter", json={"consent": True, "device": DEVICE})
    assert (full.status_code, full.json()["code"]) == (403, "full")
    client.enter(origin="prolific", participant="5f0c1a2b")  # the same person again
    assert client.headers["Authorization"] == token


def test_a_failed_check_ends_the_session_with_its_code(make_client):
    client = make_client(BOTH + RATERS + "max_failed = 1\n" + CODES)
    progress = finish(client, client.enter(), wrong=True)
    assert (progress["outcome"], progress["completion"], progress["can_undo"]) == ("failed_checks", "C-FAIL", False)
    assert progress["done"] < progress["total"]


def test_a_rater_who_is_too_fast_is_asked_to_wait(make_client):
    time = [0.0]
    client = make_client(votes=RateLimit(rate=1, burst=3, clock=lambda: time[0]))
    client.enter()
    answers = [client.vote(number, "left") for number in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].json()["code"] == "busy" and answers[3].headers["retry-after"] == "1"
    time[0] += 1
    assert client.vote(3, "left").status_code == 200  # the same request again


def test_the_entrance_is_limited_by_address(make_client):
    client = make_client(entries=RateLimit(rate=1, burst=2, clock=lambda: 0.0))
    statuses = [client.post("/study/api/enter", json={"consent": True, "device": DEVICE}).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_a_store_that_cannot_write_keeps_the_page_trying(make_client):
    client = make_client()
    client.enter()
    store = client.sessions.store

    def full(connection, cursor, statement, parameters, context, executemany):
        if statement.startswith("INSERT INTO votes"):
            raise sqlite3.OperationalError("database or disk is full")

    sa.event.listen(store.engine, "before_cursor_execute", full)
    answer = client.vote(0, "left")
    assert (answer.status_code, answer.json()["code"]) == (503, "store") and "retry-after" in answer.headers
    sa.event.remove(store.engine, "before_cursor_execute", full)
    assert client.vote(0, "left").json()["done"] == 1


def test_the_admin_page_is_closed_without_its_token(make_client):
    client = make_client()
    client.enter()  # a rater's token opens nothing
    for method, path in (
        ("GET", "summary"),
        ("GET", "export/csv"),
        ("POST", "state"),
        ("POST", "rater"),
        ("POST", "find"),
    ):
        answer = client.request(method, f"/study/admin/api/{path}", json={} if method == "POST" else None)
        assert answer.status_code in (401, 422), path
        assert "wins" not in answer.text
    body = {"action": "close", "reason": "x"}
    assert client.post("/study/admin/api/state", json=body).status_code == 401
    assert client.sessions.store.state(client.sessions.row.id) == "open"
    assert client.get("/study/admin").headers["referrer-policy"] == "no-referrer"


def test_the_admin_counts_pauses_and_excludes(make_client):
    client = make_client()
    rater = client.enter()["token"].split(".")[1]
    client.vote(0, "left")
    simulate(client.sessions, Taste(dict.fromkeys(METHODS, 0.0)), 2)
    summary = client.admin("GET", "summary").json()
    assert np.sum(summary["wins"]["wins"]) == 1 and summary["methods"] == sorted(METHODS)
    assert [one["simulated"] for one in summary["raters"]] == [False, True, True]
    assert client.admin("POST", "state", json={"action": "pause", "reason": "lunch"}).json() == {"state": "paused"}
    assert client.vote(1, "left").json()["code"] == "paused"
    assert client.admin("POST", "state", json={"action": "open", "reason": ""}).json() == {"state": "open"}
    body = {"action": "exclude", "rater": rater, "reason": "slept"}
    assert client.admin("POST", "rater", json=body).json() == {"excluded": {rater: "slept"}}
    assert np.sum(client.admin("GET", "summary").json()["wins"]["wins"]) == 0
    assert client.admin("POST", "rater", json=body | {"reason": " "}).json()["code"] == "invalid"
    assert client.admin("POST", "rater", json=body | {"rater": "nobody"}).json()["code"] == "invalid"
    client.admin("POST", "rater", json=body | {"action": "include", "reason": "awake"})
    assert np.sum(client.admin("GET", "summary").json()["wins"]["wins"]) == 1


def test_the_admin_exports_and_finds_a_participant(make_client):
    client = make_client()
    token = client.enter(origin="prolific", participant="5f0c1a2b")["token"]
    client.vote(0, "tie")
    found = client.admin("POST", "find", json={"origin": "prolific", "participant": " 5f0c1a2b "}).json()
    assert found == {"rater": token.split(".")[1]}
    hashes = set()
    for form in ("csv", "jsonl", "parquet"):
        answer = client.admin("GET", f"export/{form}")
        assert answer.status_code == 200 and f"trial.{form}" in answer.headers["content-disposition"]
        assert b"5f0c1a2b" not in answer.content
        hashes.add(answer.headers["x-content-sha256"])
    assert len(hashes) == 1
    assert client.admin("GET", "export/xlsx").status_code == 404
