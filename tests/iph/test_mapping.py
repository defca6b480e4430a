"""The colour mapping against the formula written out in float64, and its promises as properties."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from iph.cube import apply_cube, read_cube
from iph.errors import InputError
from iph.mapping import REC709, ColorMapping

ONE_LEVEL = {np.uint8: 1, np.uint16: 2, np.float32: 2e-6}  # float32 arithmetic holds 24 bits; 16-bit images use 16
SCALE = {np.uint8: 255, np.uint16: 65535, np.float32: 1}

coefficients = arrays(np.float64, (11, 3), elements=st.floats(-0.4, 0.4))
shares = st.floats(0, 2)


def formula(mapping: ColorMapping, colors: np.ndarray) -> np.ndarray:
    """The definition, term by term, on (K, 3) float64 in [0, 1]."""
    r, g, b = np.clip(colors, mapping.low, mapping.high).T
    terms = [r, g, b, r * g, r * b, g * b, r * r, g * g, b * b, r * g * b, np.ones_like(r)]
    return np.clip(colors + np.stack(terms, axis=1) @ mapping.change, 0, 1)


def random_mapping(rng: np.random.Generator) -> ColorMapping:
    return ColorMapping(rng.normal(0, 0.15, (11, 3)), rng.uniform(0, 0.3, 3), rng.uniform(0.6, 1, 3))


def picture(rng: np.random.Generator, dtype: type, shape: tuple[int, int] = (70, 300)) -> np.ndarray:
    colors = rng.random((*shape, 3)) * SCALE[dtype]
    return np.rint(colors).astype(dtype) if dtype != np.float32 else colors.astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_apply_is_the_formula_rounded(dtype):
    rng = np.random.default_rng(1)
    mapping, image = random_mapping(rng), picture(rng, dtype)
    out = mapping.apply(image)
    assert out.dtype == image.dtype and out.shape == image.shape
    expected = formula(mapping, image.reshape(-1, 3) / SCALE[dtype]).reshape(image.shape) * SCALE[dtype]
    assert np.abs(out - expected).max() <= ONE_LEVEL[dtype] / (
        1 if dtype == np.float32 else 1.9
    )  # rounded: half a level


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("alpha_dtype", [bool, np.uint8, np.uint16, np.float32, np.float64])
def test_alpha_weighs_the_change_and_zero_keeps_every_bit(dtype, alpha_dtype):
    rng = np.random.default_rng(2)
    mapping, image = random_mapping(rng), picture(rng, dtype)
    if dtype == np.float32:
        image[0, :3] = [np.nan, -0.0, 7.5]  # outside the foreground nobody looks at the values
    weight = np.clip(rng.normal(0.5, 0.5, image.shape[:2]), 0, 1)
    weight[:10] = 0
    weight[-10:] = 1
    full = np.iinfo(alpha_dtype).max if np.dtype(alpha_dtype).kind == "u" else 1
    alpha = np.rint(weight * full).astype(alpha_dtype) if full > 1 else weight.astype(alpha_dtype)
    before = image.copy()
    out = mapping.apply(image, alpha)
    assert image.tobytes() == before.tobytes()
    assert out[alpha == 0].tobytes() == image[alpha == 0].tobytes()
    inside = alpha > 0
    colors = image[inside] / SCALE[dtype]
    share = (alpha[inside] / full)[:, None]
    expected = (colors + share * (formula(mapping, colors) - colors)) * SCALE[dtype]
    assert np.abs(out[inside] - expected).max() <= ONE_LEVEL[dtype]


def test_float64_is_kept_too():
    rng = np.random.default_rng(3)
    mapping, image = random_mapping(rng), rng.random((20, 30, 3))
    np.testing.assert_allclose(
        mapping.apply(image), formula(mapping, image.reshape(-1, 3)).reshape(image.shape), atol=1e-12
    )


def test_a_view_with_strides_gives_what_its_copy_gives():
    rng = np.random.default_rng(4)
    mapping, image = random_mapping(rng), picture(rng, np.uint8)
    alpha = (rng.random(image.shape[:2]) > 0.5).astype(np.uint8) * 255
    for view in (np.s_[::2, ::3], np.s_[::-1, :, ::-1]):
        expected = mapping.apply(image[view].copy(), alpha[view[:2]].copy())
        np.testing.assert_array_equal(mapping.apply(image[view], alpha[view[:2]]), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_identity_changes_nothing(dtype):
    image = picture(np.random.default_rng(5), dtype)
    assert ColorMapping.identity().apply(image).tobytes() == image.tobytes()


def test_fit_recovers_a_known_polynomial():
    rng = np.random.default_rng(6)
    source = rng.random((5000, 3))
    truth = rng.normal(0, 0.05, (11, 3))
    truth[-1] = 0.1
    r, g, b = source.T
    terms = np.stack([r, g, b, r * g, r * b, g * b, r * r, g * g, b * b, r * g * b, np.ones_like(r)], axis=1)
    fitted = ColorMapping.fit(source, source + terms @ truth, ridge=1e-12)
    np.testing.assert_allclose(fitted.change, truth, atol=1e-6)
    default = ColorMapping.fit(source, source + terms @ truth)
    assert np.abs(terms @ (default.change - truth)).max() < 0.5 / 255
    assert (default.low == source.min(axis=0)).all() and (default.high == source.max(axis=0)).all()


def test_fit_without_ridge_is_least_squares():
    rng = np.random.default_rng(7)
    source, target = rng.random((900, 3)), rng.random((900, 3))
    r, g, b = source.T
    terms = np.stack([r, g, b, r * g, r * b, g * b, r * r, g * g, b * b, r * g * b, np.ones_like(r)], axis=1)
    expected = np.linalg.lstsq(terms, target - source, rcond=None)[0]
    np.testing.assert_allclose(ColorMapping.fit(source, target, ridge=0).change, expected, atol=1e-9)


def test_ridge_pulls_towards_identity_and_keeps_the_mean():
    rng = np.random.default_rng(8)
    source = rng.random((2000, 3))
    target = np.clip(source**2 + 0.05, 0, 1)
    sizes = [np.abs(ColorMapping.fit(source, target, ridge=r).change[:10]).sum() for r in (1e-6, 1e-2, 1, 1e6)]
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] < 1e-4
    stiff = ColorMapping.fit(source, target, ridge=1e6)
    np.testing.assert_allclose(stiff.change[10], (target - source).mean(axis=0), atol=1e-5)


@pytest.mark.parametrize("count, used", [(300, 11), (199, 4), (12, 4), (11, 1), (1, 1)])
def test_small_regions_use_fewer_terms(count, used):
    rng = np.random.default_rng(9)
    source = rng.random((count, 3))
    change = ColorMapping.fit(source, np.clip(1.2 * source - 0.1, 0, 1)).change
    assert np.count_nonzero(np.any(change != 0, axis=1)) == used


def test_a_uniform_region_is_shifted():
    rng = np.random.default_rng(10)
    grey = np.full((40, 40, 3), 100, np.uint8)
    mapping = ColorMapping.fit(grey, grey + np.uint8(30))
    np.testing.assert_array_equal(mapping.apply(grey), grey + 30)
    assert (
        np.abs(mapping.apply(picture(rng, np.uint8)).astype(int) - picture(np.random.default_rng(10), np.uint8)).max()
        <= 30
    )
    # Camera noise must not be taken for a slope.
    noisy = np.clip(grey + rng.normal(0, 1, grey.shape), 0, 255).astype(np.uint8)
    assert not ColorMapping.fit(noisy, noisy[::-1] // 2).change[:10].any()


def test_a_mask_is_eroded_where_enough_remains():
    rng = np.random.default_rng(11)
    source = rng.random((60, 60, 3)).astype(np.float32)
    target = np.clip(source * 0.9 + 0.02, 0, 1)
    mask = np.zeros((60, 60), np.uint8)
    mask[10:50, 10:50] = 255
    target[10:12, 10:50] = 0  # an edge of mixed colours
    target[:10] = 1
    clean = ColorMapping.fit(source[12:48, 12:48], target[12:48, 12:48])
    for form in (mask, mask > 0, (mask / 255).astype(np.float32)):
        np.testing.assert_array_equal(ColorMapping.fit(source, target, form).change, clean.change)
    thin = np.zeros((60, 60), bool)
    thin[30, 5:55] = True
    line = ColorMapping.fit(source[30, 5:55], target[30, 5:55])
    np.testing.assert_array_equal(ColorMapping.fit(source, target, thin).change, line.change)


def test_a_large_region_is_sampled_evenly_and_the_same_each_time():
    rng = np.random.default_rng(12)
    source = rng.random((400, 400, 3))
    target = np.clip(source**1.3, 0, 1)
    once, again = ColorMapping.fit(source, target), ColorMapping.fit(source, target)
    assert (once.change == again.change).all()
    assert np.abs(once.apply(source) - target).max() < 0.03


@given(coefficients, arrays(np.float64, (3,), elements=st.floats(-0.5, 1.5)))
@settings(max_examples=60)
def test_outside_the_fitted_range_the_change_is_held(change, color):
    mapping = ColorMapping(change, [0.2, 0.3, 0.4], [0.6, 0.7, 0.8])
    edge = np.clip(color, mapping.low, mapping.high)
    at_edge = formula(mapping, edge[None])[0]
    out = mapping.apply(color.reshape(1, 1, 3))[0, 0]
    assert (out >= 0).all() and (out <= 1).all()
    unclipped = (at_edge > 1e-9) & (at_edge < 1 - 1e-9)
    np.testing.assert_allclose(out[unclipped], np.clip(color + at_edge - edge, 0, 1)[unclipped], atol=1e-9)


@given(coefficients, shares, shares, shares)
@settings(max_examples=60)
def test_blending_scales_luma_and_chroma_apart(change, strength, luminance, chroma):
    mapping = ColorMapping(change, np.zeros(3), np.ones(3))
    blended = mapping.blended(strength, luminance, chroma).change
    luma, full = change @ REC709, blended @ REC709
    np.testing.assert_allclose(full, strength * luminance * luma, atol=1e-12)
    np.testing.assert_allclose(blended - full[:, None], strength * chroma * (change - luma[:, None]), atol=1e-12)


def test_blending_by_one_and_zero_is_all_and_nothing():
    mapping = random_mapping(np.random.default_rng(13))
    np.testing.assert_allclose(mapping.blended().change, mapping.change, atol=1e-15)
    assert not mapping.blended(strength=0).change.any()
    np.testing.assert_allclose(mapping.blended(chroma=0).change.std(axis=1), 0, atol=1e-15)


def test_a_mapping_survives_json_exactly():
    mapping = random_mapping(np.random.default_rng(14))
    again = ColorMapping.from_dict(json.loads(json.dumps(mapping.to_dict())))
    for name in ("change", "low", "high"):
        np.testing.assert_array_equal(getattr(again, name), getattr(mapping, name))


@pytest.mark.parametrize("size", [17, 33, 65])
def test_the_saved_cube_is_the_mapping(tmp_path, size):
    rng = np.random.default_rng(15)
    mapping = ColorMapping(rng.normal(0, 0.08, (11, 3)), np.full(3, 0.05), np.full(3, 0.9))
    mapping.save_cube(tmp_path / "look.cube", size)
    colors = rng.random((64, 64, 3)).astype(np.float32)
    error = np.abs(apply_cube(colors, read_cube(tmp_path / "look.cube")) - mapping.apply(colors))
    assert error.mean() < 0.5 / 255 * 17 / size and error.max() < 8 / 255 * 17 / size


BAD = np.full((30, 30, 3), 0.5)
BAD[3, 4, 1] = np.nan


@pytest.mark.parametrize(
    "wrong, part",
    [
        (lambda: ColorMapping.fit(BAD, np.zeros_like(BAD)), "finite"),
        (lambda: ColorMapping.fit(np.zeros_like(BAD), BAD), "finite"),
        (lambda: ColorMapping.fit(np.zeros((4, 4, 3)), np.zeros((4, 5, 3))), "one shape"),
        (lambda: ColorMapping.fit(np.zeros((4, 4, 3)), np.zeros((4, 4, 3)), np.zeros((4, 4), bool)), "at least one"),
        (lambda: ColorMapping.fit(np.zeros((4, 4, 3)), np.zeros((4, 4, 3)), np.zeros((4, 5), bool)), "mask of shape"),
        (lambda: ColorMapping.fit(np.zeros((4, 4, 3), np.int32), np.zeros((4, 4, 3), np.int32)), "int32"),
        (lambda: ColorMapping.identity().apply(BAD), "finite"),
        (lambda: ColorMapping.identity().apply(np.zeros((4, 4), np.uint8)), "(H, W, 3)"),
        (lambda: ColorMapping.identity().apply(np.zeros((4, 4, 3), np.uint8), np.ones((5, 4))), "alpha of shape"),
        (lambda: ColorMapping.identity().apply(np.zeros((4, 4, 3), np.uint8), np.full((4, 4), 2.0)), "from 0 to 1"),
        (lambda: ColorMapping.identity().apply(np.zeros((4, 4, 3), np.uint8), np.full((4, 4), np.nan)), "from 0 to 1"),
        (lambda: ColorMapping.identity().blended(strength=-0.1), "strength from 0 to 2"),
        (lambda: ColorMapping.identity().blended(chroma=float("nan")), "chroma from 0 to 2"),
        (lambda: ColorMapping.identity().save_cube("look.cube", 20), "17, 33 or 65"),
        (lambda: ColorMapping(np.zeros((10, 3)), np.zeros(3), np.ones(3)), "change"),
        (lambda: ColorMapping(np.zeros((11, 3)), np.ones(3), np.zeros(3)), "low <= high"),
        (lambda: ColorMapping.from_dict([1]), "kind"),
        (lambda: ColorMapping.from_dict({**ColorMapping.identity().to_dict(), "change": "no"}), "change"),
        (lambda: ColorMapping.from_dict({**ColorMapping.identity().to_dict(), "low": [0, 0, None]}), "low"),
        (
            lambda: ColorMapping.from_dict({k: v for k, v in ColorMapping.identity().to_dict().items() if k != "high"}),
            "high",
        ),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(wrong, part):
    with pytest.raises(InputError) as error:
        wrong()
    assert part in str(error.value)
