"""Fixtures of the user study's tests: a study on disk, and a real PostgreSQL."""

import os
import shutil
import subprocess
import tempfile
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
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="iph-pg-"))
    if as_user:
        shutil.chown(folder, "postgres", "postgres")

    def call(program, *arguments):
        subprocess.run(
            [*as_user, str(POSTGRES / program), *arguments], check=True, stdout=subprocess.DEVNULL, cwd=folder
        )

    call("initdb", "-D", f"{folder}/data", "-U", "study", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    call("pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", options, "start")
    yield f"postgresql+psycopg://study@/%s?host={folder}"
    call("pg_ctl", "-D", f"{folder}/data", "-w", "-m", "immediate", "stop")
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
