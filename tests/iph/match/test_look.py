"""A session's questions to the network that starts from the match."""

import numpy as np
import pytest
import torch

from iph.mapping import ColorMapping
from iph.match.look import look, view
from iph.match.network import start_network


@pytest.fixture(scope="module")
def network():
    return start_network("general").eval().requires_grad_(False)


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
    own, other = view(image, foreground), view(image, reference, foreground)
    for pasted, least in ((False, -5), (True, 5)):
        mapping = look(network, own, [(other, 1.0)], pasted)
        assert isinstance(mapping, ColorMapping)
        after = mapping.apply(image, foreground)
        assert np.array_equal(after[foreground == 0], image[foreground == 0])
        assert after[foreground > 0].mean() - image[foreground > 0].mean() > least


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_any_dtype_other_photos_and_several_references(network, dtype):
    image, foreground, reference = photo()
    scale = {np.uint8: np.uint8(1), np.uint16: np.uint16(257), np.float32: np.float32(1 / 255)}[dtype]
    own = view(image.astype(dtype) * scale, foreground)
    assert torch.allclose(own.seen.image, view(image, foreground).seen.image, atol=2 / 255)
    another = view(photo(1, (64, 64))[0], np.ones((64, 64), np.float32))
    here = view(image, reference, foreground)
    one, other, mean = (
        look(network, own, references, True).change
        for references in ([(here, 1.0)], [(another, 1.0)], [(here, 0.5), (another, 0.5)])
    )
    assert np.abs(mean - (one + other) / 2).max() < 0.35 * np.abs(one - other).max() + 0.02


def test_a_tiny_reference_is_looked_at_from_nearer(network):
    image, foreground, _ = photo()
    tiny = np.zeros_like(foreground)
    tiny[5:9, 100:106] = 1
    seen = view(image, tiny, foreground)
    assert seen.mask.mean() > 0.1
    assert np.isfinite(look(network, view(image, foreground), [(seen, 1.0)], True).change).all()
    inside = np.zeros_like(foreground)
    inside[40:44, 28:33] = 1
    assert view(image, inside, foreground).scene.any()
