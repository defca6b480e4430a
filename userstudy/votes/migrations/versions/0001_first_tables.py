"""Studies, raters, trials, votes and the log, with triggers that keep votes and log append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("votes", "log")


def upgrade() -> None:
    op.create_table(
        "studies",
        sa.Column("id", sa.Integer),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("design_hash", sa.String(64), nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_studies"),
        sa.UniqueConstraint("name", name="uq_studies_name"),
    )
    op.create_table(
        "raters",
        sa.Column("id", sa.Integer),
        sa.Column("study_id", sa.Integer, nullable=False),
        sa.Column("rater", sa.String(64), nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("seat", sa.Integer),
        sa.Column("planned", sa.Integer, nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("last_seen", sa.String(32), nullable=False),
        sa.Column("outcome", sa.String(16)),
        sa.Column("device", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_raters"),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_raters_study_id"),
        sa.UniqueConstraint("study_id", "rater", name="uq_raters_study_id_rater"),
    )
    op.create_index("ix_raters_study_id_seat", "raters", ["study_id", "seat"])
    op.create_table(
        "trials",
        sa.Column("rater_id", sa.Integer, nullable=False),
        sa.Column("trial", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("task", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("shown", sa.JSON, nullable=False),
        sa.Column("expected", sa.String(8)),
        sa.Column("repeat_of", sa.Integer),
        sa.PrimaryKeyConstraint("rater_id", "trial", name="pk_trials"),
        sa.ForeignKeyConstraint(["rater_id"], ["raters.id"], name="fk_trials_rater_id"),
    )
    op.create_table(
        "votes",
        sa.Column("id", sa.Integer),
        sa.Column("rater_id", sa.Integer, nullable=False),
        sa.Column("trial", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("choice", sa.String(8), nullable=False),
        sa.Column("ranks", sa.JSON),
        sa.Column("seconds", sa.Float),
        sa.Column("timestamp", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_votes"),
        sa.ForeignKeyConstraint(["rater_id"], ["raters.id"], name="fk_votes_rater_id"),
        sa.ForeignKeyConstraint(
            ["rater_id", "trial"], ["trials.rater_id", "trials.trial"], name="fk_votes_rater_id_trial"
        ),
        sa.UniqueConstraint("rater_id", "trial", "revision", name="uq_votes_rater_id_trial_revision"),
        sa.UniqueConstraint("rater_id", "request_id", name="uq_votes_rater_id_request_id"),
    )
    op.create_table(
        "log",
        sa.Column("id", sa.Integer),
        sa.Column("study_id", sa.Integer, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("rater", sa.String(64)),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("timestamp", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_log"),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_log_study_id"),
    )
    op.create_index("ix_log_study_id_action", "log", ["study_id", "action"])
    for table in APPEND_ONLY:
        _forbid_changes(table)


def downgrade() -> None:
    for table in ("log", "votes", "trials", "raters", "studies"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")


def _forbid_changes(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
