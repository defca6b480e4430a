"""Fixtures of the dashboard's tests."""

import pytest

from demo.dashboard import live


@pytest.fixture(autouse=True)
def at_the_owner_s_machine(monkeypatch):
    """Streamlit's own test runner has no visitor, and so no address: by default it stands for the study's owner."""
    monkeypatch.setattr(live, "owner", lambda: True)
