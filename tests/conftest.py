"""Fixtures of every test."""

import os
from pathlib import Path

import pytest

# Before torch is loaded: on a busy machine its threads wait for each other, and small networks run twenty times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder ``../shared`` beside the checkout; tests that take it skip where it is absent."""
    if not (SHARED / "README.md").is_file():
        pytest.skip("the shared data folder is not beside this checkout")
    return SHARED
