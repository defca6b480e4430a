"""A page of Gradio that costs nothing while nobody asks it anything."""

import gradio as gr

SECONDS = 0.01  # until a call that has come is begun


def look_less_often(blocks: gr.Blocks) -> None:
    """Gradio looks at a mounted page's queue a thousand times a second: a twentieth of a thread, for nothing."""
    blocks._queue.sleep_when_free = SECONDS
