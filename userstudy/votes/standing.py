"""Where one rater stands: their row, every answer they gave, and the trials that are next.

Votes wait for the transactions before them, so a step reads all it has to know in few statements, and what follows from
it (which answers count, which checks failed) is worked out here. ``store.effective_votes`` says the same in SQL, for
whole studies.
"""

from dataclasses import dataclass
from itertools import count

import sqlalchemy as sa

from userstudy.votes.assign import PREFETCH
from userstudy.votes.clock import Answer
from userstudy.votes.store import last_action, state_after
from userstudy.votes.tables import raters, trials, votes
from userstudy.votes.tokens import ForeignToken

# Built once: putting such statements together takes SQLAlchemy longer than running them.
RATER = sa.select(raters, last_action(raters.c.study_id).scalar_subquery().label("action")).where(
    raters.c.study_id == sa.bindparam("study_id"), raters.c.rater == sa.bindparam("rater")
)
RATER_LOCKED = RATER.with_for_update(of=raters)
GIVEN = (
    sa.select(votes.c.request_id, *(votes.c[name] for name in Answer._fields[:-1]), trials.c.expected)
    .join(trials, sa.and_(trials.c.rater_id == votes.c.rater_id, trials.c.trial == votes.c.trial))
    .where(votes.c.rater_id == sa.bindparam("rater_id"))
    .order_by(votes.c.id)
)
TRIALS = (
    sa.select(trials)
    .where(trials.c.rater_id == sa.bindparam("rater_id"), trials.c.trial >= sa.bindparam("first"))
    .order_by(trials.c.trial)
    .limit(sa.bindparam("most"))
)


@dataclass
class Standing:
    """``answers``: all of a rater's rows of votes in order; ``requests``: the identifiers that they were sent under."""

    rater: sa.Row
    state: str
    answers: list[Answer]
    requests: set[str]

    @property
    def latest(self) -> dict[int, Answer]:
        """The last answer to each trial, taken back or not."""
        return {answer.trial: answer for answer in self.answers}

    @property
    def counting(self) -> dict[int, Answer]:
        """The answers that stand, by trial."""
        return {trial: answer for trial, answer in self.latest.items() if answer.choice != "undone"}

    def revision(self, trial: int) -> int:
        """How many rows of answers there are to a trial, those that take one back included."""
        return self.latest[trial].revision if trial in self.latest else 0

    @property
    def failed(self) -> int:
        """Attention and golden trials that were answered wrongly."""
        return sum(answer.expected not in (None, answer.choice) for answer in self.counting.values())


def standing(connection: sa.Connection, study_id: int, name: str, lock: bool = False) -> Standing:
    """The rater ``name``; ``lock``: until the transaction ends. Raises ForeignToken if the study does not know them."""
    rater = connection.execute(RATER_LOCKED if lock else RATER, {"study_id": study_id, "rater": name}).first()
    if rater is None:
        raise ForeignToken("the study does not know this rater")
    given = connection.execute(GIVEN, {"rater_id": rater.id}).all()
    answers = [Answer(*row[1:]) for row in given]
    return Standing(rater, state_after(rater.action), answers, {row.request_id for row in given})


def upcoming(connection: sa.Connection, here: Standing) -> list[sa.Row]:
    """The first trials without an answer, as many as a browser may hold."""
    answered = here.counting
    first = next(trial for trial in count() if trial not in answered)
    most = PREFETCH + sum(trial > first for trial in answered)
    rows = connection.execute(TRIALS, {"rater_id": here.rater.id, "first": first, "most": most})
    return [row for row in rows if row.trial not in answered][:PREFETCH]
