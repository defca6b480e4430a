"""A vote store that is only looked at: nothing is created, brought up to date, locked or waited for.

SQLite files are opened with ``mode=ro`` (https://www.sqlite.org/uri.html), PostgreSQL with read-only transactions.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from userstudy.errors import InputError
from userstudy.votes.store import Store

PATIENCE = 2.0  # seconds that a look waits for a database that somebody holds


class StoreReader(Store):
    """Reads as ``Store`` does; a write fails in the database. Raises InputError where it cannot be read now."""

    def __init__(self, url: str):
        """Raises InputError if ``url`` is no vote store of this version."""
        self._shown = "a text that is no URL"
        try:
            address = sa.make_url(url)
            self._shown = address.render_as_string(hide_password=True)
            self.engine = _engine(address)
        except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError) as error:
            raise InputError(f"expected the URL of a vote store, got {self._shown}: {error}") from None
        with self.read() as connection:
            found = MigrationContext.configure(connection).get_current_heads()
        if set(found) != set(_versions()):
            raise InputError(
                f"expected a vote store of this version at {self._shown}, found {'an older one' if found else 'none'}"
            )

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        try:
            with self.engine.connect() as connection:
                yield connection
        except sa.exc.DatabaseError as error:
            reason = " ".join(str(error.orig).split()) if error.orig else "it is broken"
            raise InputError(f"expected to read the vote store at {self._shown}, but: {reason}") from None


def _versions() -> tuple[str, ...]:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return tuple(ScriptDirectory.from_config(config).get_heads())


def _engine(address: sa.URL) -> sa.Engine:
    if address.get_backend_name() == "postgresql":
        given = {"options": "-c default_transaction_read_only=on", "connect_timeout": int(PATIENCE)}
        return sa.create_engine(address.set(drivername="postgresql+psycopg"), pool_pre_ping=True, connect_args=given)
    if address.get_backend_name() != "sqlite" or not address.database:
        raise sa.exc.ArgumentError(f"{address.get_backend_name()} is no file of SQLite and no PostgreSQL")
    path = Path(address.database).resolve()
    mode = "mode=ro" if os.access(path.parent, os.W_OK) or Path(f"{path}-wal").exists() else "immutable=1"
    name = f"file:{quote(str(path))}?{mode}"  # without a writer's files beside it, a folder that allows none is at rest

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(name, uri=True, timeout=PATIENCE, check_same_thread=False)

    return sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.QueuePool)
