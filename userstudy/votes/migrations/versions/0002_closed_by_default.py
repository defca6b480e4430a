"""Who came from where and with which session number of a panel, both as keyed hashes, and an admin key of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Added in place, also by SQLite: votes and log, whose triggers refuse a copy, are not touched.
    op.add_column("studies", sa.Column("admin_key", sa.String(64), nullable=False, server_default=""))
    op.add_column("raters", sa.Column("panel_session", sa.String(32)))
    op.add_column("raters", sa.Column("network", sa.String(8)))


def downgrade() -> None:
    op.drop_column("raters", "network")
    op.drop_column("raters", "panel_session")
    op.drop_column("studies", "admin_key")
