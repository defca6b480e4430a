"""Masks: every form they come in, and subjects found by a box, a click, strokes or no prompt at all.

What finds subjects is imported when it is first used (PEP 562): reading a mask needs no network.
"""

from importlib import import_module
from typing import Any

from iph.masks.forms import (
    as_mask,
    check_pair,
    from_alpha,
    from_box_region,
    from_photo,
    from_two_color,
    levels_from_photo,
    mark_levels_from_photo,
    marks_from_photo,
    own_mask,
    pair_from_photo,
)

_HOMES = {
    "from_box": "select",
    "from_click": "select",
    "from_strokes": "select",
    "clean_edges": "edges",
    "EdgeAdjustment": "edge_adjust",
    "everybody": "subjects",
    "Subject": "subjects",
    "automatic_reference": "subjects",
    "main_subject": "subjects",
    "segment_subjects": "subjects",
    "suggest_references": "subjects",
}
__all__ = [
    "as_mask",
    "check_pair",
    "from_alpha",
    "from_box_region",
    "from_photo",
    "from_two_color",
    "levels_from_photo",
    "mark_levels_from_photo",
    "marks_from_photo",
    "own_mask",
    "pair_from_photo",
    *_HOMES,
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'iph.masks' has no attribute {name!r}")
    return getattr(import_module(f"iph.masks.{_HOMES[name]}"), name)
