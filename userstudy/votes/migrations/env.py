"""Alembic's entry: migrates over the connection that ``userstudy.votes.store`` hands in."""

from alembic import context

from userstudy.votes.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
