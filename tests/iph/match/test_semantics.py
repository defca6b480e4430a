"""The encoder: its features are the published network's, and only the published weights are read."""

import pytest
import torch
from torch.nn import functional as F

from iph import semantics
from iph.errors import InputError
from iph.semantics import CHANNELS, STAGES, STRIDES, encoder, grid, read_weights

TOLERANCE = 1e-3  # of features of about one; the fold of the normalisation is the only rounding between the two


def plain(photo: torch.Tensor, tensors: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    """The architecture, layer by layer and with its batch normalisations apart."""

    def convolved(x, name, norm, stride=1, groups=1):
        weight = tensors[f"{name}.weight"]
        kernel = weight.shape[-1]
        side = -(-x.shape[-1] // stride)
        missing = max((side - 1) * stride + kernel - x.shape[-1], 0)
        edge = (missing // 2, missing - missing // 2)
        x = F.conv2d(F.pad(x, edge + edge), weight, None, stride, groups=groups)
        statistics = (tensors[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, *statistics, eps=1e-3)

    x = (photo * 255 - 127) / 128
    x = F.relu6(convolved(x, "_conv_stem", "_bn0", 2))
    taps, number = [], 0
    for repeats, _, stride, expand in STAGES:
        for repeat in range(repeats):
            name, y = f"_blocks.{number}", x
            if expand > 1:
                y = F.relu6(convolved(y, f"{name}._expand_conv", f"{name}._bn0"))
            step = 1 if repeat else stride
            y = F.relu6(convolved(y, f"{name}._depthwise_conv", f"{name}._bn1", step, y.shape[1]))
            y = convolved(y, f"{name}._project_conv", f"{name}._bn2")
            x = x + y if repeat else y
            if number in (4, 10):
                taps.append(x)
            number += 1
    return taps


@pytest.fixture(scope="module")
def photo() -> torch.Tensor:
    coarse = torch.rand(2, 3, 6, 8, generator=torch.Generator().manual_seed(0))
    return F.interpolate(coarse, size=(96, 128), mode="bilinear")


def test_features_are_those_of_the_plain_architecture(photo):
    tensors = read_weights(semantics._weight_file())
    exact = semantics.Encoder(tensors, torch.float32)(photo)
    for found, wanted, channels, stride in zip(exact, plain(photo, tensors), CHANNELS, STRIDES, strict=True):
        assert found.shape == (2, channels, 96 // stride, 128 // stride) and found.dtype == torch.float32
        assert (found - wanted).abs().max() < TOLERANCE * wanted.abs().max()


def test_it_is_frozen_and_half_precision_says_the_same(photo):
    one = encoder()
    assert one is encoder() and not one.train().training
    assert not any(parameter.requires_grad for parameter in one.parameters())
    exact = grid(semantics.Encoder(read_weights(semantics._weight_file()), torch.float32)(photo), 16)
    found = grid(one(photo), 16)
    assert found.shape == (2, sum(CHANNELS), 16, 16)
    assert F.cosine_similarity(found, exact, dim=1).min() > 0.98


def test_other_weights_are_refused(tmp_path):
    altered = tmp_path / "altered.pth"
    altered.write_bytes(semantics._weight_file().read_bytes() + b" ")
    with pytest.raises(InputError, match="expected the encoder's weights with SHA-256 579344248a93…, got"):
        read_weights(altered)
    with pytest.raises(InputError, match="expected the encoder's weights at .*, but: No such file"):
        read_weights(tmp_path / "nowhere.pth")


def test_a_missing_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(semantics, "PACKAGE", "no_such_package")
    with pytest.raises(InputError, match="expected the package no-such-package .* run: make setup"):
        semantics._weight_file()
