"""Whom and what else a picture offers: everybody in it, or the next proposal for what was clicked."""

import numpy as np

from demo.studio.project import Project
from demo.studio.prompts import Prompt, at_pixel, subject
from demo.studio.work.kept import KEPT
from iph.errors import InputError
from iph.masks import everybody as all_people
from iph.masks import from_box, from_click, segment_subjects
from iph.masks.forms import bounds
from iph.masks.subjects import NOBODY

NEAR = 0.6  # of a picture's longer side: how much of it a second look around a click sees
ALIKE = 0.9  # of what two masks cover together: above it they are one proposal


def take_everybody(project: Project) -> None:
    """Let the person be all people of their picture. Raises InputError where there are none."""
    if project.holder is None:
        raise InputError("expected a picture to find people in, got none")
    mask = all_people(project.holder.pixels)
    if mask is None:
        raise InputError(NOBODY)
    project.cut_out("Everybody", mask)


def take_next(project: Project, target: str) -> None:
    """Take the next of what the last click on a ``target`` of the project may have meant, or of what stands out where
    nobody clicked; after the last comes the first. Raises InputError where there is nothing else."""
    picture, now, click = project.looked_at(target), project.choices, project.clicks.get(target)
    made_of = (picture,) if click is None else (picture, click)
    listed = KEPT.get("proposals", lambda: _proposals(picture.pixels, click), _bytes, *made_of)
    present = now.foreground if target == "person" else now.region
    at = next((index for index, mask in enumerate(listed) if _alike(mask, present)), -1)
    if len(listed) == (at >= 0):
        raise InputError("nothing else was found there: a box or the brush may say more")
    proposed = listed[(at + 1) % len(listed)]
    if target == "person":
        project.cut_out("Next proposal: person", proposed, click)
    else:
        project.point_at(f"Next proposal: {target}", proposed, target == "other", click)


def _proposals(pixels: np.ndarray, click: Prompt | None) -> list[np.ndarray]:
    """Masks (h, w) float32, the likeliest first, no two alike: for a click what was found under it, from nearer, and by
    a box around it, then all that stands out and lies under it, and everybody if one of them does."""
    found = []
    if click is not None:
        first = subject(pixels, click, None)
        found += [first, _nearer(pixels, click), from_box(pixels, bounds(first >= 0.5))]
    found += [one.mask for one in segment_subjects(pixels)] + [all_people(pixels)]
    listed: list[np.ndarray] = []
    for mask in found:
        if mask is None or (click is not None and mask[at_pixel(click, pixels)] < 0.5):
            continue
        if (mask >= 0.5).any() and not any(_alike(mask, one) for one in listed):
            listed.append(mask)
    return listed


def _nearer(pixels: np.ndarray, click: Prompt) -> np.ndarray:
    """What a click means to who sees no more than its surroundings: of two who touch, the one."""
    row, column = at_pixel(click, pixels)
    reach = round(NEAR / 2 * max(pixels.shape[:2]))
    window = np.s_[max(0, row - reach) : row + reach, max(0, column - reach) : column + reach]
    mask = np.zeros(pixels.shape[:2], np.float32)
    inside = column - window[1].start, row - window[0].start
    mask[window] = from_click(np.ascontiguousarray(pixels[window]), inside)
    return mask


def _alike(mask: np.ndarray, other: np.ndarray | None) -> bool:
    if other is None or other.shape != mask.shape:
        return False
    return np.minimum(mask, other).sum() > ALIKE * np.maximum(mask, other).sum()


def _bytes(masks: list[np.ndarray]) -> int:
    return sum(mask.nbytes for mask in masks)
