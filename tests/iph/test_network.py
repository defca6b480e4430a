"""The network's promises: its size, its shapes, what it may look at, and where it starts."""

import numpy as np
import pytest
import torch
from networks import lively
from torch.nn import functional as F

from iph.blocks import EPS, MaskedAdaIN, PartialConv2d, ResidualBlock, masked_statistics
from iph.errors import InputError
from iph.network import CONFIGS, Network, build, polynomial_terms
from iph.polynomial import TERMS

VARIANTS = [name for name in CONFIGS if name != "paper"]


@pytest.fixture
def views() -> dict[str, torch.Tensor]:
    """A batch of two: composite, foreground, reference_image, reference; 32 x 48, the reference's frame 64 x 32."""
    random = torch.Generator().manual_seed(1)
    foreground, reference = torch.zeros(2, 1, 32, 48), torch.zeros(2, 1, 64, 32)
    foreground[:, :, 5:27, 8:33] = 1
    reference[:, :, 20:60, 3:19] = 1
    return {
        "composite": torch.rand(2, 3, 32, 48, generator=random),
        "foreground": foreground,
        "reference_image": torch.rand(2, 3, 64, 32, generator=random),
        "reference": reference,
    }


def test_the_papers_network_has_27_million_parameters():
    count = sum(parameter.numel() for parameter in build("paper").parameters())
    assert abs(count - 27e6) < 1e6


def test_the_papers_blocks_are_sets_of_residual_blocks_and_its_code_is_the_pooled_map():
    """Sec. 4: a convolution and residual blocks down, an upsampling layer and residual blocks up, average pooling."""
    network = build("paper", widths=(4, 4, 6, 8), style_widths=(4, 4, 4, 4, 16), residuals=3).eval()
    for block in (*network.down, *network.up):
        assert len(block.residuals) == 3 and all(isinstance(one, ResidualBlock) for one in block.residuals)
    image, mask = torch.rand(2, 3, 64, 64), torch.zeros(2, 1, 64, 64)
    mask[:, :, 10:40, 20:50] = 1
    features, grown = image * 2 - 1, mask
    with torch.no_grad():
        for conv in network.style_encoder.convs:
            last, grown = conv(features, grown)
            features = last.relu()
        assert torch.allclose(network.style(image, mask), F.adaptive_avg_pool2d(last, 1).flatten(1), atol=1e-6)
    with pytest.raises(InputError, match="a code of the last style width, 16, got 64"):
        build("paper", code=64)


def test_the_small_network_fits_the_repository():
    for name in ("small", "small-rgb"):
        assert sum(parameter.numel() for parameter in build(name).parameters()) < 1.2e6


@pytest.mark.parametrize("name", CONFIGS)
def test_every_variant_answers_in_the_composites_shape_and_can_be_trained(name, views):
    network = build(name)
    assert network.config == CONFIGS[name] and isinstance(network, Network)
    out = network(**views)
    assert out.shape == views["composite"].shape
    out.square().mean().backward()
    gradients = [parameter.grad for parameter in network.parameters()]
    assert all(grad is None or torch.isfinite(grad).all() for grad in gradients)
    assert any(grad is not None and grad.abs().sum() > 0 for grad in gradients)


@pytest.mark.parametrize("name", VARIANTS)
def test_pixels_outside_the_foreground_come_back_bit_for_bit(name, views):
    out = lively(name)(**views)
    outside = views["foreground"].expand_as(out) == 0
    assert (out[outside] == views["composite"][outside]).all()
    assert (out[~outside] != views["composite"][~outside]).float().mean() > 0.99


@pytest.mark.parametrize("name", ["small", "h-net"])
def test_an_untrained_colour_head_returns_its_input(name, views):
    assert torch.equal(build(name)(**views), views["composite"])


@pytest.mark.parametrize("name", [name for name in VARIANTS if not CONFIGS[name].whole])
def test_pixels_outside_the_masks_do_not_matter(name, views):
    network = lively(name)
    expected = network(**views)
    foreground, reference = views["foreground"], views["reference"]
    noise = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(2))
    other = torch.rand(2, 3, 64, 32, generator=torch.Generator().manual_seed(3))
    changed = views | {
        "composite": torch.where(foreground == 1, views["composite"], noise),
        "reference_image": torch.where(reference == 1, views["reference_image"], other),
    }
    got = network(**changed)
    assert torch.allclose(got * foreground, expected * foreground, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in VARIANTS if CONFIGS[name].style])
def test_the_reference_region_matters(name, views):
    network = lively(name)
    brighter = views | {"reference_image": views["reference_image"] * 0.3}
    difference = (network(**brighter) - network(**views)).abs() * views["foreground"]
    assert difference.max() > 1e-5


def test_h_net_reads_no_reference(views):
    network = lively("h-net")
    style = network.style(views["reference_image"], views["reference"])
    assert style.shape == (2, 64) and network.condition(style, style) is None
    assert torch.equal(network(**views), network(**views | {"reference_image": views["reference_image"] * 0.3}))


def test_h_net_sees_the_background(views):
    network = lively("h-net")
    outside = 1 - views["foreground"]
    other = views | {"composite": views["composite"] * (1 - 0.7 * outside)}
    difference = (network(**other) - network(**views)).abs() * views["foreground"]
    assert difference.max() > 1e-5


def test_the_condition_holds_both_codes_where_the_variant_says_so(views):
    for name, codes in (("small", 2), ("small-plain", 1)):
        network = lively(name)
        style = network.style(views["reference_image"], views["reference"])
        code = network.condition(style, network.style(views["composite"], views["foreground"]))
        assert style.shape == (2, network.config.code) and code.shape == (2, codes * network.config.code)
        assert torch.equal(code[:, : network.config.code], style)


def test_masked_statistics_are_numpys_on_the_region():
    rng = np.random.default_rng(4)
    features = rng.normal(size=(3, 5, 9, 7)).astype(np.float32)
    mask = (rng.random((3, 1, 9, 7)) < 0.3).astype(np.float32)
    mean, deviation = masked_statistics(torch.from_numpy(features), torch.from_numpy(mask))
    for b in range(3):
        values = features[b][:, mask[b, 0] == 1].astype(np.float64)  # (C, K)
        assert np.allclose(mean[b].flatten(), values.mean(1), atol=1e-5)
        assert np.allclose(deviation[b].flatten(), np.sqrt(values.var(1) + EPS), atol=1e-5)


def test_an_empty_mask_gives_finite_statistics():
    mean, deviation = masked_statistics(torch.rand(1, 2, 4, 4), torch.zeros(1, 1, 4, 4))
    assert (mean == 0).all() and torch.isfinite(deviation).all()


def test_adain_gives_the_region_the_deviation_and_mean_of_the_code():
    torch.manual_seed(0)
    adain = MaskedAdaIN(4, code=6)
    features, code = torch.randn(2, 4, 16, 16) * 3 + 1, torch.randn(2, 6)
    mask = torch.zeros(2, 1, 16, 16)
    mask[:, :, 2:11, 4:13] = 1
    scale, shift = adain.style(code).chunk(2, dim=1)
    mean, deviation = masked_statistics(adain(features, mask, code), mask)
    assert torch.allclose(mean.flatten(1), shift, atol=1e-4)
    assert torch.allclose(deviation.flatten(1), (1 + scale).abs(), atol=1e-3)


def test_partial_convolution_is_a_convolution_where_all_is_valid():
    torch.manual_seed(1)
    conv, features = PartialConv2d(3, 8, 3, 2, 1), torch.randn(2, 3, 12, 12)
    out, grown = conv(features, torch.ones(2, 1, 12, 12))
    plain = F.conv2d(features, conv.weight, conv.bias, 2, 1)
    assert torch.allclose(out[:, :, 1:, 1:], plain[:, :, 1:, 1:], atol=1e-5)  # the border's kernels see padding
    assert (grown == 1).all()


def test_partial_convolution_by_hand():
    conv = PartialConv2d(1, 1, 3, 1, 1)
    torch.nn.init.ones_(conv.weight)
    torch.nn.init.constant_(conv.bias, 0.5)
    mask = torch.zeros(1, 1, 5, 5)
    mask[0, 0, 2, 1:3] = 1
    features = torch.full((1, 1, 5, 5), 7.0)
    features[0, 0, 2, 1:3] = torch.tensor([2.0, 4.0])
    out, grown = conv(features, mask)
    out = out.detach()
    assert out[0, 0, 2, 2] == pytest.approx((2 + 4) * 9 / 2 + 0.5)  # both seen: the sum, times nine over two
    assert out[0, 0, 1, 3] == pytest.approx(4 * 9 + 0.5)  # only the second seen
    assert out[0, 0, 0, 0] == 0 and grown[0, 0, 0, 0] == 0
    assert grown.sum() == 3 * 4


def test_the_style_code_of_a_region_does_not_depend_on_its_surroundings_size():
    network = lively("small")
    region = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    codes = []
    for side in (64, 128):
        frame, mask = torch.rand(1, 3, side, side), torch.zeros(1, 1, side, side)
        frame[..., 16:48, 16:48], mask[..., 16:48, 16:48] = region, 1
        codes.append(network.style(frame, mask))
    assert torch.allclose(*codes, atol=1e-4)


def test_polynomial_terms_are_those_of_the_mapping():
    image = torch.rand(1, 3, 2, 2)
    terms = polynomial_terms(image)[0]
    values = dict(zip("rgb", image[0], strict=True))
    for term, got in zip(TERMS, terms, strict=True):
        expected = torch.ones(2, 2)
        for letter in term.replace("1", ""):
            expected = expected * values[letter]
        assert torch.allclose(got, expected)


def test_a_wrong_name_gets_the_nearest_right_one():
    with pytest.raises(InputError, match="got 'smal'; did you mean 'small'"):
        build("smal")
