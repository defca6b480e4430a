"""The studio's page: the canvas, its plain routes, and the named API beside it."""

import asyncio
import atexit
import logging
import os
import tempfile
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import gradio as gr
import numpy as np
from fastapi import APIRouter, FastAPI
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

import iph
from demo.hosting.figures import QUEUE, SESSIONS, TEMPORARY_BYTES
from demo.idle_gradio import look_less_often
from demo.janitor import Janitor
from demo.settings import Settings
from demo.studio import api, gallery
from demo.studio.canvas import build_canvas
from demo.studio.closed_gradio import ClosedBlocks, FilesOnTheirWay
from demo.studio.limits import Limits
from demo.studio.routes import studio_router
from demo.studio.scene import MODEL
from demo.studio.session_store import SessionStore
from demo.uploads import MAX_UPLOAD
from demo.visitor_folders import sweep, sweep_by_age
from iph.images import confined
from iph.masks.people import people
from iph.masks.windows import read_networks
from iph.runtime.memory import give_back

log = logging.getLogger(__name__)
TITLE = "Interactive Portrait Harmonization"
FONT = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
# Gradio's own frame steps back: the page is the photo.
CSS = """
.gradio-container { width: 100%; max-width: 1280px !important; padding: 0 !important; margin: 0 auto !important; }
.gradio-container { overflow: clip !important; }  /* or nothing in it could stick */
.gradio-container .main { padding: 0 20px !important; max-width: none !important; }
#studio .html-container { padding: 0; }
#links { text-align: center; }
#links a { margin: 0 12px; color: var(--neutral-500); font-size: 14px; }
footer .divider { display: none !important; }
/* Gradio's own messages, as of a lost connection: in a corner of the picture, not on the looks, and not for long. */
.toast-wrap { inset: auto auto 8px 8px !important; width: min(300px, calc(100% - 16px)) !important; }
.toast-wrap .toast-body { animation: toast-leaves 1s 4s forwards; }
@keyframes toast-leaves { to { visibility: hidden; opacity: 0; } }
@media (max-width: 560px) { .gradio-container .main { padding: 0 12px !important; } }
"""


class Studio:
    """A studio that is served: ``store`` has the visitors' sessions, ``limits`` what they share."""

    def __init__(self, settings: Settings) -> None:
        cache = Path(get_upload_folder())
        self.store = SessionStore(settings)
        self.limits = Limits(settings, self.store, cache)
        sweep(Path(tempfile.gettempdir()))
        chores = [self.store.sweep, self.limits.space.measure, give_back]
        if os.environ.get("GRADIO_TEMP_DIR"):  # else the folder is every Gradio app's
            chores.insert(0, partial(sweep_by_age, cache, settings.file_seconds))
        self._janitor = Janitor(settings.sweep_seconds, *chores)
        self.unready: str | None = "the model is being loaded"
        atexit.register(self.close)
        SESSIONS.set_function(lambda: len(self.store.sessions))
        TEMPORARY_BYTES.set_function(lambda: self.limits.space.taken)
        for caller in ("page", "api", "mcp"):
            QUEUE.labels(caller).set_function(partial(getattr, getattr(self.limits, caller).places, "taken"))

    @asynccontextmanager
    async def until_the_end(self, app: FastAPI) -> AsyncIterator[None]:
        """The lifespan of the server, at whose end nobody waits for work that waits."""
        yield
        await asyncio.to_thread(self.close)

    def warm_up(self) -> None:
        """Start a reader of photos and use every network once before the first visitor asks."""
        half = np.zeros((64, 64), np.float32)
        half[:, :32] = 1
        try:
            confined.warm_up()
            read_networks()
            people(np.zeros((64, 64, 3), np.uint8))
            iph.harmonize(np.full((64, 64, 3), 128, np.uint8), half, 1 - half, model=MODEL)
            self.unready = None
        except Exception:
            self.unready = "the model cannot be used"
            log.exception(self.unready)

    def close(self) -> None:
        """Delete what visitors left."""
        self._janitor.close()
        self.limits.close()
        self.store.close()


def mount_studio(app: FastAPI, settings: Settings, links: Mapping[str, str] | None = None) -> Studio:
    """Add the studio to an app: its page at "/", so it comes last, and its routes below.

    links: what else the server has, words and address, shown below the canvas.
    """
    iph.load(MODEL)  # a server without weights does not start
    studio = Studio(settings)
    app.include_router(studio_router(studio.store, studio.limits))
    app.include_router(APIRouter(lifespan=studio.until_the_end))
    _mount_page(app, settings, studio.limits, links or {})
    threading.Thread(target=studio.warm_up).start()  # no daemon: an orderly end waits for it
    return studio


def _mount_page(app: FastAPI, settings: Settings, limits: Limits, links: Mapping[str, str]) -> None:
    """Gradio's part: the page around the canvas, and the named API."""
    # At an orderly end Gradio deletes what it knows of; the rest goes by age.
    with ClosedBlocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600)) as blocks:
        blocks.limits = limits
        build_canvas(_cards())
        if links:
            gr.HTML(" ".join(f'<a href="{address}">{words}</a>' for words, address in links.items()), elem_id="links")
        if settings.api or settings.mcp:
            api.register()
    blocks.queue(max_size=limits.api.places.most, api_open=False)
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        theme=gr.themes.Base(
            primary_hue="blue", neutral_hue="zinc", font=FONT, font_mono=("ui-monospace", "Menlo", "monospace")
        ),
        css=CSS,
        max_file_size=MAX_UPLOAD,
        ssr_mode=False,
        mcp_server=settings.mcp,
        enable_monitoring=False,
        run_history=False,
        footer_links=["api"] if settings.api else [],
        show_error=True,  # to callers of the API: the sentences of gr.Error; others stay in the log
        blocked_paths=[str(Path(__file__).parents[2])],
        app_kwargs={"middleware": [Middleware(FilesOnTheirWay, limits=limits)]},
    )
    look_less_often(blocks)
    if settings.mcp:
        blocks.let_mcp_past_the_queue()


def _cards() -> list[dict]:
    pages = gallery.credits()
    return [
        {
            "id": example.id,
            "title": example.title,
            "picture": f"card/{example.id}.jpg",
            "credits": [row for row in pages if row["composite"] == example.title],
        }
        for example in gallery.EXAMPLES
    ]
