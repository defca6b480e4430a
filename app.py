"""``python app.py``: the studio at /, the dashboard at /leaderboard, and the study that IPH_STUDY names at /study.

On Hugging Face Spaces the same file serves the studio alone.
"""

import demo.environment  # isort: skip  # noqa: F401

import os
import signal
import sys

from demo.hosting.memory import lack_of_memory

if __name__ == "__main__" and (lack := lack_of_memory()):
    sys.exit(lack)  # before what needs it is imported

from pathlib import Path

import streamlit as st
from fastapi import FastAPI

from demo.gate_routes import dashboard_routes, studio_routes, study_routes
from demo.hosting.probes import add_probes
from demo.hosting.start import check_start
from demo.plain_routes import with_slash
from demo.server import answer_to, close, serve
from demo.settings import Settings
from demo.studio.page import mount_studio
from demo.vote.page import invitation, mount_study, store_check
from iph.errors import InputError
from userstudy.errors import InputError as StudyError

SPACES = "https://huggingface.co"


def build_app(study: str | None = None, alone: bool = False) -> FastAPI:
    """Everything on one server. study: the study file whose voting page to serve; alone: without the dashboard."""
    os.environ["IPH_STUDIO"] = "/"  # for the dashboard's link
    dashboard = None if alone else st.App(Path(__file__).with_name("demo") / "dashboard.py")
    app = FastAPI(lifespan=dashboard and dashboard.lifespan(), docs_url=None, redoc_url=None, openapi_url=None)
    settings, links = Settings.from_environment(), {}
    routes = (*add_probes(app, settings), *studio_routes(settings.api, settings.mcp))
    if dashboard:
        app.add_api_route("/leaderboard", with_slash)
        app.mount("/leaderboard", dashboard)
        links["Benchmark and user study"] = "leaderboard/"
        routes += dashboard_routes()
    if study:
        app.add_api_route("/study", with_slash)
        app.state.study = mount_study(app, study)
        app.state.readiness.add("vote store", store_check(app.state.study))
        links["Take part in a study"] = "study/"
        routes += study_routes()
    app.state.studio = mount_studio(app, settings, links)
    app.state.readiness.add("model", lambda: app.state.studio.unready)
    close(app, settings, routes)
    return app


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # an orderly end, which deletes what visitors left
    space, study = "SPACE_ID" in os.environ, os.environ.get("IPH_STUDY", "")
    study = study if study.endswith(".toml") and not space else None  # the dashboard also takes a store of votes
    if space:
        # Visitors come through the host's proxy, which shows the page inside its own.
        for name, value in (("PROXIES", "*"), ("HOSTS", os.environ.get("SPACE_HOST", "*")), ("FRAMES", SPACES)):
            os.environ.setdefault(f"IPH_{name}", value)
    host = os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0" if space else "127.0.0.1")
    port = os.environ.get("GRADIO_SERVER_PORT", "7860")
    answer_to(host)
    try:
        check_start(host, port)
        app = build_app(study, alone=space)
    except (InputError, StudyError) as error:
        sys.exit(f"IPH_STUDY: {error}" if isinstance(error, StudyError) else str(error))
    print(f"The studio is at http://{host}:{port}, the dashboard at http://{host}:{port}/leaderboard", flush=True)
    if study:
        print(invitation(app.state.study, f"http://{host}:{port}"), flush=True)
    try:
        serve(app, host, int(port))
    except InputError as error:
        sys.exit(str(error))
