"""Pages of the dashboard, opened as a visitor opens them, by Streamlit's own test runner."""

import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

DASHBOARD = Path(__file__).parents[2] / "demo" / "dashboard.py"
PAGES = ("leaderboard", "paper", "explorer", "speed", "study")
PATIENCE = 120  # seconds for what is made in the background, on a busy machine


def visit(page: str = "leaderboard", **address: str) -> AppTest:
    """The page as somebody sees it who opens this address."""
    at = AppTest.from_file(str(DASHBOARD), default_timeout=PATIENCE)
    for key, value in address.items():
        at.query_params[key] = value
    at.run()
    if page != "leaderboard":
        at.switch_page(f"dashboard/{page}.py").run()
    return settled(at)


def settled(at: AppTest) -> AppTest:
    """The page once nothing is being made any more."""
    end = time.monotonic() + PATIENCE
    while any("hourglass" in caption.value for caption in at.caption):
        assert time.monotonic() < end, "the page is still waiting"
        time.sleep(0.2)
        at.run()
    assert not at.exception, [error.message for error in at.exception]
    return at


def texts(at: AppTest) -> str:
    return "\n".join(element.value for kind in (at.markdown, at.caption, at.info, at.warning) for element in kind)
