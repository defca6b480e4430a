"""The vote store: one database, SQLite (WAL) by default or PostgreSQL by URL, brought up to date when it is opened.

Nothing that a rater or an administrator did is ever overwritten: votes have revisions, and pausing, closing and
excluding are lines of a log whose latest line counts.
"""

import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from userstudy.design.study_file import Study
from userstudy.errors import InputError, nearest
from userstudy.votes.tables import log, raters, studies, trials, votes

DATABASE = "IPH_STUDY_DATABASE"  # the environment's database URL: a password belongs on no command line
STATES = {"open": "open", "pause": "paused", "close": "closed"}  # log action -> state


def now() -> str:
    """This moment, ISO 8601 in UTC; such texts sort by time."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class StudyRow:
    """A study as the store knows it."""

    id: int
    name: str
    secret: bytes


class Store:
    """An open vote store. Safe to share between threads; several processes may open the same database."""

    def __init__(self, url: str):
        """Raises InputError if ``url`` is no database that can be opened and brought up to date."""
        shown = "a text that is no URL"
        try:
            address = sa.make_url(url)
            shown = address.render_as_string(hide_password=True)
            self.engine = _engine(address)
            # SQLite lets one writer in at a time and others poll; a lock lets our own threads queue instead.
            self._writing = threading.Lock() if address.get_backend_name() == "sqlite" else nullcontext()
            with self.write() as connection:
                _migrate(connection)
        except (sa.exc.ArgumentError, sa.exc.OperationalError, sa.exc.NoSuchModuleError, ImportError) as error:
            reason = _first_line(getattr(error, "orig", None) or error)
            raise InputError(f"expected the URL of an SQLite or PostgreSQL database, got {shown}: {reason}") from None
        except (CommandError, sa.exc.DatabaseError) as error:
            reason = _first_line(getattr(error, "orig", None) or error)
            raise InputError(f"{shown} is not a vote store that this version can read: {reason}") from None

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with self.engine.connect().execution_options(reads_only=True) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction: everything in it is on disk when it ends, or nothing."""
        with self._writing, self.engine.begin() as connection:
            yield connection

    def open_study(self, study: Study) -> StudyRow:
        """The study's row, made on first use. Raises InputError if it has raters under another design."""
        definition = study.path.read_text(encoding="utf-8")
        with self.write() as connection:
            row = connection.execute(
                sa.select(studies).where(studies.c.name == study.file.name).with_for_update()
            ).first()
            if row is None:
                values = dict(name=study.file.name, design_hash=study.design_hash, definition=definition, created=now())
                secret = secrets.token_hex(32)
                added = connection.execute(studies.insert().values(secret=secret, **values))
                return StudyRow(added.inserted_primary_key[0], study.file.name, bytes.fromhex(secret))
            if row.design_hash != study.design_hash:
                if connection.scalar(sa.select(sa.func.count()).where(raters.c.study_id == row.id)):
                    raise InputError(
                        f"study {study.file.name!r} already has raters under another design (methods, items, pairs or "
                        "ranking differ); give the changed study a new name"
                    )
                connection.execute(log.insert().values(_line(row.id, "redefine", "no rater had come yet")))
            if row.definition != definition:
                changed = dict(design_hash=study.design_hash, definition=definition)
                connection.execute(studies.update().where(studies.c.id == row.id).values(changed))
            return StudyRow(row.id, row.name, bytes.fromhex(row.secret))

    def find_study(self, name: str | None = None) -> StudyRow:
        """A study by name, or the only one there is."""
        with self.read() as connection:
            rows = connection.execute(sa.select(studies).order_by(studies.c.id)).all()
        names = [row.name for row in rows]
        if name is None and len(rows) != 1:
            raise InputError(
                f"expected the name of a study, one of {names}" if rows else "the store holds no study yet"
            )
        for row in rows:
            if name in (None, row.name):
                return StudyRow(row.id, row.name, bytes.fromhex(row.secret))
        raise InputError(f"the store holds no study {name!r}{nearest(name, names)}")

    def admin_key(self, study_id: int) -> str:
        """What the study's admin token is made with, beside the secret. Read anew, so that an end is felt at once."""
        with self.read() as connection:
            return connection.scalar(sa.select(studies.c.admin_key).where(studies.c.id == study_id))

    def renew_admin(self, study_id: int) -> None:
        """Ends all admin links there are; raters' tokens, ids and pictures' names stay."""
        with self.write() as connection:
            changed = dict(admin_key=secrets.token_hex(16))
            connection.execute(studies.update().where(studies.c.id == study_id).values(changed))

    def state(self, study_id: int, connection: sa.Connection | None = None) -> str:
        """``open``, ``paused`` or ``closed``."""
        with nullcontext(connection) if connection is not None else self.read() as connection:
            return state_after(connection.scalar(last_action(study_id)))

    def set_state(self, study_id: int, action: str, reason: str = "") -> None:
        """``open``, ``pause`` or ``close``."""
        if action not in STATES:
            raise InputError(f"expected one of {', '.join(STATES)}, got {action!r}{nearest(action, STATES)}")
        with self.write() as connection:
            connection.execute(log.insert().values(_line(study_id, action, reason)))

    def exclude(self, study_id: int, rater: str, reason: str, connection: sa.Connection | None = None) -> None:
        """Leaves a rater's votes out of scores and counts. The votes stay, and ``include`` takes it back."""
        self._judge(study_id, "exclude", rater, reason, connection)

    def include(self, study_id: int, rater: str, reason: str) -> None:
        self._judge(study_id, "include", rater, reason, None)

    def _judge(self, study_id: int, action: str, rater: str, reason: str, connection: sa.Connection | None) -> None:
        if not reason.strip():
            raise InputError(f"expected a reason to {action} rater {rater}, got none")
        with nullcontext(connection) if connection is not None else self.write() as connection:
            known = connection.scalars(sa.select(raters.c.rater).where(raters.c.study_id == study_id)).all()
            if rater not in known:
                raise InputError(f"the study has no rater {rater!r}{nearest(rater, known)}")
            connection.execute(log.insert().values(_line(study_id, action, reason.strip(), rater)))

    def excluded(self, study_id: int, connection: sa.Connection | None = None) -> dict[str, str]:
        """The raters left out now, each with the reason."""
        with nullcontext(connection) if connection is not None else self.read() as connection:
            latest = {line.rater: line for line in connection.execute(JUDGED, {"study": study_id})}
        return {rater: line.reason for rater, line in latest.items() if line.action == "exclude"}

    def close(self) -> None:
        self.engine.dispose()


def last_action(study_id: int | sa.ColumnElement[int]) -> sa.Select:
    """The last of the log's lines that opened, paused or closed a study; nothing for one that is as it was made."""
    among = sa.or_(*(log.c.action == action for action in STATES))
    return sa.select(log.c.action).where(log.c.study_id == study_id, among).order_by(log.c.id.desc()).limit(1)


def state_after(action: str | None) -> str:
    """What a study is after its ``last_action``: ``open``, ``paused`` or ``closed``."""
    return STATES[action or "open"]


# Every entry asks for these.
JUDGED = (
    sa.select(log.c.rater, log.c.action, log.c.reason)
    .where(log.c.study_id == sa.bindparam("study"), log.c.action.in_(("exclude", "include")))
    .order_by(log.c.id)
)


def _effective() -> sa.Subquery:
    newer = votes.alias("newer")
    latest = ~sa.exists().where(
        newer.c.rater_id == votes.c.rater_id, newer.c.trial == votes.c.trial, newer.c.revision > votes.c.revision
    )
    return sa.select(votes).where(latest, votes.c.choice != "undone").subquery("effective")


effective_votes = _effective()
"""The votes that count: of every (rater, trial) the latest revision, unless it was undone."""
same_trial = sa.and_(effective_votes.c.rater_id == trials.c.rater_id, effective_votes.c.trial == trials.c.trial)


def _line(study_id: int, action: str, reason: str, rater: str | None = None) -> dict:
    return dict(study_id=study_id, action=action, reason=reason, rater=rater, timestamp=now())


def _first_line(error: Exception) -> str:
    """What a driver says, without its hints below."""
    return str(error).strip().partition("\n")[0]


def _engine(address: sa.URL) -> sa.Engine:
    if address.get_backend_name() == "postgresql":
        return sa.create_engine(address.set(drivername="postgresql+psycopg"), pool_size=20, pool_pre_ping=True)
    if address.get_backend_name() != "sqlite":
        raise sa.exc.ArgumentError(f"{address.get_backend_name()} is neither sqlite nor postgresql")
    if address.database and not Path(address.database).parent.is_dir():
        raise sa.exc.ArgumentError(f"there is no folder {Path(address.database).parent}")
    if address.database and not address.database.startswith((":", "file:")):
        _create_private(Path(address.database))
    engine = sa.create_engine(address, pool_size=20, connect_args={"timeout": 30})

    @sa.event.listens_for(engine, "connect")
    def _settings(connection, _record):
        connection.isolation_level = None  # the driver begins nothing by itself; _begin does
        for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {setting}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection):
        reads_only = connection.get_execution_options().get("reads_only")
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return engine


def _create_private(path: Path) -> None:
    """An empty file that only its owner reads; SQLite gives the files beside it (-wal, -shm) the same mode."""
    with suppress(OSError):  # it is there already, or the folder refuses it, which SQLite says better
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _migrate(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":  # two servers may start at once
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(20220001)"))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
