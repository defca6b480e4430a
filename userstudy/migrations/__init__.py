"""Alembic migrations of the vote store; ``userstudy.store`` runs them when it opens a database."""
