"""A free place: as those who are there stand, on no face, and inside; beside a group, below a frame, in a panorama."""

import cv2
import numpy as np
import pytest

from demo.studio.work.placing import free_place, kept_inside
from iph.placement import Placement, compose


def standing(height: int, width: int, *people: tuple[float, float, float]) -> list[np.ndarray]:
    """People (h, w) float32 as an ellipse of a body and a round head: x of each, top and bottom, shares of the picture;
    a bottom beyond 1 is cut."""
    masks = []
    for x, top, bottom in people:
        mask, tall = np.zeros((height, width), np.float32), (bottom - top) * height
        head = max(2, round(tall * 0.09))
        middle = round(x * width)
        cv2.circle(mask, (middle, round(top * height) + head), head, 1, -1)
        centre = middle, round(top * height + 2 * head + (tall - 2 * head) / 2)
        cv2.ellipse(mask, centre, (round(tall * 0.14), round((tall - 2 * head) / 2)), 0, 0, 360, 1, -1)
        masks.append(mask)
    return masks


def heads(height: int, width: int, *people: tuple[float, float, float]) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    inside = np.zeros((height, width), bool)
    for x, top, bottom in people:
        radius = (bottom - top) * height * 0.09
        inside |= np.hypot(columns - x * width, rows - top * height - radius) < radius
    return inside


BUST = standing(400, 300, (0.5, 0.2, 1.9))[0]  # cut by the lower edge of their picture
WHOLE = standing(400, 300, (0.4, 0.1, 0.9))[0]
PLACES = {
    "nobody": ((300, 400), []),
    "one at the left": ((300, 400), [(0.3, 0.2, 0.9)]),
    "one in the middle": ((300, 400), [(0.5, 0.15, 0.95)]),
    "a group": ((300, 500), [(0.3, 0.2, 0.9), (0.5, 0.15, 0.92), (0.7, 0.25, 0.9)]),
    "busts": ((300, 400), [(0.3, 0.15, 1.7), (0.72, 0.2, 1.7)]),
    "far away": ((300, 400), [(0.6, 0.5, 0.75)]),
    "upright": ((500, 300), [(0.5, 0.1, 0.95)]),
    "a panorama": ((150, 900), [(0.5, 0.2, 0.95)]),
}


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("mask", [BUST, WHOLE], ids=["bust", "whole"])
def test_nobodys_face_is_covered_and_the_person_stands_inside(where, mask):
    shape, people = PLACES[where]
    there = standing(*shape, *people)
    placement = free_place((*shape, 3), mask, there)
    _, seen = compose(np.zeros((*shape, 3), np.uint8), np.zeros((*mask.shape, 3), np.uint8), mask, placement)
    rows, columns = np.nonzero(seen >= 0.5)
    assert not (heads(*shape, *people) & (seen >= 0.5)).any()
    whole = placement.height * shape[0] / mask.shape[0]
    assert columns.max() - columns.min() >= 0.9 * whole * np.ptp(np.nonzero(mask >= 0.5)[1])  # nothing cut at a side
    assert rows.max() >= shape[0] - 2 if mask is BUST else 0.6 * shape[0] < rows.max() < shape[0] - 1
    assert 0.1 <= (rows.max() - rows.min()) / shape[0] <= 0.92


def test_who_is_seen_whole_is_as_tall_as_those_there_and_on_their_ground():
    there = standing(300, 400, (0.3, 0.5, 0.8))
    placement = free_place((300, 400, 3), WHOLE, there)
    rows = np.nonzero(
        compose(np.zeros((300, 400, 3), np.uint8), np.zeros((400, 300, 3), np.uint8), WHOLE, placement)[1]
    )
    assert rows[0].max() == pytest.approx(0.8 * 300, abs=5) and np.ptp(rows[0]) == pytest.approx(90, abs=6)


def test_what_is_turned_is_kept_inside_too():
    kept = kept_inside(Placement(1.0, 0.2, 0.8, angle=60), WHOLE, (300, 400, 3))
    seen = compose(np.zeros((300, 400, 3), np.uint8), np.zeros((400, 300, 3), np.uint8), WHOLE, kept)[1]
    expected = WHOLE.sum() * (kept.height * 300 / 400) ** 2
    assert seen.sum() == pytest.approx(expected, rel=0.02) and kept.height == 0.8 and kept.angle == 60
