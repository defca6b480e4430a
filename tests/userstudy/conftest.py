"""Fixtures of the user study's tests: a study on disk, and a real PostgreSQL."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

POSTGRES = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="session")
def postgres_server():
    """The address (without database name) of a PostgreSQL that lives as long as the tests and listens on a socket only.

    Its programs refuse to run as root, so a root test run lends the cluster to the user ``postgres``. It does not flush
    its disk: the tests kill our servers, not this one.
    """
    if not (POSTGRES / "initdb").exists():
        pytest.skip(f"no PostgreSQL programs in {POSTGRES}; apt-get install postgresql-15")
    # The server ends with the tests even when they are killed.
    as_user = ["setpriv", "--pdeathsig=INT"]
    folder = Path(tempfile.mkdtemp(prefix="iph-pg-"))
    if os.getuid() == 0:
        as_user += ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
        shutil.chown(folder, "postgres", "postgres")

    def start(program, *arguments):
        command = [*as_user, str(POSTGRES / program), *arguments]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)

    initdb = start("initdb", "-D", f"{folder}/data", "-U", "study", "-A", "trust", "-E", "UTF8", "--no-sync")
    assert initdb.wait() == 0, "initdb failed"
    settings = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off"}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = start("postgres", "-D", f"{folder}/data", *options)
    deadline = time.monotonic() + 60
    while start("pg_isready", "-h", str(folder), "-U", "study").wait() != 0:
        assert server.poll() is None and time.monotonic() < deadline, "PostgreSQL did not start"
        time.sleep(0.1)
    yield f"postgresql+psycopg://study@/%s?host={folder}"
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
    shutil.rmtree(folder, ignore_errors=True)


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
