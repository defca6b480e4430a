"""The tables of the vote store. Votes and the log are append-only: the database itself refuses to change a row."""

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

studies = sa.Table(
    "studies",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("design_hash", sa.String(64), nullable=False),
    sa.Column("definition", sa.Text, nullable=False),  # the study file as it was when the study was opened
    sa.Column("secret", sa.String(64), nullable=False),  # hex; keys tokens, anonymous ids and picture names
    sa.Column("created", sa.String(32), nullable=False),  # all times are ISO 8601 in UTC
    sa.Column("admin_key", sa.String(64), nullable=False, server_default=""),  # renewed, it ends earlier admin links
)

raters = sa.Table(
    "raters",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("study_id", sa.ForeignKey("studies.id"), nullable=False),
    sa.Column("rater", sa.String(64), nullable=False),  # anonymous: a keyed hash, or random
    sa.Column("origin", sa.String(16), nullable=False),  # link, prolific, mturk, import or simulated
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("seat", sa.Integer),  # which window of the design; none for imported votes
    sa.Column("planned", sa.Integer, nullable=False),  # how many trials the rater will get
    sa.Column("created", sa.String(32), nullable=False),
    sa.Column("last_seen", sa.String(32), nullable=False),
    sa.Column("outcome", sa.String(16)),  # complete or failed_checks; none while under way
    sa.Column("device", sa.JSON, nullable=False),  # window size, pixel ratio, touch: no address, no user agent
    sa.Column("panel_session", sa.String(32)),  # keyed hash of the panel's session number that the rater came with
    sa.Column("network", sa.String(8)),  # six hex digits of a keyed hash of the address, for an hour or while under way
    sa.UniqueConstraint("study_id", "rater"),
    sa.Index(None, "study_id", "seat"),
)

trials = sa.Table(
    "trials",
    metadata,
    sa.Column("rater_id", sa.ForeignKey("raters.id"), primary_key=True),
    sa.Column("trial", sa.Integer, primary_key=True, autoincrement=False),  # position in the rater's list, from 0
    sa.Column("task", sa.String(8), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("shown", sa.JSON, nullable=False),  # methods in the order on screen
    sa.Column("expected", sa.String(8)),
    sa.Column("repeat_of", sa.Integer),
)

votes = sa.Table(
    "votes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("rater_id", sa.ForeignKey("raters.id"), nullable=False),
    sa.Column("trial", sa.Integer, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),  # from 1; the latest counts
    sa.Column("request_id", sa.String(64), nullable=False),  # the client's, so that sending twice stores once
    sa.Column("choice", sa.String(8), nullable=False),  # left, right, tie, both_bad, skip, ranked or undone
    sa.Column("ranks", sa.JSON(none_as_null=True)),  # {method: rank} of a ranking
    sa.Column("seconds", sa.Float),  # from the picture's appearance to the answer, as the client measured
    sa.Column("timestamp", sa.String(32), nullable=False),
    sa.ForeignKeyConstraint(["rater_id", "trial"], ["trials.rater_id", "trials.trial"]),
    sa.UniqueConstraint("rater_id", "trial", "revision"),
    sa.UniqueConstraint("rater_id", "request_id"),
)

log = sa.Table(
    "log",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("study_id", sa.ForeignKey("studies.id"), nullable=False),
    sa.Column("action", sa.String(16), nullable=False),  # open, pause, close, exclude, include or redefine
    sa.Column("rater", sa.String(64)),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("timestamp", sa.String(32), nullable=False),
    sa.Index(None, "study_id", "action"),
)

APPEND_ONLY = ("votes", "log")
