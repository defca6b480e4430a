"""How long a rater can have looked at a trial, by the server's own clock: no browser is believed beyond it.

A trial is looked at after it was handed out and after the answer before it was given. Trials are handed out up to
``PREFETCH`` ahead, so the n-th one (from 0) cannot have been seen before n + 1 - PREFETCH others were answered here. An
honest browser that was cut off sends its answers in one burst; they fit, because each claims only the time that it was
on screen, and those times lie one after another. So the viewing times of a session never add up to more than the
session has lasted, and a burst without time behind it does not pass.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

ROUNDING = 0.05  # seconds: browsers send milliseconds, and their timers are not ours


class Answer(NamedTuple):
    """A stored row of votes: what was claimed to have been looked at, when it arrived, and the check's right answer."""

    trial: int
    revision: int
    choice: str
    seconds: float | None
    timestamp: str
    expected: str | None = None


@dataclass(frozen=True)
class Clock:
    """``seen_from`` is the earliest moment from which the next answer's pictures can have been looked at."""

    seen_from: datetime

    def wait(self, now: datetime, least: float) -> float:
        """Seconds until an answer could be one that was looked at for ``least`` seconds; 0 if it can be already."""
        wait = least - (now - self.seen_from).total_seconds()
        return wait if wait > ROUNDING else 0.0

    def seconds(self, now: datetime, claimed: float | None) -> float:
        """The viewing time to store: as claimed, if there was so much time; all there was if nothing is claimed."""
        most = max(0.0, (now - self.seen_from).total_seconds())
        return round(most if claimed is None else min(claimed, most), 3)


def clock(entered: str, answers: Iterable[Answer], trial: int, prefetch: int) -> Clock | None:
    """The clock of an answer to ``trial`` after ``answers``, all rows in order; None if it was not handed out yet."""
    first = datetime.fromisoformat(entered)
    handed = [first] * prefetch  # when the trial of each number was handed out, at the earliest
    looked = first  # until when the answers so far claim to have been looked at, packed as early as can be
    for answer in answers:
        arrived = datetime.fromisoformat(answer.timestamp)
        if answer.choice != "undone":
            begun = max(looked, handed[min(answer.trial, len(handed) - 1)])
            looked = min(arrived, begun + timedelta(seconds=answer.seconds or 0))
        if answer.revision == 1:
            handed.append(arrived)
    return Clock(max(looked, handed[trial])) if trial < len(handed) else None
