"""A recipe survives JSON, does again what it says, and refuses what it is not; a person lands where it was placed."""

import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iph.errors import InputError
from iph.images.photo import Photo
from iph.mapping import ColorMapping
from iph.placement import Placement, compose
from iph.polynomial import TERMS
from iph.recipe import Recipe


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
        ({"version": 2}, "version 1, got 2"),
        ({"strength": "much"}, "expected strength from 0 to 2"),
        ({"chroma": 3}, "expected chroma from 0 to 2"),
        ({"foreground": "not base64!"}, "PNG in base64"),
        ({"foreground": "aGVsbG8="}, "expected a JPEG, PNG"),
        ({"placement": {"x": 1, "z": 2}}, "expected x, y, height"),
        ({"placement": {"x": 0.5, "y": float("nan"), "height": 1}}, "expected a place"),
        ({"placement": {"x": 0.5, "y": 0.5, "height": 900}}, "expected a height"),
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
