"""The vote store on SQLite and PostgreSQL: opening, migrating, append-only, states and exclusions."""

import os
import stat

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from study_files import PAIRS, RATERS, write_study

from userstudy.design.study_file import load_study
from userstudy.errors import InputError
from userstudy.votes.sessions import Refused, Sessions
from userstudy.votes.store import Store
from userstudy.votes.tables import APPEND_ONLY, log, metadata, votes


def test_migrations_make_the_tables_of_the_code(store):
    with store.write() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_store_opens_twice_and_remembers(store, sessions, database_url):
    token = sessions.enter()
    again = Store(database_url)
    assert Sessions(again, sessions.study).progress(token).total == 6
    assert again.find_study().name == "trial"
    again.close()


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {} SET timestamp = 'x'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_votes_and_log(store, sessions, table, change):
    token = sessions.enter()
    sessions.vote(token, "a", 0, "left")
    store.set_state(sessions.row.id, "pause")
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), store.write() as connection:
        connection.execute(sa.text(change.format(table)))
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(votes)) == 1
        assert connection.scalar(sa.select(sa.func.count()).select_from(log)) == 1


def test_the_unique_constraints_are_the_database_s(store, sessions):
    token = sessions.enter()
    sessions.vote(token, "a", 0, "left")
    with store.read() as connection:
        row = dict(connection.execute(sa.select(votes)).one()._mapping)
    for change in ({"request_id": "b"}, {"revision": 2}):  # same (rater, trial, revision); same request
        with pytest.raises(sa.exc.IntegrityError), store.write() as connection:
            connection.execute(votes.insert().values(row | {"id": None} | change))
    with pytest.raises(sa.exc.IntegrityError), store.write() as connection:  # a trial that does not exist
        connection.execute(votes.insert().values(row | {"id": None, "trial": 99, "request_id": "c"}))


def test_pause_close_and_open(store, sessions):
    token = sessions.enter()
    assert store.state(sessions.row.id) == "open"
    for action, state in (("pause", "paused"), ("close", "closed")):
        store.set_state(sessions.row.id, action, "lunch")
        assert store.state(sessions.row.id) == state
        for call in (sessions.enter, lambda: sessions.vote(token, "a", 0, "left"), lambda: sessions.undo(token, "u")):
            with pytest.raises(Refused) as refused:
                call()
            assert refused.value.code == state
        assert sessions.progress(token).done == 0  # looking stays possible
    store.set_state(sessions.row.id, "open")
    assert sessions.vote(token, "a", 0, "left").done == 1
    with pytest.raises(InputError, match="did you mean 'pause'"):
        store.set_state(sessions.row.id, "paus")


def test_exclusions_have_reasons_and_can_be_taken_back(store, sessions):
    rater = sessions.progress(sessions.enter()).rater
    with pytest.raises(InputError, match="expected a reason"):
        store.exclude(sessions.row.id, rater, " ")
    with pytest.raises(InputError, match="no rater 'nobody'"):
        store.exclude(sessions.row.id, "nobody", "why not")
    store.exclude(sessions.row.id, rater, "always left")
    assert store.excluded(sessions.row.id) == {rater: "always left"}
    store.include(sessions.row.id, rater, "they were right")
    assert store.excluded(sessions.row.id) == {}
    with store.read() as connection:
        assert connection.scalars(sa.select(log.c.action)).all() == ["exclude", "include"]


def test_texts_may_change_but_not_the_design_once_a_rater_came(store, tmp_path):
    path = write_study(tmp_path)
    Sessions(store, load_study(path))
    path.write_text(path.read_text().replace("per_rater = 6", "per_rater = 7"))
    sessions = Sessions(store, load_study(path))  # no rater yet
    secret = sessions.row.secret
    sessions.enter()
    path.write_text(path.read_text().replace("We store", "We keep"))
    assert Sessions(store, load_study(path)).row.secret == secret
    path.write_text(path.read_text().replace("per_rater = 7", "per_rater = 8"))
    with pytest.raises(InputError, match="already has raters under another design"):
        Sessions(store, load_study(path))


def test_a_study_is_found_by_name_or_alone(store, sessions, tmp_path):
    Sessions(store, load_study(write_study(tmp_path / "other", PAIRS + RATERS, name="other")))
    assert store.find_study("other").name == "other"
    with pytest.raises(InputError, match="one of \\['trial', 'other'\\]"):
        store.find_study()
    with pytest.raises(InputError, match="did you mean 'trial'"):
        store.find_study("trail")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("votes.db", "expected the URL of an SQLite or PostgreSQL database"),
        ("mysql://me:secret@host/x", "mysql is neither"),
        ("sqlite:////no/such/folder/votes.db", "there is no folder /no/such/folder"),
        ("postgresql://me:secret@127.0.0.1:1/x?connect_timeout=2", "onnection"),
    ],
)
def test_a_bad_address_is_told_without_its_password(url, message):
    with pytest.raises(InputError, match=message) as caught:
        Store(url)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_and_a_newer_store_are_refused(tmp_path):
    (tmp_path / "junk.db").write_text("hello " * 1000)
    with pytest.raises(InputError, match="not a vote store that this version can read"):
        Store(f"sqlite:///{tmp_path}/junk.db")
    store = Store(f"sqlite:///{tmp_path}/new.db")
    with store.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(InputError, match="9999"):
        Store(f"sqlite:///{tmp_path}/new.db")


def test_a_full_disk_refuses_the_vote_and_keeps_the_others(tmp_path):
    """SQLite's own page limit gives the error a full disk gives."""
    store = Store(f"sqlite:///{tmp_path}/votes.db")
    sessions = Sessions(store, load_study(write_study(tmp_path, PAIRS.replace("6", "30") + RATERS)))

    def limit(pages):
        def apply(connection, _record, _proxy):
            connection.execute(f"PRAGMA max_page_count = {pages}")

        sa.event.listen(store.engine, "checkout", apply)
        return lambda: sa.event.remove(store.engine, "checkout", apply)

    with store.read() as connection:
        used = connection.scalar(sa.text("PRAGMA page_count"))
    lift = limit(used)
    acknowledged = 0
    with pytest.raises(sa.exc.OperationalError, match="full"):
        for _ in range(30):
            token = sessions.enter()
            for trial in range(30):
                sessions.vote(token, str(trial), trial, "left")
                acknowledged += 1
    lift()
    limit(1_000_000)
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(votes)) == acknowledged
    assert sessions.vote(sessions.enter(), "again", 0, "left").done == 1
    store.close()


def test_a_store_is_its_owner_s_alone(tmp_path):
    before = os.umask(0o022)
    try:
        sessions = Sessions(Store(f"sqlite:///{tmp_path}/votes.db"), load_study(write_study(tmp_path)))
        sessions.vote(sessions.enter(), "a", 0, "left")
        files = sorted(tmp_path.glob("votes.db*"))
        assert [file.name for file in files] == ["votes.db", "votes.db-shm", "votes.db-wal"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    finally:
        os.umask(before)
        sessions.store.close()


def test_a_store_that_is_there_keeps_the_mode_its_owner_gave_it(tmp_path):
    (tmp_path / "votes.db").touch(0o640)
    (tmp_path / "votes.db").chmod(0o640)
    Store(f"sqlite:///{tmp_path}/votes.db").close()
    assert stat.S_IMODE((tmp_path / "votes.db").stat().st_mode) == 0o640


def test_renewing_the_admin_link_leaves_raters_alone(store, sessions):
    token, key = sessions.enter("prolific", "5f0c"), store.admin_key(sessions.row.id)
    store.renew_admin(sessions.row.id)
    first = store.admin_key(sessions.row.id)
    store.renew_admin(sessions.row.id)
    assert len({key, first, store.admin_key(sessions.row.id)}) == 3
    assert sessions.progress(token).total == 6 and sessions.enter("prolific", "5f0c") == token
