"""The voting routes under hostile hands: every body, header and path ends in an answer, never in an error of ours."""

import json
import tracemalloc

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from study_files import PAIRS, write_study

from demo.rate_limit import RateLimit
from demo.vote.admin import admin_router
from demo.vote.routes import study_router
from userstudy.design.study_file import load_study
from userstudy.votes.sessions import Sessions
from userstudy.votes.store import Store
from userstudy.votes.tokens import admin_token

RANKING = "[ranking]\nper_rater = 1\n"
RATERS = "\n[raters]\nnumber = 30\nmin_seconds = 0.5\nsessions_per_address = 2\n"
DEVICE = {"width": 1280, "height": 800}
FREE = RateLimit(rate=1e9, burst=1e9)
RATER = ("enter", "vote", "undo")
ADMIN = ("state", "rater", "find")

integers = st.integers() | st.integers(-(2**70), 2**70) | st.just(2**70) | st.just(-1)
texts = st.text(max_size=200) | st.sampled_from(["", "\0", "\ud800", "=1+1", "<script>", "a" * 129, "left", "é" * 70])
leaves = st.none() | st.booleans() | integers | st.floats() | texts
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=70) | st.dictionaries(texts, inner, max_size=4))
GOOD = {
    "enter": {"consent": True, "origin": "prolific", "participant": "5f0c", "session": "s", "device": DEVICE},
    "vote": {"request_id": "request-1", "trial": 0, "choice": "left", "seconds": 1.0, "ranks": None},
    "undo": {"request_id": "request-2"},
    "state": {"action": "open", "reason": "x"},
    "rater": {"action": "exclude", "rater": "0123456789abcdef", "reason": "x"},
    "find": {"origin": "prolific", "participant": "5f0c"},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("hostile")
    sessions = Sessions(Store(f"sqlite:///{folder}/v.db"), load_study(write_study(folder, PAIRS + RANKING + RATERS)))
    app = FastAPI()
    app.include_router(study_router(sessions, FREE, FREE), prefix="/study")
    app.include_router(admin_router(sessions), prefix="/study")
    # As a server does: what is not caught is a 500, which is what is looked for.
    with TestClient(app, raise_server_exceptions=False) as client:
        client.sessions = sessions
        client.rater = f"Bearer {sessions.enter()}"
        client.owner = f"Bearer {admin_token(sessions.row.secret)}"
        yield client
    sessions.store.close()


def post(study, name, body: bytes, **headers):
    path = f"/study/api/{name}" if name in RATER else f"/study/admin/api/{name}"
    token = study.rater if name in RATER else study.owner
    return study.post(
        path, content=body, headers={"Authorization": token, "Content-Type": "application/json"} | headers
    )


def said(answer) -> str:
    """The sentence of a refusal."""
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text)
    assert answer.json()["code"] and answer.json()["message"], answer.text
    return answer.json()["message"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(RATER + ADMIN),
    changes=st.dictionaries(
        st.sampled_from(
            [
                "request_id",
                "trial",
                "choice",
                "seconds",
                "ranks",
                "consent",
                "origin",
                "participant",
                "session",
                "device",
                "action",
                "reason",
                "rater",
            ]
        )
        | texts,
        values,
        min_size=1,
        max_size=3,
    ),
)
def test_no_body_is_an_error_of_ours(study, name, changes):
    body = json.dumps(GOOD[name] | changes).encode("utf-8", "surrogatepass")
    answer = post(study, name, body)
    assert answer.status_code < 500, (name, body[:300], answer.text)
    if answer.status_code >= 400:
        said(answer)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(RATER + ADMIN), body=st.binary(max_size=300) | values.map(lambda v: json.dumps(v).encode()))
def test_no_bytes_are_an_error_of_ours(study, name, body):
    assert 400 <= post(study, name, body).status_code < 500


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("vote", {"trial": 2**70}),
        ("vote", {"trial": -1}),
        ("vote", {"trial": 29}),
        ("vote", {"seconds": float("nan")}),
        ("vote", {"seconds": float("inf")}),
        ("vote", {"seconds": -0.001}),
        ("vote", {"seconds": 1e300}),
        ("vote", {"seconds": None}),
        ("vote", {"ranks": [1] * 65}),
        ("vote", {"ranks": [2**70]}),
        ("vote", {"request_id": "a" * 65}),
        ("vote", {"request_id": "short"}),
        ("vote", {"request_id": "null\0null"}),
        ("vote", {"request_id": "half \ud800 pair"}),
        ("vote", {"\ud800": 1}),
        ("undo", {"request_id": "line\nline"}),
        ("enter", {"participant": "p\0"}),
        ("enter", {"participant": "\udfff"}),
        ("enter", {"session": "s" * 129}),
        ("enter", {"device": DEVICE | {"ratio": float("nan")}}),
        ("enter", {"device": DEVICE | {"width": 2**63}}),
        ("state", {"reason": "a\0b"}),
        ("rater", {"rater": "\0"}),
    ],
)
def test_values_beyond_every_range_are_a_sentence(study, name, change):
    assert said(post(study, name, json.dumps(GOOD[name] | change).encode("utf-8", "surrogatepass")))


def test_an_answer_without_seconds_skips_nothing(study):
    body = {name: value for name, value in GOOD["vote"].items() if name != "seconds"}
    assert "seconds" in said(post(study, "vote", json.dumps(body).encode()))


def test_bodies_that_are_no_json_or_have_no_end(study):
    for body in (
        b"[" * 16_000,
        b'{"a":' * 3_000,
        b"\xff\xfe",
        b"",
        b"nul",
        b'{"trial": 1e999999}',
        b'"' + b"a" * 999,
        b'{"trial": %s}' % (b"9" * 9999),
    ):
        assert said(post(study, "vote", body))
    for length in ("-1", "²", "1" * 5000, "0x10", ""):
        assert post(study, "vote", b"{}", **{"Content-Length": length}).status_code == 413 if length.isascii() else True


def test_headers_and_paths_of_any_kind(study):
    for token in ("", "Bearer", "Bearer a.b.c", "Bearer \xff\xfe", "Bearer " + "a" * 8000, "Basic x", "Bearer ..", "."):
        answer = study.get("/study/api/progress", headers={"Authorization": token.encode("latin-1")})
        assert answer.status_code == 401 and answer.json()["code"] == "token"
        assert (
            study.get("/study/admin/api/summary", headers={"Authorization": token.encode("latin-1")}).status_code == 401
        )
    for path in ("picture/..%2f..%2fetc%2fpasswd.png", "picture/%00.png", "picture/%ff.png", "x", "vote/", "../vote"):
        assert 400 <= study.get(f"/study/api/{path}").status_code < 500
    for method in ("PUT", "DELETE", "PATCH", "TRACE"):
        assert study.request(method, "/study/api/vote").status_code == 405


def test_tokens_that_are_none_are_not_remembered(tmp_path):
    sessions = Sessions(Store(f"sqlite:///{tmp_path}/v.db"), load_study(write_study(tmp_path)))
    limit = RateLimit(rate=2, burst=40)
    app = FastAPI()
    app.include_router(study_router(sessions, limit), prefix="/study")
    client = TestClient(app)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(60):
        client.get("/study/api/progress", headers={"Authorization": f"Bearer {number}" + "x" * 60_000})
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert not limit._buckets and grown < 1_000_000
    token = sessions.enter()
    assert client.get("/study/api/progress", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert list(limit._buckets) == [token.split(".")[1]]
    sessions.store.close()


def test_seats_are_counted_by_address_at_the_door(study):
    body = json.dumps({"consent": True, "device": DEVICE}).encode()

    def enter(address):
        client = TestClient(study.app, client=(address, 1234))
        return client.post("/study/api/enter", content=body, headers={"Content-Type": "application/json"})

    assert [enter("198.51.100.1").status_code for _ in range(3)] == [200, 200, 403]
    refused = enter("198.51.100.1").json()
    assert refused["code"] == "crowded" and "labs" in refused["message"]
    spoofed = TestClient(study.app, client=("198.51.100.1", 1), headers={"X-Forwarded-For": "198.51.100.99"})
    assert spoofed.post("/study/api/enter", json=json.loads(body)).status_code == 403  # without a proxy it is a word
    assert enter("198.51.100.2").status_code == 200


def test_a_panel_s_number_opens_nothing_without_its_session(study):
    def enter(**more):
        client = TestClient(study.app, client=("198.51.100.7", 1234))
        body = {"consent": True, "device": DEVICE, "origin": "prolific", "participant": "known-to-many"} | more
        return client.post("/study/api/enter", json=body)

    token = enter(session="s-1").json()["token"]
    assert enter(session="s-1").json()["token"] == token
    for stranger in ({}, {"session": "s-2"}, {"session": None}):
        answer = enter(**stranger)
        assert (answer.status_code, answer.json()["code"]) == (403, "session") and "token" not in answer.json()


def test_renewed_admin_links_end_the_old_ones_and_no_session(study):
    sessions = study.sessions
    assert study.get("/study/admin/api/summary", headers={"Authorization": study.owner}).status_code == 200
    sessions.store.renew_admin(sessions.row.id)
    old, study.owner = (
        study.owner,
        f"Bearer {admin_token(sessions.row.secret, sessions.store.admin_key(sessions.row.id))}",
    )
    assert study.get("/study/admin/api/summary", headers={"Authorization": old}).status_code == 401
    assert study.get("/study/admin/api/summary", headers={"Authorization": study.owner}).status_code == 200
    assert study.get("/study/api/progress", headers={"Authorization": study.rater}).status_code == 200
