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
from userstudy.votes.assign import PREFETCH, assign
from userstudy.votes.clock import Answer, clock
from userstudy.votes.refusal import Refused
from userstudy.votes.seats import check_address, forget_networks, free_seat, seat_network
from userstudy.votes.store import Store, effective_votes, now, same_trial
from userstudy.votes.tables import raters, studies, trials, votes
from userstudy.votes.tokens import ForeignToken, anonymous_id, panel_session_hash, rater_of, rater_token

UNDOS = 10  # times that one answer may be taken back: votes are never deleted, so each of them stays in the store

# Built once: putting such statements together takes SQLAlchemy longer than running them.
_missed = sa.and_(trials.c.expected.is_not(None), effective_votes.c.choice != trials.c.expected)
DONE_AND_FAILED = (
    sa.select(sa.func.count(), sa.func.count().filter(_missed))
    .select_from(effective_votes.join(trials, same_trial))
    .where(effective_votes.c.rater_id == sa.bindparam("rater_id"))
)
UPCOMING = (
    sa.select(trials)
    .where(trials.c.rater_id == sa.bindparam("rater_id"), ~sa.exists().where(same_trial))
    .order_by(trials.c.trial)
    .limit(PREFETCH)
)
GIVEN = (
    sa.select(*(votes.c[name] for name in Answer._fields))
    .where(votes.c.rater_id == sa.bindparam("rater_id"))
    .order_by(votes.c.id)
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
            connection.execute(sa.select(studies.c.id).where(studies.c.id == self.row.id).with_for_update())
            number = panel_session_hash(self.row.secret, panel_session) if panel_session and external_id else None
            query = sa.select(raters).where(raters.c.study_id == self.row.id, raters.c.rater == rater)
            known = connection.execute(query).first()
            if known is not None:
                self._check_panel_session(connection, known, number)
                return token
            self._check_open(connection)
            forget_networks(connection, self.row.id, limits)
            excluded = set(self.store.excluded(self.row.id, connection))
            network = seat_network(self.row.secret, limits, address)
            if network is not None:
                check_address(connection, self.row.id, limits, network, excluded)
            seat = free_seat(connection, self.row.id, limits, simulated, excluded)
            values = dict(study_id=self.row.id, rater=rater, origin=origin, simulated=simulated, seat=seat)
            values.update(panel_session=number, network=network)
            values.update(planned=planned(self.study), created=now(), last_seen=now(), device=device or {})
            connection.execute(raters.insert().values(values))
            assign(connection, self.study, self._rater(connection, rater), unanswered=0)
        return token

    def progress(self, token: str) -> Progress:
        """Raises ForeignToken for a token of another study, a forged one, or one of a rater the store does not know."""
        with self.store.read() as connection:
            return self._progress(connection, self._rater(connection, rater_of(self.row.secret, token)))

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

        def answer(connection: sa.Connection, rater: sa.Row) -> dict:
            shown = connection.execute(
                sa.select(trials).where(trials.c.rater_id == rater.id, trials.c.trial == trial)
            ).first()
            if shown is None:
                raise Refused("invalid", f"trial {trial} is not among this rater's")
            if rater.outcome == "failed_checks":
                raise Refused("conflict", "this session has ended")
            by_method = self._check_answer(shown, choice, seconds, ranks)
            revision, counts = self._latest(connection, rater.id, trial)
            if counts:
                raise Refused("conflict", f"trial {trial} already has an answer; undo it first")
            arrived = now()
            values = dict(trial=trial, revision=revision + 1, choice=choice, ranks=by_method)
            return values | dict(seconds=self._viewed(connection, rater, trial, seconds, arrived), timestamp=arrived)

        return self._add_row(token, request_id, answer)

    def undo(self, token: str, request_id: str) -> Progress:
        """Takes back the rater's last answer that counts, by a row of its own. Raises Refused if there is none."""

        def undone(connection: sa.Connection, rater: sa.Row) -> dict:
            last = connection.scalar(
                sa.select(sa.func.max(effective_votes.c.trial)).where(effective_votes.c.rater_id == rater.id)
            )
            if last is None or rater.outcome == "failed_checks":
                raise Refused("conflict", "there is no answer to take back")
            revision, _ = self._latest(connection, rater.id, last)
            if revision // 2 >= UNDOS:
                raise Refused("conflict", f"this answer was taken back {UNDOS} times already; it stays as it is")
            return dict(trial=last, revision=revision + 1, choice="undone", timestamp=now())

        return self._add_row(token, request_id, undone)

    def _check_panel_session(self, connection: sa.Connection, known: sa.Row, number: str | None) -> None:
        if known.panel_session is None and number is not None:  # a link, or a store, that had no session numbers before
            connection.execute(raters.update().where(raters.c.id == known.id).values(panel_session=number))
        elif known.panel_session != number:
            raise Refused(
                "session",
                "this participant is here under another session number of the panel; open the study again from the "
                "panel's page where you first opened it, or write to the researchers through the panel",
            )

    def _viewed(
        self, connection: sa.Connection, rater: sa.Row, trial: int, claimed: float | None, arrived: str
    ) -> float | None:
        """The seconds to store: as claimed, as far as there was so much time between handing out and now."""
        if rater.simulated:  # these are made by this package and look at nothing
            return claimed
        given = (Answer(*row) for row in connection.execute(GIVEN, {"rater_id": rater.id}))
        limit = clock(rater.created, given, trial, PREFETCH)
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

    def _add_row(self, token: str, request_id: str, row: Callable[[sa.Connection, sa.Row], dict]) -> Progress:
        """Adds what ``row`` makes of the store and the rater to the votes, once for a ``request_id``."""
        name = rater_of(self.row.secret, token)
        with self.store.write() as connection:
            rater = self._rater(connection, name, lock=True)
            if self._sent_before(connection, rater, request_id):
                return self._progress(connection, rater)
            self._check_open(connection)
            values = row(connection, rater)
            connection.execute(votes.insert().values(rater_id=rater.id, request_id=request_id, **values))
            return self._settle(connection, rater)

    def _settle(self, connection: sa.Connection, rater: sa.Row) -> Progress:
        """After a change: assign what comes next and write down whether the rater is done."""
        done, failed = connection.execute(DONE_AND_FAILED, {"rater_id": rater.id}).one()
        limit = self.study.file.raters.max_failed
        outcome = "failed_checks" if limit and failed >= limit else "complete" if done == rater.planned else None
        connection.execute(raters.update().where(raters.c.id == rater.id).values(outcome=outcome, last_seen=now()))
        stored = connection.scalar(sa.select(sa.func.count()).where(trials.c.rater_id == rater.id))
        assign(connection, self.study, rater, stored - done)
        return self._progress(connection, self._rater(connection, rater.rater))

    def _progress(self, connection: sa.Connection, rater: sa.Row) -> Progress:
        done = connection.execute(DONE_AND_FAILED, {"rater_id": rater.id}).one()[0]
        if rater.outcome == "failed_checks":
            return Progress(rater.rater, done, rater.planned, rater.outcome, can_undo=False)
        upcoming = list(connection.execute(UPCOMING, {"rater_id": rater.id}))
        return Progress(rater.rater, done, rater.planned, rater.outcome, bool(done), upcoming)

    def _rater(self, connection: sa.Connection, name: str, lock: bool = False) -> sa.Row:
        query = sa.select(raters).where(raters.c.study_id == self.row.id, raters.c.rater == name)
        rater = connection.execute(query.with_for_update() if lock else query).first()
        if rater is None:
            raise ForeignToken("the study does not know this rater")
        return rater

    def _latest(self, connection: sa.Connection, rater_id: int, trial: int) -> tuple[int, bool]:
        """The trial's last revision (0 if none) and whether it stands."""
        query = sa.select(votes.c.revision, votes.c.choice).where(votes.c.rater_id == rater_id, votes.c.trial == trial)
        last = connection.execute(query.order_by(votes.c.revision.desc()).limit(1)).first()
        return (last.revision, last.choice != "undone") if last else (0, False)

    def _sent_before(self, connection: sa.Connection, rater: sa.Row, request_id: str) -> bool:
        query = sa.select(votes.c.id).where(votes.c.rater_id == rater.id, votes.c.request_id == request_id)
        return connection.scalar(query) is not None

    def _check_open(self, connection: sa.Connection) -> None:
        state = self.store.state(self.row.id, connection)
        if state != "open":
            raise Refused(state, f"the study is {state}")
