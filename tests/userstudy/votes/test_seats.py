"""Seats by address and panel sessions: one address cannot take a study, a lab can, and nothing of it stays."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from study_files import PAIRS, write_study

from userstudy.design.study_file import load_study
from userstudy.errors import InputError
from userstudy.votes import seats
from userstudy.votes.seats import network_of
from userstudy.votes.sessions import UNDOS, Refused, Sessions
from userstudy.votes.store import Store
from userstudy.votes.tables import raters, studies

RATERS = "\n[raters]\nnumber = 30\nmin_seconds = 0\nsessions_per_address = 3\nentries_per_hour = 5\n"
HOME = "203.0.113.7"


@pytest.fixture
def make(tmp_path, database_url):
    opened = []

    def make(rest=RATERS) -> Sessions:
        opened.append(Store(database_url))
        return Sessions(opened[-1], load_study(write_study(tmp_path, PAIRS + rest)))

    yield make
    for store in opened:
        store.close()


def finish(sessions, token):
    progress = sessions.progress(token)
    while progress.upcoming:
        trial = progress.upcoming[0].trial
        progress = sessions.vote(token, f"answer-{trial}", trial, "left")


def later(monkeypatch, **time):
    """Moves the clock of the seats."""

    class Later(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime.now(zone) + timedelta(**time)

    monkeypatch.setattr(seats, "datetime", Later)


def networks(sessions) -> list:
    with sessions.store.read() as connection:
        return list(connection.scalars(sa.select(raters.c.network).order_by(raters.c.id)))


@pytest.mark.parametrize(
    "again", [HOME, f"::ffff:{HOME}", f"::FFFF:{HOME}"], ids=["the same", "as IPv6", "as IPv6 in capitals"]
)
def test_one_address_holds_so_many_unfinished_sessions(make, again):
    sessions = make()
    tokens = [sessions.enter(address=HOME) for _ in range(3)]
    for origin, participant in (("link", None), ("prolific", "made-up-1"), ("mturk", "made-up-2")):
        with pytest.raises(Refused, match="3 sessions from this network address.*`labs` in the study file") as refused:
            sessions.enter(origin, participant, address=again)
        assert refused.value.code == "crowded"
    sessions.enter(address="203.0.113.8")  # a neighbour comes in
    finish(sessions, tokens[0])
    sessions.enter(address=again)


def test_a_device_has_many_addresses_of_ipv6_and_one_network(make):
    sessions = make()
    for host in ("1", "2", "ffff:1:3"):
        sessions.enter(address=f"2001:db8:1:2::{host}")
    with pytest.raises(Refused, match="network address"):
        sessions.enter(address="2001:db8:1:2::4%eth0")
    sessions.enter(address="2001:db8:1:3::1")


def test_finished_and_ended_sessions_count_by_the_hour(make, monkeypatch):
    sessions = make()
    for _ in range(5):
        finish(sessions, sessions.enter(address=HOME))
    with pytest.raises(Refused, match="within an hour.*try again in 60 minutes") as refused:
        sessions.enter(address=HOME)
    assert refused.value.code == "crowded"
    later(monkeypatch, minutes=61)
    sessions.enter(address=HOME)


def test_all_processes_count_together(make):
    one, other = make(), make()
    for sessions in (one, other, one):
        sessions.enter(address=HOME)
    with pytest.raises(Refused, match="network address"):
        other.enter(address=HOME)


@pytest.mark.parametrize("lab", ["203.0.113.7", "203.0.113.0/24", "2001:db8::/32"])
def test_a_lab_comes_in_together(make, lab):
    sessions = make(RATERS + f'labs = ["192.0.2.1", "{lab}"]\n')
    address = "2001:db8:7::5" if ":" in lab else HOME
    for _ in range(10):
        sessions.enter(address=address)
    assert networks(sessions) == [None] * 10


@pytest.mark.parametrize("lab", ["everybody", "203.0.113.7/24", "10.0.0.0/33"])
def test_a_lab_that_is_no_network_is_one_sentence(make, lab):
    with pytest.raises(InputError, match="expected an address or a network such as"):
        make(RATERS + f'labs = ["{lab}"]\n')


def test_no_address_is_kept_and_what_is_kept_goes(make, monkeypatch):
    sessions = make()
    token = sessions.enter(address=HOME)
    assert len(networks(sessions)[0]) == 6
    with sessions.store.read() as connection:
        for table in (raters, studies):
            assert HOME not in str(connection.execute(sa.select(table)).all())
    finish(sessions, token)
    later(monkeypatch, minutes=61)
    sessions.enter(address="203.0.113.8")
    assert networks(sessions)[0] is None


def test_what_counts_as_one_address():
    assert network_of("198.51.100.4") == network_of("::ffff:198.51.100.4") == "198.51.100.4"
    assert network_of("2001:db8::1") == network_of("2001:db8:0:0:ffff::9") == "2001:db8::/64"
    assert network_of(None) is network_of("") is network_of("testclient") is None


def test_a_participant_s_number_alone_is_not_the_participant(make):
    sessions = make()
    token = sessions.enter("prolific", "5f0c", panel_session="s-1")
    assert sessions.enter("prolific", "5f0c", panel_session="s-1") == token
    for wrong in (None, "", "s-2", "S-1", "s-1 "):
        with pytest.raises(Refused, match="another session number of the panel") as refused:
            sessions.enter("prolific", "5f0c", panel_session=wrong)
        assert refused.value.code == "session"
    with sessions.store.read() as connection:
        assert "s-1" not in str(connection.execute(sa.select(raters)).all())


def test_a_participant_who_took_the_task_again_is_let_in_by_the_researcher(make):
    sessions = make()
    token = sessions.enter("prolific", "5f0c", panel_session="s-1")
    with pytest.raises(InputError, match="expected a participant of mturk"):
        sessions.release("mturk", "5f0c")
    sessions.release("prolific", "5f0c")
    assert sessions.enter("prolific", "5f0c", panel_session="s-2") == token
    with pytest.raises(Refused, match="another session number"):
        sessions.enter("prolific", "5f0c", panel_session="s-1")


def test_links_without_a_session_number_work_as_they_did_and_are_bound_by_the_first(make):
    sessions = make()
    token = sessions.enter("mturk", "W1")
    assert sessions.enter("mturk", "W1") == token
    assert sessions.enter("mturk", "W1", panel_session="a-1") == token
    with pytest.raises(Refused, match="another session number"):
        sessions.enter("mturk", "W1")


def test_an_answer_is_not_taken_back_without_end(make):
    sessions = make()
    token = sessions.enter()
    for turn in range(UNDOS):
        sessions.vote(token, f"vote-{turn}", 0, "left")
        sessions.undo(token, f"undo-{turn}")
    sessions.vote(token, "last", 0, "right")
    with pytest.raises(Refused, match="taken back 10 times already; it stays") as refused:
        sessions.undo(token, "once-more")
    assert refused.value.code == "conflict"
    sessions.vote(token, "next", 1, "left")  # and the session goes on
    assert sessions.undo(token, "undo-next").done == 1


def test_old_stores_are_brought_up_to_date_and_their_raters_go_on(make, tmp_path, database_url):
    from alembic import command
    from alembic.config import Config

    sessions = make()
    token = sessions.enter("prolific", "5f0c")
    sessions.vote(token, "vote-0", 0, "left")
    config = Config()
    config.set_main_option("script_location", str(seats.__file__).replace("seats.py", "migrations"))
    with sessions.store.write() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        columns = {column["name"] for column in sa.inspect(connection).get_columns("raters")}
        assert "network" not in columns
    again = make()
    assert again.enter("prolific", "5f0c", panel_session="s-1") == token
    assert again.vote(token, "vote-1", 1, "left").done == 2
    with again.store.read() as connection:
        assert connection.scalar(sa.select(studies.c.admin_key)) == ""
