"""Alembic migrations of the vote store; ``userstudy.votes.store`` runs them when it opens a database."""
