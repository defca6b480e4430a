"""Writes a rater's trials into the store: all at once, or batch by batch where pairs are chosen adaptively."""

import json
import random
from collections import Counter
from dataclasses import asdict, replace
from itertools import combinations

import numpy as np
import sqlalchemy as sa

from userstudy.design.adaptive import adaptive_trials
from userstudy.design.balanced import Trial, cell, plan
from userstudy.design.study_file import Study
from userstudy.votes.store import effective_votes, same_trial
from userstudy.votes.tables import raters, trials

PREFETCH = 3  # trials that a rater's browser may hold, the one on screen included


def assign(connection: sa.Connection, study: Study, rater: sa.Row, stored: list[Trial]) -> None:
    """Stores more trials for a rater who has fewer than ``PREFETCH`` without an answer and is to get more than the
    ``stored`` ones."""
    planned = plan(study, rater.seat)
    if study.file.pairs and study.file.pairs.adaptive:
        planned = planned[: len(stored) + max(PREFETCH, len(study.methods_of(study.file.pairs)) - 1)]
        planned = _chosen(connection, study, rater, stored, planned)
    rows = [dict(asdict(trial), rater_id=rater.id, trial=at) for at, trial in enumerate(planned) if at >= len(stored)]
    connection.execute(trials.insert(), rows)


def stored_trials(connection: sa.Connection, rater_id: int) -> list[Trial]:
    """All that a rater has been given, in order."""
    columns = [trials.c[name] for name in ("task", "kind", "item", "shown", "expected", "repeat_of")]
    rows = connection.execute(sa.select(*columns).where(trials.c.rater_id == rater_id).order_by(trials.c.trial))
    return [Trial(row.task, row.kind, row.item, tuple(row.shown), row.expected, row.repeat_of) for row in rows]


def _chosen(
    connection: sa.Connection, study: Study, rater: sa.Row, stored: list[Trial], planned: list[Trial]
) -> list[Trial]:
    """The plan with its next normal pairs replaced by the most informative ones, once the balanced start is over."""
    pairs = study.file.pairs
    methods = study.methods_of(pairs)
    cells, wins, votes = _counts(connection, study, rater)
    rng = random.Random(f"adaptive {study.file.seed} {rater.rater} {len(stored)}")
    seen = {(trial.item, frozenset(trial.shown)) for trial in stored if trial.kind == "normal"}
    wanted = sum(trial.kind == "normal" and trial.task == "pair" for trial in planned[len(stored) :])
    batch: list[Trial] = []
    if min(votes[frozenset(pair)] for pair in combinations(methods, 2)) >= pairs.balanced_start:
        batch = adaptive_trials(methods, study.items, cells, wins, seen, wanted, rng)
    result = list(stored)
    for trial in planned[len(stored) :]:
        if trial.task == "pair" and trial.kind == "normal":
            if batch:
                trial = batch.pop()
            elif (trial.item, frozenset(trial.shown)) in seen:
                trial = _unseen(study, methods, seen, rng)
            seen.add((trial.item, frozenset(trial.shown)))
        elif trial.kind == "repeat":
            source = result[trial.repeat_of]
            trial = replace(trial, item=source.item, shown=source.shown[::-1])
        result.append(trial)
    return result


def _unseen(study: Study, methods: tuple[str, ...], seen: set, rng: random.Random) -> Trial:
    """A cell that the rater has not judged, from a random place of the design on."""
    cells = len(study.items) * len(methods) * (len(methods) - 1) // 2
    start = rng.randrange(cells)
    for number in range(start, start + cells):
        item, pair = cell(methods, study.items, number, study.file.seed)
        if (item, frozenset(pair)) not in seen:
            return Trial("pair", "normal", item, pair if rng.random() < 0.5 else pair[::-1])
    raise AssertionError("a rater never gets more pairs than there are")


def _counts(connection: sa.Connection, study: Study, rater: sa.Row) -> tuple[Counter, np.ndarray, Counter]:
    """Among raters of the same sort, real or simulated: showings by (item, left, right), the win matrix (a tie is half
    a win each), and decided votes by pair of methods."""
    alike = sa.and_(
        raters.c.study_id == rater.study_id,
        raters.c.simulated == rater.simulated,
        trials.c.task == "pair",
        trials.c.kind == "normal",
    )
    shown = sa.cast(trials.c.shown, sa.Text)
    joined = trials.join(raters, raters.c.id == trials.c.rater_id)
    showings = sa.select(trials.c.item, shown, sa.func.count()).select_from(joined).where(alike)
    answers = (
        sa.select(shown, effective_votes.c.choice, sa.func.count())
        .select_from(joined.join(effective_votes, same_trial))
        .where(alike, effective_votes.c.choice.in_(("left", "right", "tie")))
    )
    methods = study.methods_of(study.file.pairs)
    number = {method: at for at, method in enumerate(methods)}
    cells: Counter = Counter()
    for item, text, count in connection.execute(showings.group_by(trials.c.item, shown)):
        cells[(item, *json.loads(text))] += count
    wins, votes = np.zeros((len(methods), len(methods))), Counter()
    for text, choice, count in connection.execute(answers.group_by(shown, effective_votes.c.choice)):
        left, right = json.loads(text)
        wins[number[left], number[right]] += count * {"left": 1, "right": 0, "tie": 0.5}[choice]
        wins[number[right], number[left]] += count * {"left": 0, "right": 1, "tie": 0.5}[choice]
        votes[frozenset((left, right))] += count
    return cells, wins, votes
