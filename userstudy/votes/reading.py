"""What the store holds, as tables (pandas) that scores, exports and screens read.

``votes_table`` has one row per vote that counts: ``rater, trial, item, left, right, choice, seconds, timestamp, kind,
expected, simulated``; ``rankings_table`` one per ranked picture: ``rater, trial, item, method, rank``. Simulated raters
never appear beside real ones: a table holds the one sort or the other.
"""

import json

import pandas as pd
import sqlalchemy as sa

from userstudy.votes.store import Store, StudyRow, effective_votes
from userstudy.votes.tables import raters, trials, votes

VOTE_COLUMNS = [
    *("rater", "trial", "item", "left", "right", "choice", "seconds", "timestamp", "kind", "expected", "simulated")
]
RANKING_COLUMNS = ["rater", "trial", "item", "method", "rank"]


def votes_table(store: Store, study: StudyRow, simulated: bool = False, with_excluded: bool = False) -> pd.DataFrame:
    """The votes that count on pairs, checks and repeats included, in the order they were given."""
    rows = _effective(store, study, "pair", simulated, with_excluded)
    shown = rows.pop("shown").map(json.loads)
    rows["left"], rows["right"] = shown.str[0], shown.str[1]
    return rows[VOTE_COLUMNS]


def rankings_table(store: Store, study: StudyRow, simulated: bool = False, with_excluded: bool = False) -> pd.DataFrame:
    """The rankings that count, a row a picture; ``rank`` is missing for one that got none. Skipped ones are no rows."""
    rows = _effective(store, study, "ranking", simulated, with_excluded)
    rows = rows[rows["choice"] == "ranked"]
    long = [
        (row.rater, row.trial, row.item, method, rank)
        for row in rows.itertuples()
        for method, rank in json.loads(row.ranks).items()
    ]
    return pd.DataFrame(long, columns=RANKING_COLUMNS).astype({"rank": "Int64"})


def raw_votes(store: Store, study: StudyRow) -> pd.DataFrame:
    """Everything: every revision of every rater, real and simulated, whether excluded or not, with what was shown."""
    query = _joined(votes, sa.select(votes.c.revision, votes.c.request_id, *_columns(votes), raters.c.origin), study)
    frame = _frame(store, query.order_by(raters.c.rater, votes.c.trial, votes.c.revision))
    frame["excluded"] = frame["rater"].map(store.excluded(study.id))
    return frame


def pair_counts(store: Store, study: StudyRow, simulated: bool = False) -> pd.DataFrame:
    """``left, right, choice, votes``: normal votes, counted in the database; excluded raters left out."""
    shown = sa.cast(trials.c.shown, sa.Text).label("shown")
    query = _joined(effective_votes, sa.select(shown, effective_votes.c.choice, sa.func.count().label("votes")), study)
    query = query.where(
        trials.c.task == "pair",
        trials.c.kind == "normal",
        raters.c.simulated == simulated,
        raters.c.rater.not_in(list(store.excluded(study.id))),
    )
    frame = _frame(store, query.group_by(shown, effective_votes.c.choice))
    sides = frame.pop("shown").map(json.loads)
    return frame.assign(left=sides.str[0], right=sides.str[1])[["left", "right", "choice", "votes"]]


def rater_table(store: Store, study: StudyRow) -> pd.DataFrame:
    """One row a rater: progress, failed checks, median seconds, share of left answers, exclusion and its reason."""
    with store.read() as connection:
        names = ("rater", "origin", "simulated", "planned", "created", "last_seen", "outcome")
        query = sa.select(*(raters.c[name] for name in names)).where(raters.c.study_id == study.id)
        people = pd.DataFrame(connection.execute(query.order_by(raters.c.id)).mappings().all(), columns=list(names))
    columns = (raters.c.rater, effective_votes.c.choice, effective_votes.c.seconds, trials.c.expected)
    given = _frame(store, _joined(effective_votes, sa.select(*columns), study))
    sides = given[given["choice"].isin(("left", "right"))]
    checks = given[given["expected"].notna()]
    by_rater = {
        "votes": given.groupby("rater").size(),
        "median_seconds": given.groupby("rater")["seconds"].median(),
        "left_share": (sides["choice"] == "left").groupby(sides["rater"]).mean(),
        "failed_checks": (checks["choice"] != checks["expected"]).groupby(checks["rater"]).sum(),
        "excluded": store.excluded(study.id),
    }
    for name, values in by_rater.items():
        people[name] = people["rater"].map(values)
    kinds = {"votes": int, "failed_checks": int, "simulated": bool}  # also of no rater at all
    return people.fillna({"votes": 0, "failed_checks": 0}).astype(kinds)


def _columns(source: sa.FromClause) -> list[sa.ColumnElement]:
    return [
        raters.c.rater,
        trials.c.trial,
        trials.c.task,
        trials.c.kind,
        trials.c.item,
        sa.cast(trials.c.shown, sa.Text).label("shown"),
        source.c.choice,
        sa.cast(source.c.ranks, sa.Text).label("ranks"),
        source.c.seconds,
        source.c.timestamp,
        trials.c.expected,
        raters.c.simulated,
    ]


def _joined(source: sa.FromClause, query: sa.Select, study: StudyRow) -> sa.Select:
    same = sa.and_(source.c.rater_id == trials.c.rater_id, source.c.trial == trials.c.trial)
    return (query.select_from(source.join(trials, same).join(raters, raters.c.id == source.c.rater_id))).where(
        raters.c.study_id == study.id
    )


def _effective(store: Store, study: StudyRow, task: str, simulated: bool, with_excluded: bool) -> pd.DataFrame:
    query = _joined(effective_votes, sa.select(*_columns(effective_votes)), study)
    query = query.where(trials.c.task == task, raters.c.simulated == simulated)
    if not with_excluded:
        query = query.where(raters.c.rater.not_in(list(store.excluded(study.id))))
    return _frame(store, query.order_by(effective_votes.c.id))


def _frame(store: Store, query: sa.Select) -> pd.DataFrame:
    with store.read() as connection:
        result = connection.execute(query)
        frame = pd.DataFrame(result.all(), columns=list(result.keys()))
    if "timestamp" in frame:
        frame["timestamp"] = pd.to_datetime(frame["timestamp"], utc=True, format="ISO8601")
    if "seconds" in frame:
        frame["seconds"] = frame["seconds"].astype(float)
    return frame
