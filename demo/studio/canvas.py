"""The canvas component: one hand-written ``gr.HTML`` on which a person is placed, references are pointed at and results
compared.

Its files lie in ``assets/``. It has no events of Gradio's: its scripts ask the plain routes of ``demo.studio.routes``.
"""

from pathlib import Path

import gradio as gr

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = ("elements.js", "server.js", "session.js", "picture.js", "tools.js", "panel.js", "channels.js", "main.js")


def build_canvas(gallery: list[dict]) -> gr.HTML:
    """The component. gallery: the ready composites to offer, each with ``id``, ``title``, ``credits`` and the address
    of its ``picture`` below the studio's routes."""
    return gr.HTML(
        value={"gallery": gallery},
        html_template=(ASSETS / "canvas.html").read_text(),
        css_template=(ASSETS / "canvas.css").read_text(),
        js_on_load="\n".join((ASSETS / name).read_text() for name in SCRIPTS),
        apply_default_css=False,
        elem_id="studio",
        label="Studio",
    )
