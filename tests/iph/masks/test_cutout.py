"""``iph.cutout``: each prompt alone and together with strokes, and what is said where nobody is there."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import iph
from iph.errors import InputError

PORTRAIT = np.load(Path(__file__).parent / "golden" / "selfie.npz")["portrait_input"]
PLAIN = np.full((64, 96, 3), 120, np.uint8)


def crate() -> np.ndarray:
    """A thing, and nobody."""
    picture = np.full((120, 160, 3), (40, 90, 60), np.uint8)
    picture[40:90, 40:120] = 40, 60, 230
    return picture


def test_a_person_is_found_unasked_and_nothing_has_to_be_said():
    person = iph.cutout(PORTRAIT)
    assert person.note is None
    assert person.alpha.dtype == np.uint8 and person.alpha.shape == PORTRAIT.shape[:2] == person.pixels.shape[:2]
    np.testing.assert_array_equal(person.alpha, iph.cutout(PORTRAIT, everybody=True).alpha)


@pytest.mark.parametrize("everybody", [False, True])
def test_where_nobody_is_it_says_what_was_taken(everybody):
    found = iph.cutout(crate(), everybody=everybody)
    assert found.note == "nobody was found in the photo: what stands out most was taken"
    assert found.alpha[60, 80] == 255 and found.alpha[5, 5] == 0


@pytest.mark.parametrize("how", [{}, {"everybody": True}, {"click": (4, 4)}, {"box": (1, 1, 7, 7)}])
def test_a_picture_of_8_by_8_is_cut_or_refused(how):
    """Four of noise: small as they are, something may stand out."""
    for seed in range(4):
        picture = np.random.default_rng(seed).integers(0, 255, (8, 8, 3)).astype(np.uint8)
        try:
            found = iph.cutout(picture, **how)
        except InputError as error:
            assert "expected" in str(error)
        else:
            assert found.alpha.shape == (8, 8) and found.alpha.max() >= 128


def test_60_megapixels():
    """A portrait enlarged: as much of it is the person as of the small one."""
    large = cv2.resize(PORTRAIT, (7746, 7746), interpolation=cv2.INTER_LINEAR)
    found = iph.cutout(large, click=(3900, 3100)).alpha
    assert found.shape == large.shape[:2] and abs(found.mean() - iph.cutout(PORTRAIT, click=(80, 64)).alpha.mean()) < 8


def test_strokes_alone_and_strokes_that_mend():
    keep, remove = np.zeros((120, 160), bool), np.zeros((120, 160), bool)
    keep[50:80, 75:85] = True
    remove[45:85, 105:115] = True
    alone = iph.cutout(crate(), keep=keep)
    assert alone.note is None and alone.alpha[60, 80] == 255 and alone.alpha[5, 5] == 0
    mended = iph.cutout(crate(), click=(80, 60), remove=remove)
    assert iph.cutout(crate(), click=(80, 60)).alpha[60, 110] == 255 and mended.alpha[60, 110] == 0


def test_a_click_tells_which_thing_of_a_box_is_meant():
    picture = crate()
    picture[40:90, 76:84] = 40, 90, 60  # two crates now
    box = (30, 30, 130, 100)
    left = iph.cutout(picture, click=(58, 60), box=box).alpha
    assert left[60, 58] == 255 and not left[:, 132:].any() and not left[:28].any()


@pytest.mark.parametrize(
    ("picture", "how", "sentence"),
    [
        (PORTRAIT, {"click": (1, 1), "everybody": True}, "everybody, or a click or a box, got both"),
        (PORTRAIT, {"click": (1, 1), "box": (5, 5, 50, 90)}, r"the point \(1, 1\) inside the box 5, 5, 50, 90"),
        (PORTRAIT, {"click": (9999, 1)}, "outside the picture"),
        (PORTRAIT, {"box": (5, 5, 5, 9)}, "holds no pixel"),
        (PORTRAIT, {"remove": np.zeros((3, 3))}, "strokes to remove were expected"),
        (PORTRAIT, {"keep": [[1]]}, "strokes to add were expected with shape .*, not list"),
        (PORTRAIT, {"alpha": np.zeros((3, 3), np.uint8)}, "expected an alpha of shape"),
        (PORTRAIT, {"icc": "sRGB"}, "expected an ICC profile as bytes, got str"),
        (PORTRAIT, {"edge": {"expand": 1}}, "expected an EdgeAdjustment for the edge, got dict"),
        (PORTRAIT.astype(np.float32), {}, "expected float values of the image from 0 to 1"),
        (PORTRAIT.tolist(), {}, "expected the image as an array"),
        (PLAIN, {}, "nobody was found in the photo, nor anything"),
        (PLAIN[:8, :8], {"everybody": True}, "nobody was found in the photo, nor anything"),
    ],
)
def test_bad_input_is_one_sentence(picture, how, sentence):
    with pytest.raises(InputError, match=sentence):
        iph.cutout(picture, **how)
