"""The voting page: a Gradio page around a hand-written script, beside plain routes for the votes.

``python -m demo.vote STUDY.toml`` serves one study alone; ``mount_study`` puts it into another app, as ``app.py`` does.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import gradio as gr
import typer
from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from demo.gate_routes import READ, Route, study_routes
from demo.hosting.probes import add_probes
from demo.hosting.start import check_start
from demo.idle_gradio import look_less_often
from demo.server import answer_to, close
from demo.server import serve as serve_app
from demo.settings import Settings
from demo.vote.admin import admin_router
from demo.vote.routes import study_router
from iph.errors import InputError as ServerError
from userstudy.design.study_file import Study, load_study
from userstudy.errors import InputError
from userstudy.votes.sessions import Sessions
from userstudy.votes.store import DATABASE, Store
from userstudy.votes.tokens import admin_token

ASSETS = Path(__file__).with_name("assets")
SCRIPTS = (
    *("vote_api.js", "vote_zoom.js", "vote_trials.js", "vote_gates.js", "vote_end.js", "vote_resume.js"),
    "vote_page.js",
)
STUDY = "IPH_STUDY"  # how worker processes learn what to serve


def build_page(title: str) -> gr.Blocks:
    """The Gradio page. It has no events: its script talks to the plain routes beside it."""
    with gr.Blocks(title=title, analytics_enabled=False) as page:
        gr.HTML(
            html_template=(ASSETS / "vote_page.html").read_text(encoding="utf-8"),
            css_template=(ASSETS / "vote_page.css").read_text(encoding="utf-8"),
            js_on_load="\n".join((ASSETS / name).read_text(encoding="utf-8") for name in SCRIPTS),
            apply_default_css=False,
            elem_id="study",
            label="Study",
        )
    return page


def mount_study(
    app: FastAPI, study: Study | Path | str, prefix: str = "/study", database: str | None = None
) -> Sessions:
    """Adds a study to an app: the page at ``prefix``, its routes and its admin page below. Raises InputError."""
    if not isinstance(study, Study):
        study = load_study(study)
    sessions = Sessions(Store(database or os.environ.get(DATABASE) or study.database_url), study)
    app.include_router(study_router(sessions), prefix=prefix)
    app.include_router(admin_router(sessions), prefix=prefix)
    page = build_page(study.file.title)
    gr.mount_gradio_app(
        app,
        page,
        path=prefix,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        max_file_size=1,  # nothing is ever uploaded here
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
    )
    look_less_often(page)
    return sessions


def store_check(sessions: Sessions) -> Callable[[], None]:
    """For ``/readyz``: raises where the votes' store does not answer."""

    def check() -> None:
        sessions.store.state(sessions.row.id)

    return check


def invitation(sessions: Sessions, address: str) -> str:
    """What whoever starts a server at an address is told: where raters go, and the way to the admin page."""
    link = admin_link(sessions, f"{address}/study")
    return f"Raters go to {address}/study, the study's admin page is {link}"


def admin_link(sessions: Sessions, address: str) -> str:
    """What a starting server says of the admin page below ``address``. Whoever has the link is the administrator, so it
    goes to a terminal only: what a service prints is kept in logs that others read."""
    if not sys.stdout.isatty():
        return f"{address}/admin (`python -m userstudy status {sessions.study.path.name} --admin-link` has the key)"
    return f"{address}/admin#{admin_token(sessions.row.secret, sessions.store.admin_key(sessions.row.id))}"


def create_app() -> FastAPI:
    """The app of one worker process, after what ``main`` wrote into the environment."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route("/", lambda: RedirectResponse("study/"), include_in_schema=False)
    settings, sessions = Settings.from_environment(), mount_study(app, os.environ[STUDY])
    probes = add_probes(app, settings)
    app.state.readiness.add("vote store", store_check(sessions))
    close(app, settings, (Route(READ, "/"), *probes, *study_routes()))
    return app


def serve(
    study_path: Annotated[Path, typer.Argument(help="the study file", metavar="STUDY.toml")],
    host: Annotated[str, typer.Option(help="0.0.0.0 to be reached from other machines")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="where to listen")] = 7861,
    processes: Annotated[int, typer.Option(help="server processes; more than one wants PostgreSQL")] = 1,
    database: Annotated[
        str | None, typer.Option(help="database URL in place of the study file's", envvar=DATABASE)
    ] = None,
) -> None:
    """Serve a study: raters at /study, the admin page at /study/admin."""
    check_start(host, port)
    study = load_study(study_path)
    # Checked, migrated and created here, before any worker process starts.
    sessions = Sessions(Store(database or study.database_url), study)
    link = admin_link(sessions, f"http://{host}:{port}/study")
    sessions.store.close()
    os.environ[STUDY] = str(study.path)
    if database:
        os.environ[DATABASE] = database
    typer.echo(f"raters: http://{host}:{port}/study/")
    typer.echo(f"admin:  {link}")
    answer_to(host)
    serve_app("demo.vote.page:create_app", host, port, processes)


def main() -> None:
    """Runs the command line; what a person did wrong is one sentence and exit code 2."""
    try:
        typer.run(serve)
    except (InputError, ServerError) as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
