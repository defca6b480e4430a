"""Clicks, boxes and strokes: what a browser may send, and the masks that come out of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studio_pictures import scene

from demo.studio.prompts import Prompt, region, subject
from iph.errors import InputError

PIXELS = scene(60, 100)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "kind click, box"),
        ({"kind": "lasso", "points": [[0, 0]]}, "got 'lasso'"),
        ({"kind": "click", "points": []}, "expected 1 points"),
        ({"kind": "box", "points": [[0, 0]]}, "expected 2 points"),
        ({"kind": "brush", "points": [[0, 0]] * 5001}, "expected some points"),
        ({"kind": "click", "points": [[0, float("nan")]]}, "shares of the picture"),
        ({"kind": "click", "points": [[0, "1"]]}, "shares of the picture"),
        ({"kind": "click", "points": [[True, 0.5]]}, "shares of the picture"),
        ({"kind": "click", "points": [[9, 0.5]]}, "shares of the picture"),
        ({"kind": "click", "points": [[-0.01, 0.5]]}, "expected a click on the picture, got one beside it"),
        ({"kind": "click", "points": [[0.5, 1.2]]}, "expected a click on the picture, got one beside it"),
        ({"kind": "brush", "points": [[0, 0]], "hardness": 2}, "hardness of a brush"),
        ({"kind": "brush", "points": [[0, 0]], "size": 3}, "expected a brush"),
        ({"kind": "brush", "points": [[0, 0]], "size": "wide"}, "expected a brush"),
    ],
)
def test_what_no_hand_sends_is_refused_in_a_sentence(data, sentence):
    with pytest.raises(InputError, match=sentence):
        Prompt.from_dict(data)


@given(points=st.lists(st.lists(st.floats(-0.2, 1.2), min_size=2, max_size=2), min_size=2, max_size=2))
def test_a_box_is_its_own_inside_whichever_corner_came_first(points):
    prompt = Prompt.from_dict({"kind": "box", "points": points})
    (x0, x1), (y0, y1) = (sorted(np.clip([p[i] for p in points], 0, 1) * PIXELS.shape[1 - i]) for i in (0, 1))
    expected = np.zeros((60, 100), np.float32)
    expected[round(y0) : round(y1), round(x0) : round(x1)] = 1
    if expected.any():
        np.testing.assert_array_equal(region(PIXELS, prompt, None), expected)
    else:
        with pytest.raises(InputError, match="holds no pixel"):
            region(PIXELS, prompt, None)


def test_strokes_add_up_and_are_as_wide_as_the_brush():
    first = region(PIXELS, Prompt("brush", ((0.2, 0.5), (0.6, 0.5)), 0.1), None)
    assert first[30, 20:61].all() and not first[:24].any() and not first[37:].any() and not first[:, :14].any()
    both = region(PIXELS, Prompt("brush", ((0.9, 0.1),), 0.04), first)
    assert (both >= first).all() and both[6, 90] and both.sum() < first.sum() + 30
    less = region(PIXELS, Prompt("erase", ((0.2, 0.5),), 0.2), both)
    assert not less[30, 20] and less[30, 55] and less[6, 90]


def test_erasing_everything_is_a_sentence():
    with pytest.raises(InputError, match="nothing was found there"):
        region(PIXELS, Prompt("erase", ((0.5, 0.5),), 0.1), None)


def test_a_click_marks_something_under_it_or_says_that_there_is_nothing():
    pixels = np.full((90, 120, 3), 235, np.uint8)
    pixels[30:70, 40:80] = (30, 60, 160)
    try:
        mask = region(pixels, Prompt("click", ((0.5, 0.55),)), None)
    except InputError as error:
        assert "nothing was found" in str(error)
    else:
        assert mask.shape == (90, 120) and mask.max() <= 1 and mask[48:52, 58:62].mean() > 0.5


@pytest.mark.parametrize("hardness", [1, 0.3])
def test_a_stroke_changes_what_lies_under_it_and_nothing_else(hardness):
    rows, columns = np.mgrid[:60, :100]
    away = np.hypot(columns - 70, rows - 30)  # from a dab of 10 pixels in the middle of an edge
    start = np.zeros(PIXELS.shape[:2], np.float32)
    start[20:50, 30:70] = 1
    for kind, value in (("brush", 1), ("erase", 0)):
        mended = subject(PIXELS, Prompt(kind, ((0.7, 0.5),), 0.1, hardness), start)
        assert mended[30, 69] == mended[30, 70] == value
        np.testing.assert_array_equal(mended[away > 6], start[away > 6])
    soft = np.count_nonzero((mended > 0) & (mended < 1))
    assert soft > 10 if hardness < 1 else soft < 25


def test_erased_stays_erased_when_more_is_painted_elsewhere():
    start = np.zeros(PIXELS.shape[:2], np.float32)
    start[10:50, 20:80] = 1
    less = subject(PIXELS, Prompt("erase", ((0.3, 0.5),), 0.1), start)
    more = subject(PIXELS, Prompt("brush", ((0.9, 0.5),), 0.1), less)
    assert less[30, 30] == 0 and more[30, 30] == 0 and more[30, 90] == 1


def test_a_hint_finds_more_than_its_paint_and_only_adds_or_only_takes_away():
    pixels = np.full((90, 120, 3), 235, np.uint8)
    pixels[20:80, 30:90] = (30, 60, 160)
    start = np.zeros((90, 120), np.float32)
    start[20:50, 30:90] = 1
    more = subject(pixels, Prompt("hint", ((0.4, 0.8), (0.6, 0.8)), 0.08), start)
    assert (more >= start).all() and more.sum() > start.sum() + 300
    less = subject(pixels, Prompt("hint_away", ((0.4, 0.3),), 0.08), start)
    assert (less <= start).all() and less[27, 48] < 0.5
