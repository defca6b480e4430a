"""Fixtures of every test."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder ``../shared`` beside the checkout; tests that take it skip where it is absent."""
    if not (SHARED / "README.md").is_file():
        pytest.skip("the shared data folder is not beside this checkout")
    return SHARED
