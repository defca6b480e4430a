"""Adjustments by hand: neutral ones do nothing, every one is monotone and finite, and mappings carry them exactly."""

import json
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iph.adjustments import RANGES, REC709, Adjustments
from iph.cube import apply_cube, read_cube
from iph.errors import InputError
from iph.mapping import ColorMapping

any_adjustments = st.builds(
    Adjustments, **{name: st.floats(allowed.least, allowed.most) for name, allowed in RANGES.items()}
)


def mapping() -> ColorMapping:
    return ColorMapping(np.random.default_rng(3).normal(0, 0.05, (11, 3)), np.full(3, 0.05), np.full(3, 0.95))


def picture(dtype=np.uint8) -> np.ndarray:
    colors = np.random.default_rng(1).random((40, 60, 3))
    return colors.astype(dtype) if dtype == np.float32 else np.rint(colors * np.iinfo(dtype).max).astype(dtype)


def test_the_table_names_the_fields():
    assert list(RANGES) == [one.name for one in fields(Adjustments)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_neutral_is_the_identity_bit_for_bit(dtype):
    image = picture(dtype)
    np.testing.assert_array_equal(ColorMapping.identity().adjusted(Adjustments()).apply(image), image)
    once = mapping().apply(image)
    np.testing.assert_array_equal(mapping().adjusted(Adjustments()).apply(image), once)


@settings(max_examples=60)
@given(any_adjustments)
def test_greys_stay_in_order_and_everything_stays_in_range(adjustments):
    ramp = np.linspace(0, 1, 512)[:, None].repeat(3, axis=1)
    adjusted = adjustments.apply(ramp)
    assert np.isfinite(adjusted).all() and adjusted.min() >= 0 and adjusted.max() <= 1
    assert (np.diff(adjusted @ REC709) >= -1e-9).all()
    wide = adjustments.apply(np.random.default_rng(2).uniform(-0.2, 1.2, (200, 3)).astype(np.float32))
    assert wide.dtype == np.float32 and np.isfinite(wide).all()


@pytest.mark.parametrize("name", ["exposure", "highlights", "shadows", "blacks"])
def test_more_is_lighter_and_less_is_darker(name):
    grey = np.full((1, 3), {"highlights": 0.7, "shadows": 0.3}.get(name, 0.2))
    darker, lighter = (Adjustments(**{name: part * RANGES[name].most}).apply(grey).mean() for part in (-0.5, 0.5))
    assert darker < grey.mean() - 0.01 and lighter > grey.mean() + 0.01


def test_each_does_what_it_is_called():
    grey, skin = np.full((1, 3), 0.5), np.array([[0.8, 0.6, 0.5]])
    red, _, blue = Adjustments(temperature=50).apply(grey)[0]
    assert red > 0.5 > blue
    red, green, blue = Adjustments(tint=50).apply(grey)[0]
    assert green < 0.5 < min(red, blue)
    assert np.ptp(Adjustments(saturation=-100).apply(skin)) < 1e-9
    assert np.ptp(Adjustments(saturation=30).apply(skin)) == pytest.approx(1.3 * np.ptp(skin))
    assert Adjustments(contrast=60).apply(np.array([[0.3, 0.5, 0.7]]))[0] == pytest.approx(
        [0.2446, 0.5, 0.7554], abs=1e-4
    )
    stop = Adjustments(exposure=1).apply(np.full((1, 3), 0.5))[0, 0]  # 0.5 is 0.214 of the light
    assert stop == pytest.approx(1.055 * 0.42808 ** (1 / 2.4) - 0.055, abs=1e-4)


def test_a_refitted_polynomial_would_miss_them():
    steps = np.linspace(0.02, 0.98, 15)
    colors = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    for adjustments in (Adjustments(exposure=0.5), Adjustments(shadows=60), Adjustments(saturation=40)):
        wanted = adjustments.apply(mapping().apply(colors[None])[0])
        missed = np.abs(ColorMapping.fit(colors, wanted).apply(colors[None])[0] - wanted)
        assert missed.max() > 7 / 255


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_mapping_adjusts_after_its_change_inside_the_mask_only(dtype):
    image, by_hand = picture(dtype), Adjustments(exposure=0.4, shadows=30, temperature=-20, saturation=15)
    full = 1 if dtype == np.float32 else np.iinfo(dtype).max
    mask = np.zeros(image.shape[:2], np.float32)
    mask[10:30, 10:40] = 1
    adjusted = mapping().blended(0.7).adjusted(by_hand).apply(image, mask)
    expected = by_hand.apply(mapping().blended(0.7).apply(image.astype(np.float64) / full))
    inside = mask > 0
    assert np.abs(adjusted[inside] / full - expected[inside]).max() <= 0.51 / min(full, 65535) + 3e-6
    np.testing.assert_array_equal(adjusted[~inside], image[~inside])


def test_they_go_through_blending_json_and_cube(tmp_path):
    by_hand = Adjustments(exposure=0.5, contrast=20, tint=-10)
    made = mapping().adjusted(by_hand)
    assert made.blended(0.5, 1.2, 0.8).adjustments == by_hand
    again = ColorMapping.from_dict(json.loads(json.dumps(made.to_dict())))
    np.testing.assert_array_equal(again.apply(picture()), made.apply(picture()))
    made.save_cube(tmp_path / "look.cube", 65)
    image = picture(np.float32)
    assert np.abs(apply_cube(image, read_cube(tmp_path / "look.cube")) - made.apply(image)).max() < 0.01
    grey = picture().mean(2, keepdims=True).repeat(3, 2).astype(np.uint8)
    coloured = made.adjusted(Adjustments(temperature=50, saturation=40, exposure=0.3))
    assert np.ptp(coloured.in_grey().apply(grey), axis=2).max() == 0


def test_in_another_profile_the_colours_are_adjusted_alike():
    from rgb_profiles import PROFILES

    from iph.images.color_profile import convert

    icc = next(iter(PROFILES.values()))
    image, by_hand = picture(np.uint16) // 2 + 12000, Adjustments(exposure=-0.3, saturation=-20)
    there = convert(ColorMapping.identity().adjusted(by_hand).apply(convert(image, None, icc), icc=icc), icc, None)
    here = ColorMapping.identity().adjusted(by_hand).apply(image)
    assert np.abs(there.astype(int) - here).max() <= 300  # of 65535


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 101, -101, "1", True, None, 10**400])
def test_other_numbers_are_refused(value):
    with pytest.raises(InputError, match="expected contrast from -100 to 100, as a number, got"):
        Adjustments(contrast=value)
    with pytest.raises(InputError, match="as adjustments"):
        Adjustments.from_dict({"brightness": 1})
