"""Viewing time by the server's clock: what is claimed never exceeds the time there was, and honest bursts are taken."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from study_files import write_study

from userstudy.design.study_file import load_study
from userstudy.votes import sessions as module
from userstudy.votes.clock import Answer, clock
from userstudy.votes.sessions import PREFETCH, Refused, Sessions
from userstudy.votes.store import Store
from userstudy.votes.tables import votes

LEAST = 2.0
STUDY = f"\n[pairs]\nper_rater = 9\n[raters]\nnumber = 30\nmin_seconds = {LEAST}\n"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Wall:
    """The server's clock, in seconds since the rater came."""

    def __init__(self):
        self.time = 0.0

    def __call__(self) -> str:
        return (BEGIN + timedelta(seconds=self.time)).isoformat(timespec="microseconds")


@pytest.fixture
def wall(monkeypatch):
    wall = Wall()
    monkeypatch.setattr(module, "now", wall)
    return wall


@pytest.fixture
def sessions(tmp_path):
    sessions = Sessions(Store("sqlite://"), load_study(write_study(tmp_path, STUDY)))
    yield sessions
    sessions.store.close()


def vote(sessions, token, trial, seconds=LEAST):
    return sessions.vote(token, uuid.uuid4().hex, trial, "left", seconds)


def stored(sessions) -> list[float]:
    with sessions.store.read() as connection:
        return list(connection.scalars(sa.select(votes.c.seconds).order_by(votes.c.id)))


@pytest.mark.parametrize("seconds", [None, LEAST, 3.0, 3600.0, 86_399.0])
def test_no_claim_makes_an_answer_earlier_than_the_viewing_time(sessions, wall, seconds):
    token = sessions.enter()
    wall.time = 1.5
    with pytest.raises(Refused, match="sooner than its pictures") as refused:
        vote(sessions, token, 0, seconds)
    assert refused.value.code == "busy" and refused.value.seconds == pytest.approx(0.5)  # the same answer, a bit later
    wall.time = 2.0
    vote(sessions, token, 0, seconds)
    assert stored(sessions) == [2.0]
    with pytest.raises(Refused, match="sooner") as refused:  # nor does the next one, handed out together with it
        vote(sessions, token, 1, seconds)
    assert refused.value.seconds == pytest.approx(2.0)


def test_waiting_long_saves_up_no_more_than_was_handed_out(sessions, wall):
    token = sessions.enter()
    wall.time = 1000.0
    for trial in range(PREFETCH):
        vote(sessions, token, trial)
    with pytest.raises(Refused, match="sooner"):
        vote(sessions, token, PREFETCH)  # on screen only since the first of them was taken
    with pytest.raises(Refused, match="not handed out yet"):
        vote(sessions, token, 2 * PREFETCH)


def test_one_long_claim_uses_the_time_up(sessions, wall):
    token = sessions.enter()
    wall.time = 10.0
    vote(sessions, token, 0, 60.0)
    with pytest.raises(Refused, match="sooner"):
        vote(sessions, token, 1)
    assert stored(sessions) == [10.0]


def test_an_answer_given_again_takes_its_time_again(sessions, wall):
    token = sessions.enter()
    wall.time = 2.0
    vote(sessions, token, 0)
    sessions.undo(token, "undo")
    with pytest.raises(Refused, match="sooner"):
        vote(sessions, token, 0)
    wall.time = 4.0
    vote(sessions, token, 0)


def test_simulated_raters_look_at_nothing(sessions, wall):
    token = sessions.enter("simulated", "1", simulated=True)
    vote(sessions, token, 0, 5.0)
    assert stored(sessions) == [5.0]


looks = st.lists(
    st.tuples(st.floats(LEAST, 30), st.floats(0, 5), st.booleans(), st.booleans()), min_size=1, max_size=25
)


@settings(max_examples=200)
@given(looks)
def test_an_honest_browser_is_never_refused(way):
    """It looks, answers, perhaps takes back; what it has answered arrives late and in bursts, but in order."""
    here, there = 0.0, []  # the browser's time; what it has sent and the server has not yet
    answers, taken, unanswered, revisions = [], 0, 0, {}

    def deliver(moment):
        nonlocal taken
        for trial, seconds in there:
            limit = clock(BEGIN.isoformat(), answers, trial, PREFETCH)
            at = BEGIN + timedelta(seconds=moment)
            assert limit.wait(at, LEAST) == 0 and limit.seconds(at, seconds) == pytest.approx(seconds, abs=5e-3)
            revisions[trial] = revisions.get(trial, 0) + 1
            answers.append(Answer(trial, revisions[trial], "left", limit.seconds(at, seconds), at.isoformat()))
            taken += 1
        there.clear()

    for seconds, pause, arrives, undoes in way:
        if unanswered == taken + PREFETCH:  # nothing more to look at until the server answers
            deliver(here + pause)
            here += pause
        here += seconds
        there.append((unanswered, round(seconds, 3)))
        unanswered += 1
        if arrives:
            deliver(here)
        if undoes and not there:
            trial = unanswered - 1
            revisions[trial] += 1
            moment = (BEGIN + timedelta(seconds=here)).isoformat()
            answers.append(Answer(trial, revisions[trial], "undone", None, moment))
            unanswered, taken = trial, taken - 1
        here += pause
    deliver(here)
    claimed = sum(answer.seconds for answer in answers if answer.seconds)
    assert claimed <= here + 0.001 * len(answers)
