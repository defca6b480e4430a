"""Simulated raters: people of known taste who walk through the same sessions as real ones, and are marked simulated.

For trying a study before it runs, for worked examples and for tests. A rater compares the true scores plus noise of
unit variance for the difference (Thurstone's Case V), leans to a side by ``side_bias``, calls small differences a tie,
and answers a share of trials at random.
"""

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from userstudy.errors import InputError, nearest
from userstudy.votes.sessions import Sessions


@dataclass(frozen=True)
class Taste:
    """``scores`` in units of the difference's standard deviation; the other figures are probabilities or thresholds."""

    scores: Mapping[str, float]
    side_bias: float = 0.0
    tie_width: float = 0.15
    lapses: float = 0.03


def simulate(sessions: Sessions, taste: Taste, number: int, seed: int = 0) -> int:
    """Sends ``number`` simulated raters through the study and returns how many answers they gave."""
    shown = {
        method
        for part in (sessions.study.file.pairs, sessions.study.file.ranking)
        if part
        for method in sessions.study.methods_of(part)
    }
    for method in shown - set(taste.scores):
        raise InputError(f"expected a true score for every method, none for {method!r}{nearest(method, taste.scores)}")
    answers = 0
    for person in range(number):
        rng = random.Random(f"simulated {seed} {person}")
        token = sessions.enter("simulated", f"{seed} {person}", simulated=True)
        progress = sessions.progress(token)
        while progress.upcoming:
            trial = progress.upcoming[0]
            choice, ranks = _answer(trial, taste, sessions, rng)
            seconds = sessions.study.file.raters.min_seconds + rng.lognormvariate(1.0, 0.5)
            request = str(uuid.UUID(int=rng.getrandbits(128)))
            progress = sessions.vote(token, request, trial.trial, choice, round(seconds, 2), ranks)
            answers += 1
    return answers


def _answer(trial, taste: Taste, sessions: Sessions, rng: random.Random) -> tuple[str, list[int | None] | None]:
    noisy = [taste.scores.get(method, 0.0) + rng.gauss(0, 0.5**0.5) for method in trial.shown]
    if trial.task == "ranking":
        order = sorted(range(len(noisy)), key=lambda at: -noisy[at])[: sessions.study.file.ranking.ranks]
        return "ranked", [order.index(at) + 1 if at in order else None for at in range(len(noisy))]
    if rng.random() < taste.lapses:
        return rng.choice(("left", "right")), None
    if trial.expected and trial.kind == "attention":
        return trial.expected, None
    difference = noisy[0] - noisy[1] + taste.side_bias
    if abs(difference) < taste.tie_width and "tie" in sessions.study.file.pairs.answers:
        return "tie", None
    return ("left" if difference > 0 else "right"), None
