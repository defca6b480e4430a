"""Masks: every form they come in, and subjects found by a box, a click, strokes or no prompt at all."""

from iph.masks.forms import as_mask, check_pair, from_alpha, from_box_region, from_two_color
from iph.masks.select import from_box, from_click, from_strokes
from iph.masks.subjects import Subject, automatic_reference, segment_subjects, suggest_references

__all__ = [
    "Subject",
    "as_mask",
    "automatic_reference",
    "check_pair",
    "from_alpha",
    "from_box",
    "from_box_region",
    "from_click",
    "from_strokes",
    "from_two_color",
    "segment_subjects",
    "suggest_references",
]
