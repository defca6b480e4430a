"""The selfie segmenter equals its oracle: golden outputs of an independent module, itself equal to the tflite file.

``golden/selfie.npz``: a portrait (CC0, pexels.com/photo/27411) and coloured noise, uint8 (H, W, 3), and every second
pixel of the oracle's probability.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from iph.masks.people import people
from iph.masks.selfie import SIDE, network

GOLDEN = np.load(Path(__file__).parent / "golden" / "selfie.npz")
TOLERANCE = 5e-5


def probability(picture: np.ndarray) -> np.ndarray:
    seen = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        return network("selfie")(seen.contiguous(memory_format=torch.channels_last)).sigmoid()[0, 0].numpy()


@pytest.mark.parametrize("name", ["portrait", "noise"])
def test_the_network_equals_its_oracle(name: str) -> None:
    found = probability(GOLDEN[f"{name}_input"])
    np.testing.assert_allclose(found[::2, ::2], GOLDEN[f"{name}_output"], rtol=0, atol=TOLERANCE)


def test_it_has_the_originals_parameters_in_float32() -> None:
    parameters = list(network().parameters())
    assert sum(p.numel() for p in parameters) == 106_401
    assert all(p.dtype == torch.float32 for p in parameters)
    assert network().stem.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("shape", [(8, 8), (1, 40), (SIDE, SIDE), (300, 90)])
def test_any_size_gives_a_probability_of_that_size(shape: tuple[int, int]) -> None:
    found = people(np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8))
    assert found.shape == shape and found.dtype == np.float32
    assert found.min() >= 0 and found.max() <= 1


def test_a_portrait_is_found() -> None:
    found = people(GOLDEN["portrait_input"]) > 0.5
    assert 0.4 < found.mean() < 0.7 and found[-1, 80] and not found[0, 0]
