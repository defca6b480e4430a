"""A rater's way through a study: come in, see trials, answer, take back the last answer, be done.

Every step is one transaction, and every step may be sent twice: the second time changes nothing and gets the same
answer. That is what lets a browser retry after a lost connection or a crash, of itself or of the server.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from userstudy.design.balanced import planned
from userstudy.design.study_file import Study
from userstudy.errors import InputError
from userstudy.votes.assign import PREFETCH, assign, stored_trials
from userstudy.votes.clock import Answer, clock
from userstudy.votes.refusal import Refused
from userstudy.votes.seats import check_address, forget_networks, free_seat, seat_network
from userstudy.votes.standing import Standing, standing, upcoming
from userstudy.votes.store import Store, last_action, now, state_after
from userstudy.votes.tables import raters, studies, trials, votes
from userstudy.votes.tokens import anonymous_id, panel_session_hash, rater_of, rater_token

UNDOS = 10  # times that one answer may be taken back: votes are never deleted, so each of them stays in the store

# Built once: putting such statements together takes SQLAlchemy longer than running them.
TRIAL = sa.select(trials).where(trials.c.rater_id == sa.bindparam("rater_id"), trials.c.trial == sa.bindparam("trial"))
STUDY_LOCKED = (
    sa.select(last_action(studies.c.id).scalar_subquery()).where(studies.c.id == sa.bindparam("study"))
).with_for_update(of=studies)
SEATED = raters.insert().returning(raters)
SETTLE = (
    raters.update()
    .where(raters.c.id == sa.bindparam("rater_id"))
    .values(outcome=sa.bindparam("outcome"), last_seen=sa.bindparam("moment"))
)


@dataclass(frozen=True)
class Progress:
    """Where a rater stands. ``upcoming`` are rows of the table of trials, the next one first."""

    rater: str
    done: int
    total: int
    outcome: str | None
    can_undo: bool
    upcoming: list[sa.Row] = field(default_factory=list)


class Sessions:
    """The raters of one study in one store."""

    def __init__(self, store: Store, study: Study):
        self.store, self.study = store, study
        self.row = store.open_study(study)
        self.forget_networks()

    def release(self, origin: str, participant: str) -> None:
        """Lets a panel's participant in under another session number and binds them to that. Raises InputError."""
        rater = anonymous_id(self.row.secret, origin, participant)
        here = sa.and_(raters.c.study_id == self.row.id, raters.c.rater == rater)
        with self.store.write() as connection:
            if not connection.execute(raters.update().where(here).values(panel_session=None)).rowcount:
                raise InputError(f"expected a participant of {origin} who has come to the study, got {participant!r}")

    def forget_networks(self) -> None:
        """Deletes what the store keeps of addresses, as far as no limit needs it any more."""
        with self.store.write() as connection:
            forget_networks(connection, self.row.id, self.study.file.raters)

    def enter(
        self,
        origin: str = "link",
        external_id: str | None = None,
        device: dict | None = None,
        simulated: bool = False,
        panel_session: str | None = None,
        address: str | None = None,
    ) -> str:
        """Seats a new rater and returns the token. A panel's participant who was here before gets the same one.

        Who came with a session number of the panel comes back with the same only. ``external_id``, ``panel_session``
        and ``address`` are kept only as keyed hashes, the last for an hour or while the session is under way. Raises
        Refused when the study is paused, closed or full, when the session number is another one, or when the address
        has as many sessions as one may.
        """
        limits = self.study.file.raters
        rater = anonymous_id(self.row.secret, origin, external_id)
        token = rater_token(self.row.secret, rater)
        with self.store.write() as connection:
            # Seats are given one at a time.
            action = connection.scalar(STUDY_LOCKED, {"study": self.row.id})
            number = panel_session_hash(self.row.secret, panel_session) if panel_session and external_id else None
            if external_id and self._knows(connection, rater, number):
                return token
            _check_open(state_after(action))
            forget_networks(connection, self.row.id, limits)
            excluded = set(self.store.excluded(self.row.id, connection))
            network = seat_network(self.row.secret, limits, address)
            if network is not None:
                check_address(connection, self.row.id, limits, network, excluded)
            seat = free_seat(connection, self.row.id, limits, simulated, excluded)
            values = dict(study_id=self.row.id, rater=rater, origin=origin, simulated=simulated, seat=seat)
            values.update(panel_session=number, network=network)
            values.update(planned=planned(self.study), created=now(), last_seen=now(), device=device or {})
            assign(connection, self.study, connection.execute(SEATED, values).one(), stored=[])
        return token

    def progress(self, token: str) -> Progress:
        """Raises ForeignToken for a token of another study, a forged one, or one of a rater the store does not know."""
        with self.store.read() as connection:
            here = standing(connection, self.row.id, rater_of(self.row.secret, token))
            return _progress(here, here.rater.outcome, upcoming(connection, here))

    def vote(
        self,
        token: str,
        request_id: str,
        trial: int,
        choice: str,
        seconds: float | None = None,
        ranks: list[int | None] | None = None,
    ) -> Progress:
        """Stores an answer, once for a ``request_id``. ``ranks`` is aligned with the pictures as shown.

        Raises Refused: paused or closed; conflict for a trial that has an answer; invalid for anything forged; busy for
        an answer that comes sooner than its pictures can have been looked at.
        """

        def answer(connection: sa.Connection, here: Standing) -> tuple[Answer, dict | None]:
            shown = connection.execute(TRIAL, {"rater_id": here.rater.id, "trial": trial}).first()
            if shown is None:
                raise Refused("invalid", f"trial {trial} is not among this rater's")
            if here.rater.outcome == "failed_checks":
                raise Refused("conflict", "this session has ended")
            by_method = self._check_answer(shown, choice, seconds, ranks)
            if trial in here.counting:
                raise Refused("conflict", f"trial {trial} already has an answer; undo it first")
            arrived = now()
            viewed = self._viewed(here, trial, seconds, arrived)
            return Answer(trial, here.revision(trial) + 1, choice, viewed, arrived, shown.expected), by_method

        return self._add_row(token, request_id, answer)

    def undo(self, token: str, request_id: str) -> Progress:
        """Takes back the rater's last answer that counts, by a row of its own. Raises Refused if there is none."""

        def undone(_: sa.Connection, here: Standing) -> tuple[Answer, None]:
            if not here.counting or here.rater.outcome == "failed_checks":
                raise Refused("conflict", "there is no answer to take back")
            last = max(here.counting)
            revision = here.revision(last)
            if revision // 2 >= UNDOS:
                raise Refused("conflict", f"this answer was taken back {UNDOS} times already; it stays as it is")
            return Answer(last, revision + 1, "undone", None, now()), None

        return self._add_row(token, request_id, undone)

    def _knows(self, connection: sa.Connection, rater: str, number: str | None) -> bool:
        """Whether a panel's participant was here before. Raises Refused if that was under another session number."""
        query = sa.select(raters).where(raters.c.study_id == self.row.id, raters.c.rater == rater)
        known = connection.execute(query).first()
        if known is None:
            return False
        if known.panel_session is None and number is not None:  # a link, or a store, that had no session numbers before
            connection.execute(raters.update().where(raters.c.id == known.id).values(panel_session=number))
        elif known.panel_session != number:
            raise Refused(
                "session",
                "this participant is here under another session number of the panel; open the study again from the "
                "panel's page where you first opened it, or write to the researchers through the panel",
            )
        return True

    def _viewed(self, here: Standing, trial: int, claimed: float | None, arrived: str) -> float | None:
        """The seconds to store: as claimed, as far as there was so much time between handing out and now."""
        if here.rater.simulated:  # these are made by this package and look at nothing
            return claimed
        limit = clock(here.rater.created, here.answers, trial, PREFETCH)
        if limit is None:
            raise Refused("invalid", f"trial {trial} was not handed out yet")
        moment = datetime.fromisoformat(arrived)
        wait = limit.wait(moment, self.study.file.raters.min_seconds)
        if wait:
            raise Refused("busy", "this answer came sooner than its pictures can have been looked at", wait)
        return limit.seconds(moment, claimed)

    def _check_answer(self, shown: sa.Row, choice: str, seconds: float | None, ranks: list | None) -> dict | None:
        least = self.study.file.raters.min_seconds
        if seconds is not None and not least <= seconds < 86_400:
            raise Refused("invalid", f"expected at least {least} seconds of viewing, got {seconds}")
        if shown.task == "pair":
            allowed = ("left", "right", *self.study.file.pairs.answers)
            if choice not in allowed or ranks is not None:
                raise Refused("invalid", f"expected one of {', '.join(allowed)} for a pair, got {choice!r}")
            return None
        if choice == "skip" and ranks is None:
            return None
        given = sorted(rank for rank in ranks or () if rank is not None)
        most = self.study.file.ranking.ranks
        if choice != "ranked" or len(ranks or ()) != len(shown.shown) or given != list(range(1, len(given) + 1)):
            raise Refused("invalid", f"expected ranks 1, 2, … for {len(shown.shown)} pictures, got {choice!r}, {ranks}")
        if not 1 <= len(given) <= most:
            raise Refused("invalid", f"expected one to {most} ranks, got {len(given)}")
        return dict(zip(shown.shown, ranks, strict=True))

    def _add_row(
        self, token: str, request_id: str, answer: Callable[[sa.Connection, Standing], tuple[Answer, dict | None]]
    ) -> Progress:
        """Adds an answer and its ranks, made of the store and where the rater stands, once for a ``request_id``."""
        name = rater_of(self.row.secret, token)
        with self.store.write() as connection:
            here = standing(connection, self.row.id, name, lock=True)
            if request_id in here.requests:
                return _progress(here, here.rater.outcome, upcoming(connection, here))
            _check_open(here.state)
            given, ranks = answer(connection, here)
            row = given._asdict() | {"rater_id": here.rater.id, "request_id": request_id, "ranks": ranks}
            del row["expected"]  # the trial's
            connection.execute(votes.insert(), row)
            here.answers.append(given)
            return self._settle(connection, here)

    def _settle(self, connection: sa.Connection, here: Standing) -> Progress:
        """After a change: write down whether the rater is done and assign what comes next."""
        limit = self.study.file.raters.max_failed
        complete = "complete" if len(here.counting) == here.rater.planned else None
        outcome = "failed_checks" if limit and here.failed >= limit else complete
        connection.execute(SETTLE, {"rater_id": here.rater.id, "outcome": outcome, "moment": now()})
        following = upcoming(connection, here)
        if len(following) < PREFETCH and len(here.counting) + len(following) < here.rater.planned:
            assign(connection, self.study, here.rater, stored_trials(connection, here.rater.id))
            following = upcoming(connection, here)
        return _progress(here, outcome, following)


def _check_open(state: str) -> None:
    if state != "open":
        raise Refused(state, f"the study is {state}")


def _progress(here: Standing, outcome: str | None, following: list[sa.Row]) -> Progress:
    done, over = len(here.counting), outcome == "failed_checks"
    can_undo = done > 0 and not over
    return Progress(here.rater.rater, done, here.rater.planned, outcome, can_undo, [] if over else following)
