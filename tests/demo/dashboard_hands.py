"""A visitor's browser on the dashboard: pages that are looked at once they are drawn."""

from pathlib import Path

import streamlit as st
from fastapi import FastAPI
from streamlit import config
from streamlit.runtime import Runtime

DASHBOARD = Path(__file__).parents[2] / "demo" / "dashboard.py"

QUIET = """(wanted) => {
    const app = document.querySelector('[data-testid=stApp]');
    const busy = app.dataset.testScriptState !== 'notRunning' || document.body.innerText.includes(' …')
        || document.querySelector('[data-testid=stSkeleton], [data-stale=true]');
    const now = performance.now();
    if (busy || window.quietWidth !== innerWidth) { window.quietSince = now; window.quietWidth = innerWidth; }
    return now - window.quietSince > wanted;
}"""  # a page that comes back by itself is quiet for a moment only
PATIENCE = 120_000  # ms, for a busy machine


def forget_runtime() -> None:
    """To be called before another dashboard is served: Streamlit has one runtime a process, and keeps a stopped one."""
    Runtime._instance = None


def mounted() -> FastAPI:
    """The dashboard below /leaderboard, as ``app.py`` has it."""
    forget_runtime()
    # What demo/.streamlit says is not read again where another test of this process has used Streamlit before.
    config._main_script_path = str(DASHBOARD)
    config.get_config_options(force_reparse=True)
    board = st.App(DASHBOARD)
    app = FastAPI(lifespan=board.lifespan())
    app.mount("/leaderboard", board)
    return app


def opened(page, address, **window):
    """The page once it is drawn and nothing is in the making."""
    return drawn(page(address, **window))


def drawn(tab):
    """The same page, once it is."""
    tab.get_by_role("heading", level=1).wait_for(timeout=PATIENCE)
    calm(tab)
    return tab


def calm(tab, milliseconds: int = 250) -> None:
    tab.evaluate("() => { window.quietSince = performance.now() }")
    tab.wait_for_function(QUIET, arg=milliseconds, timeout=PATIENCE)
