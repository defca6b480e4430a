"""Where votes are read from, and only read: a study file, a store by URL or as an SQLite file, or a file of raw votes.

Both kinds answer alike: which studies there are, a fingerprint that changes with every vote, and the tables that count.
"""

import hashlib
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from userstudy.design.study_file import load_study
from userstudy.errors import InputError
from userstudy.votes.reading import rankings_table, votes_table
from userstudy.votes.store import Store
from userstudy.votes.store_reader import StoreReader
from userstudy.votes.tables import log, raters, studies, votes
from userstudy.votes.transfer import read_votes, tables_of

SORTS = ("real", "simulated")
FILES = (".csv", ".jsonl", ".json", ".parquet")


@dataclass(frozen=True)
class VotesFile:
    """A file of raw votes, as ``python -m userstudy export`` writes it."""

    path: Path

    def studies(self) -> list[str]:
        return [self.path.stem]

    def fingerprint(self, study: str) -> str:
        """Names the content; changes with every vote."""
        stat = self.path.stat()
        return _file_digest(self.path, stat.st_mtime_ns, stat.st_size)

    def tables(self, study: str, sort: str | None) -> tuple[str, dict[str, int], pd.DataFrame, pd.DataFrame]:
        """The sort taken, how many answers there are of each, votes and rankings. ``sort`` None: real, if any."""
        frame, _ = read_votes(self.path)
        counts = {"real": int((~frame["simulated"]).sum()), "simulated": int(frame["simulated"].sum())}
        sort = sort or ("real" if counts["real"] else "simulated")
        return sort, counts, *tables_of(frame, sort == "simulated")

    def excluded(self, study: str) -> dict[str, str]:
        return {}

    def results_public(self, study: str) -> bool:
        """A file is what somebody chose to show: nobody votes into it."""
        return True


@dataclass(frozen=True)
class VoteStore:
    """A vote store, while it is being written or after; ``name`` is the study that comes first."""

    store: Store
    name: str | None = None

    def studies(self) -> list[str]:
        with self.store.read() as connection:
            names = list(connection.scalars(sa.select(studies.c.name).order_by(studies.c.id)))
        if not names:
            raise InputError("expected a study in the vote store, found none yet; it appears with its first rater")
        return sorted(names, key=lambda name: name != self.name)

    def fingerprint(self, study: str) -> str:
        """The latest vote and log line: changes with every vote and exclusion."""
        with self.store.read() as connection:
            last = [connection.scalar(sa.select(sa.func.max(table.c.id))) or 0 for table in (votes, log)]
        return f"vote-{last[0]}-log-{last[1]}"

    def tables(self, study: str, sort: str | None) -> tuple[str, dict[str, int], pd.DataFrame, pd.DataFrame]:
        row = self.store.find_study(study)
        query = (
            sa.select(raters.c.simulated, sa.func.count())
            .select_from(votes.join(raters, raters.c.id == votes.c.rater_id))
            .where(raters.c.study_id == row.id)
            .group_by(raters.c.simulated)
        )
        with self.store.read() as connection:
            found = {bool(simulated): count for simulated, count in connection.execute(query)}
        counts = {"real": found.get(False, 0), "simulated": found.get(True, 0)}
        simulated = sort == "simulated" if sort else not counts["real"]
        tables = (read(self.store, row, simulated) for read in (votes_table, rankings_table))
        return SORTS[simulated], counts, *tables

    def excluded(self, study: str) -> dict[str, str]:
        return self.store.excluded(self.store.find_study(study).id)

    def results_public(self, study: str) -> bool:
        """Whether the study has ended, or its file says ``live_results = true``."""
        row = self.store.find_study(study)
        if self.store.state(row.id) == "closed":
            return True
        with self.store.read() as connection:
            definition = connection.scalar(sa.select(studies.c.definition).where(studies.c.id == row.id))
        try:
            return tomllib.loads(definition).get("live_results") is True
        except tomllib.TOMLDecodeError:
            return False


def open_votes(text: str) -> VotesFile | VoteStore:
    """The votes that ``text`` names. Raises InputError where nothing is there; nothing is created."""
    path = Path(text)
    if "://" in text:
        address = _url(text)
        if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
            raise InputError(f"expected a vote store at {address.database}, found none")
        return VoteStore(StoreReader(text))
    if not path.is_file():
        raise InputError(f"expected a study file, a vote store or a file of votes at {path}, found none")
    if path.suffix.lower() in FILES:
        return VotesFile(path)
    if path.suffix.lower() == ".toml":
        study = load_study(path)
        return VoteStore(open_votes(study.database_url).store, study.file.name)
    return VoteStore(StoreReader(f"sqlite:///{path.resolve()}"))


@lru_cache(maxsize=16)
def _file_digest(path: Path, changed: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _url(text: str) -> sa.URL:
    try:
        return sa.make_url(text)
    except sa.exc.ArgumentError:
        raise InputError("expected the URL of a database in IPH_STUDY, got a text that is none") from None
