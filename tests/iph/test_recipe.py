"""A recipe survives JSON, does again what it says, and refuses what it is not; a person lands where it was placed.

Who is turned is held against a much finer sampling, straight from the definition.
"""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iph.errors import InputError
from iph.images.photo import Photo
from iph.mapping import ColorMapping
from iph.placement import Placement, compose, compose_part
from iph.polynomial import TERMS
from iph.recipe import Recipe

FINER = 4
BACKGROUND, PERSON = (90, 120, 3), (160, 120, 3)


def mapping(seed: int = 0) -> ColorMapping:
    change = np.random.default_rng(seed).normal(0, 0.05, (len(TERMS), 3))
    return ColorMapping(change, np.full(3, 0.1), np.full(3, 0.9))


def photo(height: int, width: int, seed: int = 1, dtype=np.uint8, alpha: np.ndarray | None = None) -> Photo:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (6, 8, 3)).astype(np.float32)
    pixels = np.clip(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), 0, 255)
    scale = np.iinfo(dtype).max / 255
    return Photo(np.rint(pixels * scale).astype(dtype), alpha)


def disc(height: int, width: int, radius: float = 0.3) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    distance = np.hypot((x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5)
    return np.clip((radius - distance) * 20 + 0.5, 0, 1).astype(np.float32)


def several() -> Recipe:
    """Two people over a photo, of whom the upper covers some of the lower."""
    lower = Recipe(mapping(3), disc(64, 48), placement=Placement(0.3, 0.6, 0.5, angle=15), names={"person": "a.png"})
    upper = Recipe(mapping(4), disc(48, 48), 0.6, placement=Placement(0.5, 0.6, 0.6), names={"person": "b.png"})
    return replace(lower, above=(upper,))


def test_people_above_are_pasted_over_what_is_below_and_changed_there(tmp_path):
    background, people = photo(90, 120), [photo(64, 48, 2), photo(48, 48, 3)]
    several().save(tmp_path / "look.json")
    again = Recipe.load(tmp_path / "look.json")
    assert json.loads((tmp_path / "look.json").read_text())["version"] == 2
    below = replace(again, above=()).replay(background, people[0])
    expected = again.above[0].replay(below, people[1])
    np.testing.assert_array_equal(again.replay(background, people).pixels, expected.pixels)
    covered = again.above[0].composite(background, people[1])[1]
    assert (expected.pixels != below.pixels)[covered > 0.5].mean() > 0.9
    np.testing.assert_array_equal(expected.pixels[covered == 0], below.pixels[covered == 0])
    before = again.pasted(background, people).pixels
    assert (before != expected.pixels).any() and (before != background.pixels).any()
    assert again.look_on(disc(90, 120)).above == ()


def test_as_many_pictures_as_people(tmp_path):
    with pytest.raises(InputError, match=r"pastes 2 people: 'a\.png', 'b\.png' were expected, from below, got 1"):
        several().replay(photo(90, 120), photo(64, 48, 2))
    assert "above" not in replace(several(), above=()).to_dict()  # as ever, for programs that know one person alone


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_replay_applies_the_weakened_mapping_inside_the_mask_only(dtype):
    original, mask = photo(60, 80, dtype=dtype), np.rint(disc(60, 80) * 255).astype(np.float32) / 255
    recipe = Recipe(mapping(), mask, strength=0.7, luminance=0.5, chroma=1.2)
    result = recipe.replay(original)
    expected = mapping().blended(0.7, 0.5, 1.2).apply(original.pixels, mask)
    np.testing.assert_array_equal(result.pixels, expected)
    np.testing.assert_array_equal(result.pixels[mask == 0], original.pixels[mask == 0])
    assert (result.pixels != original.pixels)[mask > 0.5].mean() > 0.9


def test_json_brings_back_the_same_picture(tmp_path):
    background, person = photo(90, 120), photo(64, 48, 2)
    recipe = Recipe(
        mapping(3),
        np.rint(disc(64, 48) * 255).astype(np.float32) / 255,
        strength=0.4,
        placement=Placement(0.3, 0.6, 0.5, True),
        reference=disc(45, 60, 0.2),
        names={"image": "beach.jpg", "person": "me.png"},
        model="general",
    )
    recipe.save(tmp_path / "look.json")
    again = Recipe.load(tmp_path / "look.json")
    np.testing.assert_array_equal(again.replay(background, person).pixels, recipe.replay(background, person).pixels)
    assert (again.names, again.model, again.placement) == (recipe.names, "general", recipe.placement)
    np.testing.assert_allclose(again.reference, recipe.reference, atol=0.5 / 255)


def test_a_mask_found_on_a_small_copy_fits_a_large_photo():
    pixels = photo(400, 600).pixels
    small = disc(100, 150)
    _, foreground = Recipe(mapping(), small).composite(Photo(pixels))
    assert foreground.shape == (400, 600) and np.abs(foreground - disc(400, 600)).max() < 0.1


def test_the_persons_own_alpha_is_used_where_no_mask_was_made():
    alpha = np.rint(disc(64, 48) * 255).astype(np.uint8)
    person = photo(64, 48, 2, alpha=alpha)
    placed = Recipe(mapping(), None, placement=Placement(0.5, 0.5, 64 / 90)).composite(photo(90, 120), person)[1]
    np.testing.assert_allclose(placed[13:77, 36:84], alpha / 255, atol=1e-3)


def test_placing_at_its_own_size_is_plain_alpha_compositing():
    background, person = photo(90, 120).pixels, photo(64, 48, 2).pixels
    alpha = disc(64, 48)
    composite, mask = compose(background, person, alpha, Placement(0.5, 0.5, 64 / 90))
    expected = background.astype(float)
    window = expected[13:77, 36:84]
    window += alpha[..., None] * (person - window)
    assert np.abs(composite - expected).max() <= 0.5 + 1e-3
    np.testing.assert_array_equal(composite[mask == 0], background[mask == 0])


def test_half_the_size_averages_pixels_and_mirrored_is_mirrored():
    person, alpha = photo(64, 48, 2).pixels, np.ones((64, 48), np.float32)
    background = np.zeros((96, 96, 3), np.uint8)
    composite, _ = compose(background, person, alpha, Placement(0.5, 0.5, 32 / 96))
    halved = person.reshape(32, 2, 24, 2, 3).mean((1, 3))
    assert np.abs(composite[32:64, 36:60] - halved).max() <= 1
    mirrored, _ = compose(background, person, alpha, Placement(0.5, 0.5, 32 / 96, True))
    assert np.abs(mirrored[32:64, 36:60].astype(int) - composite[32:64, 36:60][:, ::-1]).max() <= 1


def test_colours_hidden_behind_transparent_pixels_stay_hidden():
    person, alpha = np.zeros((60, 60, 3), np.uint8), np.zeros((60, 60), np.float32)
    person[:, :, 1] = 255  # a green screen where nothing shows
    person[20:40, 20:40], alpha[20:40, 20:40] = 200, 1
    composite, mask = compose(np.full((80, 80, 3), 200, np.uint8), person, alpha, Placement(0.5, 0.5, 0.51))
    assert np.abs(composite.astype(int) - 200).max() <= 1 and mask.max() == 1


@given(x=st.floats(-0.2, 1.2), y=st.floats(-0.2, 1.2), height=st.floats(0.05, 4), mirrored=st.booleans())
def test_a_person_covers_its_box_cut_at_the_border(x, y, height, mirrored):
    placement = Placement(x, y, height, mirrored)
    x0, y0, x1, y1 = placement.box((50, 70), (30, 20))
    seen = np.zeros((50, 70), bool)
    seen[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = True
    person, alpha = np.full((30, 20, 3), 255, np.uint8), np.ones((30, 20), np.float32)
    try:
        _, mask = compose(np.zeros((50, 70, 3), np.uint8), person, alpha, placement)
    except InputError:
        return  # nothing of it would be seen
    assert not mask[~seen].any() and (mask[seen] > 0.99).all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kind": "cake"}, "expected a recipe of kind"),
        ({"version": 3}, "version 1 or 2, got 3"),
        ({"version": 2, "above": {"a": 1}}, "people above in the recipe as a list"),
        ({"version": 2, "above": [{"above": [{}]}]}, "of one person each"),
        ({"version": 2, "above": [Recipe(mapping(), disc(9, 9)).to_dict()]}, "a place for everybody above"),
        ({"strength": "much"}, "expected strength from 0 to 2"),
        ({"chroma": 3}, "expected chroma from 0 to 2"),
        ({"foreground": "not base64!"}, "PNG in base64"),
        ({"foreground": "aGVsbG8="}, "expected a JPEG, PNG"),
        ({"placement": {"x": 1, "z": 2}}, "expected x, y, height"),
        ({"placement": {"x": 0.5, "y": float("nan"), "height": 1}}, "expected a place"),
        ({"placement": {"x": 0.5, "y": 0.5, "height": 900}}, "expected a height"),
        ({"placement": {"x": 0.5, "y": 0.5, "height": 1, "angle": 200}}, "expected an angle"),
        ({"names": ["a"]}, "expected file names"),
        ({"mapping": None}, "expected a colour mapping"),
    ],
)
def test_what_is_no_recipe_gets_a_sentence(tmp_path, change, sentence):
    data = Recipe(mapping(), disc(20, 20)).to_dict() | change
    (tmp_path / "bad.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match=sentence):
        Recipe.load(tmp_path / "bad.json")


def test_files_that_are_not_json_and_pictures_that_do_not_fit(tmp_path):
    (tmp_path / "photo.json").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(InputError, match="not JSON"):
        Recipe.load(tmp_path / "photo.json")
    with pytest.raises(InputError, match="No such file"):
        Recipe.load(tmp_path / "none.json")
    with pytest.raises(InputError, match="another aspect"):
        Recipe(mapping(), disc(20, 20)).replay(photo(40, 80))
    with pytest.raises(InputError, match="no person"):
        Recipe(mapping(), disc(20, 20)).replay(photo(40, 40), photo(20, 20))
    with pytest.raises(InputError, match="was expected"):
        Recipe(mapping(), None, placement=Placement()).replay(photo(40, 40))


@pytest.mark.parametrize("levels", [255, 1], ids=["soft", "hard"])
def test_a_mask_of_8_bits_is_kept_as_it_is(levels):
    plane = np.rint(disc(20, 30) * levels).astype(np.uint8)
    for mask in (plane, plane > 0) if levels == 1 else (plane,):
        again = Recipe.from_dict(Recipe(mapping(), mask, reference=mask).to_dict())
        for kept in (again.foreground, again.reference):
            np.testing.assert_allclose(kept, plane / levels, atol=1e-6)


@pytest.fixture(scope="module")
def pictures():
    """A background, and a person with a soft alpha."""
    rng = np.random.default_rng(5)
    background, person = (
        cv2.resize(rng.integers(40, 216, (5, 6, 3)).astype(np.float32), shape[1::-1], interpolation=cv2.INTER_CUBIC)
        for shape in (BACKGROUND, PERSON)
    )
    rows, columns = np.mgrid[: PERSON[0], : PERSON[1]]
    away = np.hypot((columns - 70) / 40, (rows - 60) / 55)  # not in the middle
    alpha = np.clip((1 - away) * 8 + 0.5, 0, 1).astype(np.float32)
    return *(np.clip(one, 0, 255).astype(np.uint8) for one in (background, person)), alpha


def finely(background, person, alpha, placement):
    """The composite and mask by ``FINER`` squared samples a pixel, straight from the definition in the docstring."""
    rows, columns = (np.mgrid[: FINER * BACKGROUND[0], : FINER * BACKGROUND[1]] + 0.5) / FINER
    height = placement.height * BACKGROUND[0]
    x, y = columns - placement.x * BACKGROUND[1], rows - placement.y * BACKGROUND[0]
    cos, sin = np.cos(np.deg2rad(placement.angle)), np.sin(np.deg2rad(placement.angle))
    x, y = cos * x + sin * y, cos * y - sin * x  # turned back
    scale = PERSON[0] / height
    source_x, source_y = (-x if placement.mirrored else x) * scale + PERSON[1] / 2, y * scale + PERSON[0] / 2
    layer = np.dstack([person / np.float32(255) * alpha[..., None], alpha])
    at = (source_x - 0.5).astype(np.float32), (source_y - 0.5).astype(np.float32)
    seen = cv2.remap(layer, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    seen = cv2.resize(seen, BACKGROUND[1::-1], interpolation=cv2.INTER_AREA)
    return seen[..., :3] * 255 + background * (1 - seen[..., 3:]), seen[..., 3]


@pytest.mark.parametrize("height", [0.8, 1.6, 4.0], ids=["smaller", "its size", "larger"])
@pytest.mark.parametrize(("angle", "mirrored"), [(30.0, False), (-75.5, True), (180.0, False), (90.0, True)])
def test_turned_as_a_finer_sampling_has_it(pictures, height, angle, mirrored):
    placement = Placement(0.55, 0.5, height, mirrored, angle)
    composite, mask = compose(*pictures, placement)
    expected, cover = finely(*pictures, placement)
    assert np.abs(mask - cover).max() < 0.06 and np.abs(composite - expected).max() < 6
    assert np.abs(mask - cover).mean() < 0.004


@pytest.mark.parametrize("height", [0.8, 4.0])
def test_a_window_of_it_is_a_window_of_the_whole(pictures, height):
    background, person, alpha = pictures
    placement = Placement(0.5, 0.45, height, True, 20.0)
    composite, mask = compose(background, person, alpha, placement)
    for x, y, width, height in ((11, 7, 60, 50), (50, 33, 70, 57)):
        part = np.ascontiguousarray(background[y : y + height, x : x + width])
        seen, cover = compose_part(part, (x, y), BACKGROUND, person, alpha, placement)
        assert np.abs(seen.astype(int) - composite[y : y + height, x : x + width]).max() <= 1
        np.testing.assert_allclose(cover, mask[y : y + height, x : x + width], atol=1e-4)


def test_almost_not_turned_is_not_turned(pictures):
    still, little = (compose(*pictures, Placement(0.5, 0.5, 0.9, angle=angle)) for angle in (0.0, 1e-7))
    assert np.abs(still[0].astype(int) - little[0]).max() <= 1 and np.abs(still[1] - little[1]).max() < 0.01


def test_where_places_of_the_picture_come_to_lie():
    placement = Placement(0.5, 0.5, 1.0, True, 90.0)
    corners = np.array([(0, 0), (120, 0), (60, 80)], float)
    placed = placement.points(BACKGROUND, PERSON, corners)
    # 90 high and 68 wide, mirrored: the upper left corner is the upper right one, and a quarter turn brings it below
    np.testing.assert_allclose(placed, [(105, 79), (105, 11), (60, 45)], atol=1)
    assert placement.bounds(BACKGROUND, PERSON) == pytest.approx((14, 10, 106, 80), abs=2)


def test_what_is_seen_of_somebody_who_is_turned():
    tall = np.zeros((100, 100), np.float32)
    tall[:, 45:55] = 1
    assert Placement(0.9, 0.5, 1.5).shows(BACKGROUND, tall)
    assert Placement(0.95, 0.5, 1.2, angle=90).shows(BACKGROUND, tall)  # a little more than half
    assert not Placement(1.02, 0.5, 1.2, angle=90).shows(BACKGROUND, tall)


@pytest.mark.parametrize("angle", [181, float("nan"), "up", True, None])
def test_what_is_no_angle_gets_a_sentence(angle):
    with pytest.raises(InputError, match="expected an angle of -180 to 180 degrees"):
        Placement(angle=angle)
