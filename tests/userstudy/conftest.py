"""Fixtures of the user study's tests: a study on disk, and a real PostgreSQL."""

import os

import pytest
from postgres_hands import Postgres, programs


@pytest.fixture(scope="session")
def postgres_server(absent):
    """The address (without database name) of a PostgreSQL that lives as long as the tests."""
    if programs() is None:
        absent("no PostgreSQL programs in /usr/lib/postgresql or on the PATH; apt-get install postgresql")
    server = Postgres()
    yield server.url
    server.close()


@pytest.fixture
def postgres_url(postgres_server) -> str:
    """The URL of an empty PostgreSQL database of this test's own."""
    import sqlalchemy

    name = f"t{os.urandom(6).hex()}"
    admin = sqlalchemy.create_engine(postgres_server % "postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
    yield postgres_server % name
    with admin.connect() as connection:
        connection.execute(sqlalchemy.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request, tmp_path) -> str:
    """An empty database of either kind."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path}/votes.db"


@pytest.fixture
def store(database_url):
    """A vote store in it."""
    from userstudy.votes.store import Store

    store = Store(database_url)
    yield store
    store.close()


@pytest.fixture
def sessions(store, tmp_path):
    """The sessions of a small study that votes into the store."""
    from study_files import write_study

    from userstudy.design.study_file import load_study
    from userstudy.votes.sessions import Sessions

    return Sessions(store, load_study(write_study(tmp_path)))
