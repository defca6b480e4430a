"""The public interface: what comes back, every form of reference, and every input that cannot be used.

The network is untrained but not idle, so nothing here depends on the weights that ship.
"""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import lively

import iph
from iph.checkpoint import save_network
from iph.harmonizer import Harmonizer, Session
from iph.network import StyleEncoder, build
from iph.style_look import network_view

SCALE = {np.uint8: 255, np.uint16: 65535, np.float32: 1}
SHAPE = (90, 130)


def picture(dtype: type = np.uint8, shape: tuple[int, int] = SHAPE, seed: int = 0) -> np.ndarray:
    colors = np.random.default_rng(seed).random((*shape, 3))
    return (colors * SCALE[dtype]).astype(dtype)


def region(y0: int, y1: int, x0: int, x1: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[y0:y1, x0:x1] = True
    return mask


FOREGROUND = region(20, 70, 15, 60)
REFERENCE = region(10, 80, 75, 120)
OTHER = region(0, 15, 0, 130)


@pytest.fixture(scope="module")
def harmonizer() -> Harmonizer:
    return Harmonizer(lively(change=0.1), StyleEncoder(build("small").config).eval())


@pytest.fixture
def session(harmonizer) -> Session:
    return harmonizer.open(picture(), FOREGROUND)


def same(one: iph.Result, other: iph.Result) -> bool:
    return np.allclose(one.mapping.change, other.mapping.change, atol=1e-6)


def test_a_mirrored_photo_gets_the_same_look(harmonizer):
    """The network alone answers a mirrored photo otherwise; the session asks it both ways."""
    straight = harmonizer.open(picture(), FOREGROUND).fit_mapping(REFERENCE)
    mirrored = harmonizer.open(picture()[:, ::-1], FOREGROUND[:, ::-1]).fit_mapping(REFERENCE[:, ::-1])
    np.testing.assert_allclose(straight.change, mirrored.change, atol=1e-3)
    patch, inside = network_view(picture(), FOREGROUND.astype(np.float32), 128)
    with torch.no_grad():
        code = torch.zeros(1, 128)
        one_way = harmonizer.network.harmonize(patch, inside, code)
        other_way = harmonizer.network.harmonize(patch.flip(-1), inside.flip(-1), code).flip(-1)
    assert (one_way - other_way).abs().max() > 1e-3


@pytest.mark.parametrize("dtype", SCALE)
def test_the_result_has_the_inputs_shape_and_dtype_and_its_pixels_outside(harmonizer, dtype):
    image = picture(dtype)
    before = image.copy()
    result = harmonizer.open(image, FOREGROUND).harmonize(REFERENCE)
    assert result.image.dtype == image.dtype and result.image.shape == image.shape
    assert result.image[~FOREGROUND].tobytes() == image[~FOREGROUND].tobytes()
    assert (result.image[FOREGROUND] != image[FOREGROUND]).mean() > 0.5
    assert (image == before).all()


@given(
    st.integers(3, 60),
    st.integers(3, 60),
    st.sampled_from([np.uint8, np.uint16, np.float32]),
    st.integers(0, 1000),
    st.booleans(),
)
@settings(max_examples=12)
def test_any_shape_any_depth_any_mask(harmonizer, height, width, dtype, seed, soft):
    rng = np.random.default_rng(seed)
    image = picture(dtype, (height, width), seed)
    foreground = np.where(rng.random((height, width)) < 0.5, 0, rng.random((height, width)) if soft else 1)
    foreground[0, 0], foreground[-1, -1] = 1, 0
    result = harmonizer.open(image, foreground).harmonize((foreground == 0).astype(float))
    outside = foreground == 0
    assert result.image.dtype == dtype and result.image.shape == image.shape
    assert result.image[outside].tobytes() == image[outside].tobytes()


def test_soft_edges_take_their_share_of_the_change(harmonizer):
    image = np.full((*SHAPE, 3), 100, np.uint8)
    image[FOREGROUND] = picture()[FOREGROUND]
    soft = FOREGROUND.astype(np.float32)
    soft[20:70, 58:60] = 0.5
    image[20:70, 50:60] = [90, 120, 150]
    change = harmonizer.open(image, soft).harmonize(REFERENCE).image.astype(int) - image
    assert np.abs(change[45, 55]).max() > 3
    assert np.abs(change[45, 59] - change[45, 55] / 2).max() <= 1


def test_masks_of_every_form_mean_the_same(harmonizer):
    expected = harmonizer.open(picture(), FOREGROUND).harmonize(REFERENCE)
    for form in (lambda m: m.astype(np.uint8) * 255, lambda m: m.astype(np.uint8), lambda m: m.astype(np.float64)):
        assert same(expected, harmonizer.open(picture(), form(FOREGROUND)).harmonize(form(REFERENCE)))


def test_every_form_of_one_reference_means_the_same(session):
    expected = session.harmonize(REFERENCE)
    image = picture()
    assert same(expected, session.harmonize(iph.Reference(REFERENCE)))
    assert same(expected, session.harmonize([iph.Reference(REFERENCE, weight=7)]))
    assert same(expected, session.harmonize(REFERENCE, reference_image=image))
    assert same(expected, session.harmonize(iph.Reference(REFERENCE, image)))
    assert not same(expected, session.harmonize(OTHER))


def test_a_whole_other_picture_is_a_reference(session):
    other = picture(seed=9, shape=(40, 200))
    whole = np.ones(other.shape[:2], bool)
    assert same(session.harmonize(reference_image=other), session.harmonize(whole, reference_image=other))


def test_a_reference_picture_may_have_another_depth(session):
    other = picture(seed=9)
    deep = other.astype(np.uint16) * 257
    results = [session.harmonize(reference_image=one).image.astype(int) for one in (other, deep)]
    assert np.abs(results[0] - results[1]).max() <= 2  # the small copy of 8 bits is rounded to 8 bits


def test_weights_choose_between_references(session):
    one, other = session.harmonize(REFERENCE), session.harmonize(OTHER)
    only = session.harmonize([iph.Reference(REFERENCE, weight=1), iph.Reference(OTHER, weight=0)])
    assert same(one, only)
    halves = [iph.Reference(REFERENCE, weight=2), iph.Reference(OTHER, weight=2)]
    between = session.harmonize(halves)
    assert same(between, session.harmonize(halves[::-1]))
    assert not same(between, one) and not same(between, other)


def test_strength_luminance_and_chroma(session):
    full = session.harmonize(REFERENCE)
    assert (session.harmonize(REFERENCE, strength=0).image == session.image).all()
    assert (session.harmonize(REFERENCE, luminance=0, chroma=0).image == session.image).all()
    half = session.harmonize(REFERENCE, strength=0.5)
    assert np.allclose(half.mapping.change, 0.5 * full.mapping.change)
    mapping = session.fit_mapping(REFERENCE)
    assert (session.render(mapping, strength=0.5).image == half.image).all()


def test_the_result_is_its_mapping_applied(session):
    result = session.harmonize(REFERENCE)
    assert (result.mapping.apply(session.image)[FOREGROUND] == result.image[FOREGROUND]).all()


def test_eq_7_mixes_the_two_encoders_as_written(session):
    """γ = r1 · φ + (1 − r2) · ψ: r1 = r2 = 1 is plain, and the harmonizer is asked with exactly that code."""
    plain = session.harmonize(REFERENCE)
    assert same(plain, session.harmonize(REFERENCE, r1=1, r2=1))
    asked = []
    network, harmonize = session.harmonizer.network, session.harmonizer.network.harmonize
    network.harmonize = lambda image, mask, code: asked.append(code) or harmonize(image, mask, code)
    mixed = session.harmonize(REFERENCE, r1=0.7, r2=0.4)
    network.harmonize = harmonize
    assert not same(plain, mixed)
    patch, inside = network_view(session.small_image, REFERENCE.astype(np.float32), 128)
    with torch.no_grad():
        gamma = 0.7 * network.style(patch, inside) + (1 - 0.4) * session.harmonizer.psi(patch, inside)
    torch.testing.assert_close(asked[0][:1, : gamma.shape[1]], gamma, atol=1e-4, rtol=1e-4)
    psi_only = session.harmonize(REFERENCE, r1=0, r2=0)
    alike = Harmonizer(network, network.style_encoder).open(picture(), FOREGROUND)  # ψ equal to φ
    assert same(plain, alike.harmonize(REFERENCE, r1=0, r2=0))
    assert not same(plain, psi_only)


def test_colour_transfer_without_its_encoder_is_an_error():
    session = Harmonizer(lively()).open(picture(), FOREGROUND)
    with pytest.raises(
        iph.InputError, match=r"r2 to be 1 for weights without a colour-transfer encoder \(ψ\), got 0.5"
    ):
        session.harmonize(REFERENCE, r2=0.5)


def test_pixels_of_the_reference_region_decide_and_no_others(harmonizer):
    changed = picture()
    margin = 4  # pixels beside a region are averaged into its border when the picture is made small
    near = cv2.dilate((FOREGROUND | REFERENCE).astype(np.uint8), np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
    changed[near == 0] = 0
    expected = harmonizer.open(picture(), FOREGROUND).harmonize(REFERENCE)
    assert same(expected, harmonizer.open(changed, FOREGROUND).harmonize(REFERENCE))
    changed[REFERENCE] //= 2
    assert not same(expected, harmonizer.open(changed, FOREGROUND).harmonize(REFERENCE))


def test_h_net_needs_a_reference_and_does_not_read_it():
    session = Harmonizer(lively("h-net")).open(picture(), FOREGROUND)
    assert same(session.harmonize(REFERENCE), session.harmonize(OTHER))


def test_load_takes_a_path_and_keeps_what_it_loaded(tmp_path):
    path = tmp_path / "mine.safetensors"
    save_network(path, lively(change=0.1))
    assert iph.load(path) is iph.load(path) and iph.load(path).psi is None
    result = iph.harmonize(picture(), FOREGROUND, REFERENCE, model=path)
    assert same(result, Harmonizer(lively(change=0.1)).open(picture(), FOREGROUND).harmonize(REFERENCE))
    save_network(tmp_path / "psi.safetensors", StyleEncoder(build("small").config))
    with pytest.raises(iph.InputError, match="holds a StyleEncoder"):
        iph.load(tmp_path / "psi.safetensors")


def test_the_shipped_models_keep_every_promise():
    for model in ("portrait", "general"):
        result = iph.harmonize(picture(), FOREGROUND, REFERENCE, model=model)
        assert (result.image[~FOREGROUND] == picture()[~FOREGROUND]).all()
    with pytest.raises(iph.InputError, match="did you mean 'portrait'"):
        iph.harmonize(picture(), FOREGROUND, REFERENCE, model="portait")


@pytest.mark.parametrize("point", [(85, 125), (0, 129), (15, 100)])
def test_a_reference_of_one_pixel_is_used(session, point):
    mask = np.zeros(SHAPE, bool)
    mask[point] = True
    assert np.isfinite(session.harmonize(mask).mapping.change).all()


def test_a_foreground_of_one_pixel_is_shifted(harmonizer):
    mask = np.zeros(SHAPE, bool)
    mask[40, 40] = True
    result = harmonizer.open(picture(), mask).harmonize(REFERENCE)
    assert (result.image[~mask] == picture()[~mask]).all()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_uniform_regions_give_finite_results(harmonizer, value):
    image = picture()
    image[REFERENCE] = value
    for foreground in (FOREGROUND, REFERENCE):
        reference = REFERENCE if foreground is FOREGROUND else FOREGROUND
        result = harmonizer.open(image, foreground).harmonize(reference)
        assert np.isfinite(result.mapping.change).all()


def test_where_a_reference_overlaps_the_foreground_it_gives_way(harmonizer):
    session = harmonizer.open(picture(), FOREGROUND)
    assert same(session.harmonize(REFERENCE | FOREGROUND), session.harmonize(REFERENCE))


def nan_picture() -> np.ndarray:
    image = picture(np.float32)
    image[3, 4, 1] = np.nan
    return image


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (picture()[..., 0], r"\(H, W, 3\)"),
        (np.dstack([picture(), picture()[..., :1]]), r"\(H, W, 3\)"),
        (picture()[:0], r"\(H, W, 3\)"),
        (picture().astype(np.int32), "uint8, uint16 or float32, got int32"),
        (picture().astype(np.float32), "float values of the image from 0 to 1"),
        (nan_picture(), "float values of the image from 0 to 1"),
        ("photo.jpg", "expected the image as an array"),
        (None, "expected the image as an array"),
    ],
)
def test_images_that_cannot_be_used(harmonizer, image, sentence):
    with pytest.raises(iph.InputError, match=sentence):
        harmonizer.open(image, FOREGROUND)


def nan_mask() -> np.ndarray:
    mask = FOREGROUND.astype(np.float32)
    mask[0, 0] = np.nan
    return mask


BAD_MASKS = [
    (np.zeros(SHAPE, bool), "is empty"),
    (nan_mask(), "from 0 to 1|between 0 and 1|not finite|NaN"),
    (FOREGROUND[:, :60], "another aspect"),
    (FOREGROUND.astype(np.float32) * 3, "between 0 and 1|from 0 to 1"),
    (np.zeros((0, 0), bool), "expected"),
    (FOREGROUND.astype(str), "numbers"),
]


@pytest.mark.parametrize(("mask", "sentence"), [*BAD_MASKS, (np.ones(SHAPE, bool), "covers the whole picture")])
def test_foregrounds_that_cannot_be_used(harmonizer, mask, sentence):
    with pytest.raises(iph.InputError, match=sentence):
        harmonizer.open(picture(), mask)


@pytest.mark.parametrize(("mask", "sentence"), [*BAD_MASKS, (region(30, 40, 20, 30), "reference lies on the person")])
def test_references_that_cannot_be_used(session, mask, sentence):
    with pytest.raises(iph.InputError, match=sentence):
        session.harmonize(mask)


@pytest.mark.parametrize(
    ("reference", "options", "sentence"),
    [
        (None, {}, "got neither"),
        ([], {}, "an empty list"),
        ([iph.Reference(REFERENCE, weight=-1)], {}, "weights of at least 0"),
        ([iph.Reference(REFERENCE, weight=float("nan"))], {}, "weights of at least 0"),
        ([iph.Reference(REFERENCE, weight=0)], {}, "not all of them 0"),
        (iph.Reference(), {}, "expected a reference region"),
        (iph.Reference(REFERENCE), {"reference_image": picture()}, "inside the Reference"),
        (None, {"reference_image": picture()[..., 0]}, "reference picture"),
        (REFERENCE, {"strength": -0.1}, "strength from 0 to 2"),
        (REFERENCE, {"luminance": 2.5}, "luminance from 0 to 2"),
        (REFERENCE, {"chroma": float("nan")}, "chroma from 0 to 2"),
    ],
)
def test_what_else_cannot_be_used(session, reference, options, sentence):
    with pytest.raises(iph.InputError, match=sentence):
        session.harmonize(reference, **options)


def test_a_blurred_mask_may_overshoot_by_a_hair():
    """OpenCV's blur of a float mask does: 1.0000001."""
    rng = np.random.default_rng(5)
    image = rng.integers(0, 256, (60, 80, 3), np.uint8)
    hard, reference = np.zeros((60, 80), np.float32), np.zeros((60, 80), bool)
    hard[20:50, 10:40], reference[10:50, 50:75] = 1, True
    soft = cv2.GaussianBlur(hard, (11, 11), 0)
    soft[30, 20] = np.nextafter(np.float32(1), np.float32(2))
    expected = iph.harmonize(image, np.clip(soft, 0, 1), reference).image
    assert (iph.harmonize(image, soft, reference).image == expected).all()
    with pytest.raises(iph.InputError):
        iph.harmonize(image, soft * 1.5, reference)
