"""The stage: one hand-written ``gr.HTML`` on which a person is placed, references are pointed at, results compared.

Its files lie in ``assets/``. Its value is what ``demo.studio.page_state.answer`` says; what a visitor does comes back
as an event of one of the names in ``EVENTS`` with a small JSON payload.
"""

from pathlib import Path

import gradio as gr

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = ("elements.js", "picture.js", "tools.js", "panel.js", "main.js")
# Each event's channel: the page sends the next event of a channel when the last one was answered.
EVENTS = {
    "open": "act",
    "example": "act",
    "place": "act",
    "mark": "act",
    "take": "act",
    "auto": "act",
    "undo": "act",
    "restart": "act",
    "resume": "act",
    "adjust": "adjust",
    "thumbnails": "thumbnails",
    "save": "save",
}


def build_stage(gallery: list[dict]) -> gr.HTML:
    """The component. gallery: the ready composites to offer, each with ``id``, ``title``, ``credits`` and ``picture``,
    the last as Gradio hands files out."""
    return gr.HTML(
        value={"turn": 0, "gallery": gallery},
        html_template=(ASSETS / "stage.html").read_text(),
        css_template=(ASSETS / "stage.css").read_text(),
        js_on_load="\n".join((ASSETS / name).read_text() for name in SCRIPTS),
        apply_default_css=False,
        elem_id="studio",
        label="Studio",
    )


def tell_done(channel: str) -> str:
    """The script that lets the page send the next event of a channel, whatever became of the last one."""
    return f"() => {{ window.dispatchEvent(new CustomEvent('studio-done', {{ detail: '{channel}' }})); }}"
