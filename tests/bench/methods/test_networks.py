"""The rebuilt networks against the originals: same keys and shapes, and the same numbers under the same weights."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from deterministic_weights import fill_state, probe_inputs

from bench.complexity import parameters
from bench.networks import BargainNet, DoveNet, RainNet
from bench.networks.loading import load_strict
from iph.errors import InputError

DATA = Path(__file__).parents[1] / "data"
EQUAL = 1e-4  # the originals ran in float32, which alone makes 6e-5; ours run in float64, alike on every processor
PUBLISHED = json.loads((DATA / "published_state_dicts.json").read_text())


@pytest.fixture(scope="module")
def golden():
    return np.load(DATA / "golden_networks.npz")


@pytest.fixture(scope="module")
def probe():
    return tuple(part.double() for part in probe_inputs(1))


def _filled(network):
    fill_state(network)
    return network.double().eval()


def _difference(output, stored):
    return float(np.abs(output[..., ::4, ::4].numpy() - stored).max())


@torch.inference_mode()
def test_dovenet_equals_the_original(golden, probe):
    image, foreground, _ = probe
    output = _filled(DoveNet())(torch.cat([image, foreground], dim=1))
    assert _difference(output, golden["dovenet_out_1"]) < EQUAL


@torch.inference_mode()
def test_bargainnet_equals_the_original(golden, probe):
    image, foreground, reference = probe
    network = BargainNet()
    _filled(network.style_encoder), _filled(network.generator)
    for name, guide in (("background", 1 - foreground), ("reference", reference)):
        code = network.style_encoder(image, guide)
        assert np.abs(code[..., 0, 0].numpy() - golden[f"bargainnet_code_{name}_1"]).max() < EQUAL
        assert _difference(network(image, foreground, guide), golden[f"bargainnet_out_{name}_1"]) < EQUAL


@torch.inference_mode()
def test_rainnet_equals_the_original(golden, probe):
    image, foreground, _ = probe
    raw = _filled(RainNet())(image, foreground)
    assert _difference(raw, golden["rainnet_raw_1"]) < EQUAL
    assert _difference(raw * foreground + image * (1 - foreground), golden["rainnet_out_1"]) < EQUAL


@pytest.mark.parametrize(
    ("published", "make", "count"),
    [
        ("DoveNet", DoveNet, 54_759_939),
        ("BargainNet.netG", lambda: BargainNet().generator, 54_776_324),
        ("BargainNet.netE", lambda: BargainNet().style_encoder, 3_919_376),
        ("RainNet", RainNet, 54_759_043),
    ],
)
def test_keys_shapes_and_size_are_the_published_ones(published, make, count):
    with torch.device("meta"):
        network = make()
    assert {key: list(value.shape) for key, value in network.state_dict().items()} == PUBLISHED[published]
    assert parameters(network) == count


def test_an_empty_region_has_the_code_of_the_bias_alone(probe):
    encoder = _filled(BargainNet().style_encoder)
    # no valid pixel anywhere: the map after the norms is not zero, so the last partial convolution must blank it
    code = encoder(probe[0], torch.zeros(1, 1, 256, 256))
    assert torch.allclose(code[0, :, 0, 0], encoder.convs.bias)


def _small():
    return torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))


def test_strict_loading_copies_every_tensor():
    source, target = _small(), _small()
    state = {key: value for key, value in source.state_dict().items() if not key.endswith("num_batches_tracked")}
    load_strict(target, state, "a file")
    assert all(torch.equal(value, target.state_dict()[key]) for key, value in state.items())


def test_strict_loading_names_the_first_differences():
    network, state = _small(), _small().state_dict()
    state["0.weight"] = torch.zeros(2, 1, 5, 5)
    state["head.weight"] = state.pop("1.weight")
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(InputError) as caught:
        load_strict(network, state, "x.pth")
    sentence = str(caught.value)
    assert "in x.pth" in sentence
    assert "absent: 1.weight" in sentence
    assert "unknown: head.weight" in sentence
    assert "of another shape: 0.weight (2, 1, 5, 5) instead of (2, 1, 3, 3)" in sentence
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
