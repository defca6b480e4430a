"""Puts raw votes of a file into a store: to restore a study, or to join what several places collected."""

import json

import pandas as pd
import sqlalchemy as sa

from userstudy.design.study_file import Study
from userstudy.errors import InputError, nearest
from userstudy.votes.store import Store, StudyRow, now
from userstudy.votes.tables import raters, trials, votes


def import_votes(store: Store, study: Study, row: StudyRow, frame: pd.DataFrame) -> tuple[int, int]:
    """Adds raw votes to a study, all or none; returns (added, already there).

    Raises InputError for methods or items that the study does not have, and for rows that contradict stored ones.
    """
    _check_names(study, frame)
    added = present = 0
    with store.write() as connection:
        for rater, rows in frame.groupby("rater", sort=False):
            rater_id, known_trials, known_votes = _known(connection, row, rater, rows)
            new_trials, new_votes = [], []
            for vote in rows.itertuples():
                trial = dict(task=vote.task, kind=vote.kind, item=vote.item, shown=json.loads(vote.shown))
                if known_trials.setdefault(vote.trial, trial) is trial:
                    new_trials.append(dict(trial, rater_id=rater_id, trial=vote.trial, expected=vote.expected))
                elif known_trials[vote.trial] != trial:
                    raise InputError(f"trial {vote.trial} of rater {rater} shows something else in the store")
                ranks = json.loads(vote.ranks) if vote.ranks else None
                stored = known_votes.get((vote.trial, vote.revision))
                if stored is None:
                    values = dict(rater_id=rater_id, trial=vote.trial, revision=vote.revision, choice=vote.choice)
                    seconds = None if pd.isna(vote.seconds) else vote.seconds
                    times = dict(seconds=seconds, timestamp=vote.timestamp or now())
                    new_votes.append(dict(values, ranks=ranks, request_id=vote.request_id, **times))
                elif stored != (vote.choice, ranks):
                    raise InputError(f"the answer of rater {rater} to trial {vote.trial} differs from the stored one")
            if new_trials:
                connection.execute(trials.insert(), new_trials)
            if new_votes:
                connection.execute(votes.insert(), new_votes)
            added, present = added + len(new_votes), present + len(rows) - len(new_votes)
        excluded = store.excluded(row.id, connection)
        for rater, reason in frame.dropna(subset="excluded").groupby("rater")["excluded"].first().items():
            if rater not in excluded:
                store.exclude(row.id, rater, reason, connection)
    return added, present


def _known(connection: sa.Connection, row: StudyRow, rater: str, rows: pd.DataFrame) -> tuple[int, dict, dict]:
    """The rater's id (made if new), stored trials and stored votes."""
    found = connection.scalar(sa.select(raters.c.id).where(raters.c.study_id == row.id, raters.c.rater == rater))
    if found is None:
        values = dict(study_id=row.id, rater=rater, origin="import", simulated=bool(rows["simulated"].iloc[0]))
        times = sorted(rows["timestamp"].dropna()) or [now()]  # pwcmp's tables say no times
        values.update(created=times[0], last_seen=times[-1])
        values.update(planned=int(rows["trial"].nunique()), outcome="complete", device={})
        return connection.execute(raters.insert().values(values)).inserted_primary_key[0], {}, {}
    stored_trials = connection.execute(sa.select(trials).where(trials.c.rater_id == found))
    stored_votes = connection.execute(sa.select(votes).where(votes.c.rater_id == found))
    return (
        found,
        {one.trial: dict(task=one.task, kind=one.kind, item=one.item, shown=one.shown) for one in stored_trials},
        {(one.trial, one.revision): (one.choice, one.ranks) for one in stored_votes},
    )


def _check_names(study: Study, frame: pd.DataFrame) -> None:
    methods = (*study.methods, study.composite)
    for method in sorted({name for text in frame["shown"].unique() for name in json.loads(text)}):
        if method not in methods:
            raise InputError(f"the votes name a method {method!r} that the study lacks{nearest(method, methods)}")
    for item in sorted(frame["item"].astype(str).unique()):
        if item not in study.items:
            raise InputError(f"the votes name a picture {item!r} that the study lacks{nearest(item, study.items)}")
