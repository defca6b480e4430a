"""``python app.py``: the studio at /, the dashboard at /leaderboard, and the study that IPH_STUDY names at /study.

On Hugging Face Spaces the same file serves the studio alone.
"""

import os
import signal
import sys
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Visitors share the cores: few threads a request, and none that spins while it waits for another (20 times slower).
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import gradio as gr  # noqa: E402
import streamlit as st  # noqa: E402
import uvicorn  # noqa: E402
from fastapi import FastAPI, Request  # noqa: E402
from fastapi.responses import RedirectResponse  # noqa: E402

from demo.studio.page import build_studio, serving  # noqa: E402
from demo.vote.page import mount_study  # noqa: E402
from userstudy.errors import InputError  # noqa: E402
from userstudy.votes.tokens import admin_token  # noqa: E402


def build_app(study: str | None = None) -> FastAPI:
    """Everything on one server. study: the study file whose voting page to serve, None for none."""
    os.environ["IPH_STUDIO"] = "/"  # for the dashboard's link
    board = st.App(Path(__file__).with_name("demo") / "dashboard.py")
    app = FastAPI(lifespan=board.lifespan(), docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route("/healthz", lambda: {"status": "ok"})
    app.add_api_route("/leaderboard", _with_slash)
    app.mount("/leaderboard", board)
    if study is not None:
        app.add_api_route("/study", _with_slash)
        app.state.study = mount_study(app, study)
    links = {"Benchmark and user study": "leaderboard/"} | ({"Take part in a study": "study/"} if study else {})
    studio = build_studio(links=links)
    return gr.mount_gradio_app(app, studio, path="/", **serving(studio))


def _with_slash(request: Request) -> RedirectResponse:
    """Where a mounted page really lies; what was asked of it, such as a participant's number, goes along."""
    name, query = request.url.path.rpartition("/")[2], request.url.query
    return RedirectResponse(f"{name}/?{query}" if query else f"{name}/")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # an orderly end, which deletes what visitors left
    if os.environ.get("SPACE_ID"):
        os.environ.setdefault("FORWARDED_ALLOW_IPS", "*")  # visitors come through the host's proxy
        studio = build_studio()
        studio.launch(**serving(studio))
    else:
        study = os.environ.get("IPH_STUDY", "")
        host, port = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"), int(os.environ.get("GRADIO_SERVER_PORT", 7860))
        address = f"http://{host}:{port}"
        try:
            served = build_app(study if study.endswith(".toml") else None)
        except InputError as error:
            sys.exit(f"IPH_STUDY: {error}")
        print(f"The studio is at {address}, the dashboard at {address}/leaderboard", flush=True)
        if study.endswith(".toml"):
            token = admin_token(served.state.study.row.secret)
            print(f"Raters go to {address}/study, the study's admin page is {address}/study/admin#{token}", flush=True)
        # Open pages never close their connection by themselves: do not wait for them at the end.
        uvicorn.run(served, host=host, port=port, log_level="warning", timeout_graceful_shutdown=2)
