"""A vote store that is only looked at, on SQLite and PostgreSQL: what the dashboard reads from."""

import pytest
import sqlalchemy as sa

from userstudy.errors import InputError
from userstudy.report.dashboard_data import summarize
from userstudy.votes.simulate import Taste, simulate
from userstudy.votes.store_reader import StoreReader
from userstudy.votes.tables import votes
from userstudy.votes.vote_source import open_votes

TASTE = Taste({"DoveNet": -0.3, "RainNet": 0.0, "BargainNet": 0.2, "IPH": 0.6})


@pytest.fixture
def reader(sessions, database_url):
    reader = StoreReader(database_url)
    yield reader
    reader.engine.dispose()


def test_the_reader_says_what_the_store_says(store, sessions, database_url):
    simulate(sessions, TASTE, 8)
    source = open_votes(database_url)
    before = source.fingerprint("trial")
    about, items = summarize(source, "trial")
    assert about["answers"] == {"real": 0, "simulated": 48}
    assert about["scores"]["pairs"]["tally"]["raters"] == 8 and len(items) > 0
    assert source.fingerprint("trial") == before
    sessions.vote(sessions.enter(), "a", 0, "left")
    assert source.fingerprint("trial") != before
    assert summarize(source, "trial")[0]["answers"]["real"] == 1  # read anew, not remembered
    source.store.engine.dispose()


@pytest.mark.parametrize("change", ["INSERT INTO studies (name) VALUES ('x')", "DROP TABLE votes", "DELETE FROM votes"])
def test_the_database_refuses_to_be_written_by_a_reader(reader, store, sessions, change):
    sessions.vote(sessions.enter(), "a", 0, "left")
    with pytest.raises(sa.exc.DBAPIError, match="read-?only"), reader.engine.begin() as connection:
        connection.execute(sa.text(change))
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(votes)) == 1


def test_a_look_does_not_wait_for_a_writer(reader, store, sessions):
    sessions.vote(sessions.enter(), "a", 0, "left")
    with store.write() as connection:
        connection.execute(sa.text("UPDATE studies SET name = 'other'"))  # not committed yet
        with reader.read() as looking:
            assert looking.scalar(sa.select(sa.func.count()).select_from(votes)) == 1


def test_an_empty_database_is_one_sentence_and_stays_empty(postgres_url):
    with pytest.raises(InputError, match="expected a vote store of this version at .*, found none"):
        StoreReader(postgres_url)
    engine = sa.create_engine(postgres_url)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()
