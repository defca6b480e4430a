"""Fixtures of every test."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

# How long a case takes is the benchmark's: no test fails because the machine is busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
# Before torch is loaded: on a busy machine its threads wait for each other, and small networks run twenty times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def absent() -> Callable[[str], NoReturn]:
    """``absent(what)`` ends a test that needs a program of the system: skipped, but failed where CI is set, whose
    machine has to have them."""
    return pytest.fail if os.environ.get("CI") else pytest.skip


@pytest.fixture(scope="session")
def chromium(absent) -> str:
    """The program to drive. The one without windows draws the same and needs a fifth less of the processor."""
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    return found or absent("no Chromium; apt-get install chromium-headless-shell")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder ``../shared`` beside the checkout; tests that take it skip where it is absent."""
    if not (SHARED / "README.md").is_file():
        pytest.skip("the shared data folder is not beside this checkout")
    return SHARED
