"""The studio's page: the stage, its events, and the named API beside it.

``build_studio()`` makes the Gradio app; ``serving()`` is what it wants from ``launch`` or ``mount_gradio_app``.
"""

import atexit
import contextlib
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

import iph
from demo.rate_limit import RateLimit
from demo.studio import api, gallery
from demo.studio.canvas import EVENTS, build_stage, tell_done
from demo.studio.limits import MAX_UPLOAD, ClosedBlocks, Doors
from demo.studio.scene import MODEL
from demo.studio.served_pictures import as_file
from demo.studio.session_store import Desk, listener
from demo.studio.steady_queue import forget, keep_events
from demo.visitor_folders import sweep
from iph.errors import InputError
from iph.masks import segment_subjects

TITLE = "Interactive Portrait Harmonization"
FONT = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
# Gradio's own frame steps back: the page is the photo.
CSS = """
.gradio-container { width: 100%; max-width: 1280px !important; padding: 0 !important; margin: 0 auto !important; }
.gradio-container .main { padding: 0 20px !important; max-width: none !important; }
#studio .html-container { padding: 0; }
#links { text-align: center; }
#links a { margin: 0 12px; color: var(--neutral-500); font-size: 14px; }
footer .divider { display: none !important; }
@media (max-width: 560px) { .gradio-container .main { padding: 0 12px !important; } }
"""


def build_studio(limit: RateLimit | None = None, links: Mapping[str, str] | None = None) -> ClosedBlocks:
    """The studio as a Gradio app.

    limit: how much one client may ask, for tests; None for the usual one. links: what else the server has, words and
    address, shown below the stage.
    """
    for parent in (Path(tempfile.gettempdir()), Path(get_upload_folder())):
        sweep(parent)
    desk = Desk()
    atexit.register(desk.close)

    def leave(request: gr.Request) -> None:
        session = request.session_hash or ""
        desk.leave(session)
        forget(studio._queue, session)

    # Pictures whose session ended in some other way are swept after an hour.
    with ClosedBlocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600)) as studio:
        studio.limit = limit or RateLimit()
        studio.desk = desk
        stage = build_stage(_cards())
        for event, channel in EVENTS.items():
            happened = getattr(stage, event)(
                listener(desk, event),
                outputs=stage,
                show_progress="hidden",
                trigger_mode="multiple",  # the page itself sends one at a time
                concurrency_id=f"studio-{channel}",
                concurrency_limit=4 if channel == "adjust" else 2,
                api_visibility="private",
                api_name=f"studio_{event}",
            )
            # Gradio's page runs ``then`` after an answer, but after a refused request ``failure`` alone.
            for ended in (happened.then, happened.failure):
                ended(None, js=tell_done(channel), api_visibility="private", show_progress="hidden")
        if links:
            gr.HTML(" ".join(f'<a href="{address}">{words}</a>' for words, address in links.items()), elem_id="links")
        studio.unload(leave)
        api.register()
    studio.queue(max_size=40)
    keep_events(studio._queue)
    threading.Thread(target=_warm_up).start()  # no daemon: torch aborts a process that ends amid its work
    return studio


def _warm_up() -> None:
    """Read the weights before the first visitor asks, who is told if that does not work."""
    half = np.zeros((64, 64), np.float32)
    half[:, :32] = 1
    with contextlib.suppress(InputError):
        segment_subjects(np.zeros((64, 64, 3), np.uint8))
        iph.harmonize(np.full((64, 64, 3), 128, np.uint8), half, 1 - half, model=MODEL)


def serving(studio: ClosedBlocks) -> dict[str, Any]:
    """What ``launch`` and ``mount_gradio_app`` are both told."""
    return {
        "theme": gr.themes.Base(
            primary_hue="blue", neutral_hue="zinc", font=FONT, font_mono=("ui-monospace", "Menlo", "monospace")
        ),
        "css": CSS,
        "max_file_size": MAX_UPLOAD,
        "ssr_mode": False,
        "mcp_server": True,
        "enable_monitoring": False,
        "run_history": False,
        "footer_links": ["api"],
        "show_error": True,  # to callers of the API: the sentences of gr.Error; others stay in the log
        "blocked_paths": [str(Path(__file__).parents[2])],
        "app_kwargs": {"middleware": [Middleware(Doors, limit=studio.limit)]},
    }


def _cards() -> list[dict]:
    pages = gallery.credits()
    return [
        {
            "id": example.id,
            "title": example.title,
            "picture": as_file(example.file("card")),
            "credits": [row for row in pages if row["composite"] == example.title],
        }
        for example in gallery.EXAMPLES
    ]
