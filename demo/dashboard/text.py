"""Names, titles and error sentences as text: Markdown and Plotly's bit of HTML in them stay characters.

What people call their methods, studies and files is shown to everybody who opens the dashboard. As Markdown it could
load a stranger's picture, as HTML change what a chart says.
"""

import html
import re
from typing import Any

import numpy as np
import plotly.graph_objects as go

_MARKS = re.compile(r"[\\`*_\[\]<>$~|&]|:(?=[A-Za-z/])")
_DATA = ("x", "y", "text", "name", "customdata")


def plain(text: object) -> str:
    """Markdown that shows exactly ``text``, on one line."""
    line = " ".join(str(text).split())
    number = re.match(r"\d+(?=[.)])", line)  # "1. first" would begin a list
    if number:
        return number[0] + "\\" + _MARKS.sub(r"\\\g<0>", line[number.end() :])
    return ("\\" if line[:1] in "-+#=" and line else "") + _MARKS.sub(r"\\\g<0>", line)


def code(text: object) -> str:
    """Markdown that shows ``text`` as code, whatever backticks it has."""
    line = " ".join(str(text).split())
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {line} {fence}" if longest else f"`{line}`"


def chart_text(value: Any) -> Any:
    """What Plotly shows as ``value``: text, or texts in lists and arrays; numbers are not touched."""
    if isinstance(value, str):
        return html.escape(value, quote=False)
    if isinstance(value, np.ndarray):
        return value if value.dtype.kind not in "OUT" else np.array([chart_text(one) for one in value], dtype=object)
    return [chart_text(one) for one in value] if isinstance(value, list | tuple) else value


def clicked_text(value: Any) -> Any:
    """The text that ``chart_text`` was given."""
    if isinstance(value, list):
        return [clicked_text(one) for one in value]
    return html.unescape(value) if isinstance(value, str) else value


def only_text(fig: go.Figure) -> go.Figure:
    """The figure with its data, legend and axes' labels as text. Templates and titles are this package's own."""
    for trace in fig.data:
        for name in _DATA:
            if name in trace and trace[name] is not None:
                trace[name] = chart_text(trace[name])
    for axis in (*fig.select_xaxes(), *fig.select_yaxes()):
        for name in ("categoryarray", "ticktext"):
            if axis[name] is not None:
                axis[name] = chart_text(axis[name])
    return fig
