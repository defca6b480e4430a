"""The canvas component: one hand-written ``gr.HTML`` on which a person is placed, references are pointed at and results
compared.

Its files lie in ``assets/``. It has no events of Gradio's: its scripts ask the plain routes of ``demo.studio.routes``.
"""

from pathlib import Path

import gradio as gr

from iph.adjustments import RANGES

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = (
    "elements.js",
    "server.js",
    "session.js",
    "view.js",
    "closeup.js",
    "picture.js",
    "mask_view.js",
    "strokes.js",
    "placing.js",
    "tools.js",
    "panel.js",
    "layers.js",
    "adjust.js",
    "saves.js",
    "keeper.js",
    "download.js",
    "channels.js",
    "zip.js",
    "series.js",
    "main.js",
)


def build_canvas(gallery: list[dict]) -> gr.HTML:
    """The component. gallery: the ready composites to offer, each with ``id``, ``title``, ``credits`` and the address
    of its ``picture`` below the studio's routes."""
    return gr.HTML(
        value={"gallery": gallery, "adjustments": {name: vars(allowed) for name, allowed in RANGES.items()}},
        html_template=(ASSETS / "canvas.html").read_text(),
        css_template=(ASSETS / "canvas.css").read_text(),
        js_on_load="\n".join((ASSETS / name).read_text() for name in SCRIPTS),
        apply_default_css=False,
        elem_id="studio",
        label="Studio",
    )
