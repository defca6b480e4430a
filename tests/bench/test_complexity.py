"""Parameters and multiply-accumulates, against counts by hand."""

import torch

from bench.complexity import macs, method_macs, parameters
from bench.methods import METHODS, resolve


def test_a_convolution_counted_by_hand():
    convolution = torch.nn.Conv2d(3, 8, 3, padding=1)
    assert parameters(convolution) == 8 * 3 * 9 + 8
    assert macs(convolution, torch.zeros(1, 3, 10, 12)) == 10 * 12 * 8 * 3 * 9
    assert convolution.training


def test_dovenet_counted_by_hand():
    """Every strided convolution reads 4x4 windows; a transposed one is counted by its input places."""
    widths = (4, 64, 128, 256, 512, 512, 512, 512, 512)
    side = [256 >> level for level in range(9)]
    downs = sum(side[i + 1] ** 2 * widths[i] * widths[i + 1] * 16 for i in range(8))
    joined = (3, 128, 256, 512, 1024, 1024, 1024, 1024, 512)  # channels that each transposed convolution reads
    outputs = (3, 64, 128, 256, 512, 512, 512, 512)
    ups = sum(side[i + 1] ** 2 * joined[i + 1] * outputs[i] * 16 for i in range(8))
    gates = sum(side[i] ** 2 * (2 * outputs[i]) ** 2 for i in (1, 2, 3))
    assert method_macs([METHODS["dovenet"]]) == {"dovenet": downs + ups + gates}


def test_methods_without_a_network_or_without_weights_have_no_count(tmp_path, monkeypatch):
    monkeypatch.setenv("IPH_WEIGHTS", str(tmp_path))
    counts = method_macs(resolve(["classical", "generic", "h-net-se"]))
    assert {"dovenet", "dovenet-eval", "bargainnet", "rainnet"} <= set(counts)
    assert counts["bargainnet"] > counts["dovenet"] == counts["dovenet-eval"]
    assert not {"poisson", "composite", "h-net-se"} & set(counts)


def test_our_network_is_counted_from_its_file(tmp_path):
    from iph.checkpoint import save_network
    from iph.network import build

    counts = {}
    for name in ("small", "paper"):
        save_network(tmp_path / f"{name}.safetensors", build(name))
        (method,) = resolve([f"iph={tmp_path / name}.safetensors"])
        counts[name] = method_macs([method])[method.name]
    inputs = [torch.zeros(1, channels, 64, 64) for channels in (3, 1, 3, 1)]
    assert counts["small"] > macs(build("small"), *inputs)
    once = method_macs([METHODS["bargainnet"]])["bargainnet"]
    # Both look at the photo and at its mirror image; small at 128 x 128, paper at 256 x 256.
    assert 10 * counts["small"] < counts["paper"] and 2 * once < counts["paper"] < 10 * once


def test_the_match_counts_its_encoder_and_both_ways_of_looking():
    """Half a gigaflop for the style network, and more than that for the encoder's pass and the mirrored picture."""
    counts = method_macs(METHODS[name] for name in ("iph", "iph-match"))
    assert 1.2 * counts["iph"] < counts["iph-match"] < 3 * counts["iph"]
