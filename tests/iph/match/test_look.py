"""A session's questions to the network that starts from the match."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from iph.checkpoint import load_network
from iph.mapping import ColorMapping
from iph.match.functions import functions
from iph.match.look import FAR, NEAR, MatchLook, Photo, fitted
from iph.match.network import start_network
from iph.reference import Reference
from iph.views import WHOLE, around


@pytest.fixture(scope="module")
def network():
    return functions(start_network("small").eval().requires_grad_(False), load_network("psi-small"))


def photo(seed: int = 0, shape: tuple[int, int] = (90, 120)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture with a dark box on the left and a bright one on the right, and their masks."""
    image = np.random.default_rng(seed).integers(90, 130, (*shape, 3)).astype(np.uint8)
    masks = np.zeros((2, *shape), np.float32)
    masks[0, 20:80, 10:50] = masks[1, 20:80, 70:110] = 1
    image[masks[0] > 0] //= 3
    image[masks[1] > 0] += 100
    return image, masks[0], masks[1]


def test_a_pasted_foreground_goes_further_towards_its_reference(network):
    image, foreground, reference = photo()
    for pasted, least in ((False, -5), (True, 5)):
        mapping = MatchLook(network, pasted, image, foreground).fit([Reference(reference)])
        assert isinstance(mapping, ColorMapping)
        after = mapping.apply(image, foreground)
        assert np.array_equal(after[foreground == 0], image[foreground == 0])
        assert after[foreground > 0].mean() - image[foreground > 0].mean() > least


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_any_dtype_other_photos_and_several_references(network, dtype):
    image, foreground, reference = photo()
    scale = {np.uint8: np.uint8(1), np.uint16: np.uint16(257), np.float32: np.float32(1 / 255)}[dtype]
    opened = MatchLook(network, True, image.astype(dtype) * scale, foreground)
    eight_bit = MatchLook(network, True, image, foreground)
    assert np.allclose(opened.foreground.seen.image, eight_bit.foreground.seen.image, atol=2 / 255)
    another, whole = photo(1, (64, 64))[0], np.ones((64, 64), np.float32)
    one, other, mean = (
        opened.fit(references).change
        for references in (
            [Reference(reference)],
            [Reference(whole, another)],
            [Reference(reference, weight=0.5), Reference(whole, another, 0.5)],
        )
    )
    assert np.abs(mean - (one + other) / 2).max() < 0.35 * np.abs(one - other).max() + 0.02


def test_a_tiny_reference_is_seen_with_all_around_it(network):
    image, foreground, _ = photo()
    tiny = np.zeros_like(foreground)
    tiny[5:9, 100:106] = 1
    opened = MatchLook(network, True, image, foreground)
    view = opened.photo.view(tiny)
    assert view.window == WHOLE and 0 < view.mask.mean() < 0.01
    assert np.array_equal(view.scene, 1 - opened.photo.view(foreground).mask)
    assert np.isfinite(opened.fit([Reference(tiny)]).change).all()
    everything = Photo(network.read, image, np.ones_like(foreground))
    assert everything.view(tiny).scene.any()


def test_a_foreground_is_seen_from_near_and_from_farther_off(network):
    image, foreground, _ = photo()
    small = np.zeros_like(foreground)
    small[60:70, 40:48] = 1
    view = Photo(network.read, image, small).foreground_view()
    near, far = around(small, NEAR), around(small, FAR)
    assert view.window == near
    assert view.mask[0].mean() == pytest.approx(1 / NEAR**2, rel=0.4)
    assert view.mask[1].mean() == pytest.approx(1 / FAR**2, rel=0.4)
    for part, window, seen in zip((near, far), (slice(None), slice(None, None, -1)), view.seen.image, strict=True):
        alone = Photo(network.read, image[part]).view(small[part])
        assert np.array_equal(alone.seen.image[0], seen[:, :, window])


def test_a_large_foreground_is_read_once(network):
    image, _, _ = photo()
    large = np.zeros(image.shape[:2], np.float32)
    large[10:80, 10:110] = 1
    read = []
    counting = replace(network, read=lambda **picture: read.append(1) or network.read(**picture))
    MatchLook(counting, True, image, large).fit([Reference(1 - large)])
    assert len(read) == 1


def test_the_mapping_is_the_mean_of_both_views(network):
    image, foreground, _ = photo()
    view = Photo(network.read, image, foreground).foreground_view()
    brighter, darker = (np.clip(view.seen.image + change, 0, 1) for change in (0.1, -0.1))
    both = fitted(view, np.stack([brighter[0], darker[1]]))
    one, other = fitted(view, brighter), fitted(view, darker)
    colours = image[foreground > 0][:50, None]
    changes = [mapping.apply(colours).astype(float) - colours for mapping in (both, one, other)]
    assert np.abs(changes[0]).mean() < 3 and changes[1].mean() > 15 and changes[2].mean() < -15


def test_a_second_region_of_the_photo_needs_no_second_reading(network):
    image, foreground, reference = photo()
    read = []
    counting = replace(network, read=lambda **picture: read.append(1) or network.read(**picture))
    opened = MatchLook(counting, True, image, foreground)
    opened.fit([Reference(reference)])
    first = len(read)
    opened.fit([Reference(1 - foreground)])
    assert len(read) == first <= 3
    opened.fit([Reference(reference, image.copy())])
    assert len(read) == first + 1


def test_colour_transfer_takes_more_of_the_references_colours(network):
    image, foreground, reference = photo()
    image[reference > 0] = (200, 60, 60)
    opened = MatchLook(network, True, image, foreground)
    plain, moved = (
        opened.fit([Reference(reference)], r2=r2).apply(image, foreground)[foreground > 0].mean(0) for r2 in (1.0, 0.0)
    )
    goal = image[reference > 0].mean(0)
    assert np.abs(moved - goal).mean() < np.abs(plain - goal).mean() - 5


def test_a_mirrored_picture_is_seen_as_its_mirror_image(network):
    noise = np.random.default_rng(4).integers(0, 256, (24, 24, 3)).astype(np.uint8)
    image = cv2.resize(noise, (192, 192), interpolation=cv2.INTER_CUBIC)
    whole = np.ones((192, 192), np.float32)
    straight, mirrored = (Photo(network.read, one).view(whole).seen for one in (image, image[:, ::-1].copy()))
    twice = straight.mirrored().mirrored()
    assert np.array_equal(twice.features, straight.features) and np.array_equal(twice.kinds, straight.kinds)
    np.testing.assert_allclose(straight.image[1], mirrored.image[0], atol=1e-6)
    one, other = straight.features[1], mirrored.features[0]  # what was seen, mirrored, and what is seen in the mirror
    alike = (one * other).sum(-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(other, axis=-1)
    assert np.median(alike) > 0.8
