"""Each loss against its equation written out in numpy, one sample and one pixel list at a time (paper Sec. 4)."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from iph import losses
from iph.network import build
from iph.polynomial import RIDGE, fit_change
from iph.training.expressible import expressible

ATOL = 2e-6  # float32 sums over a few hundred pixels
LUMA = np.array([0.299, 0.587, 0.114])


def batch(seed: int, count: int = 3, side: int = 12) -> tuple[np.ndarray, ...]:
    """Two images (B, H, W, 3), and two masks (B, H, W) of which each sample has another number of pixels."""
    rng = np.random.default_rng(seed)
    images = rng.random((2, count, side, side, 3)).astype(np.float32)
    masks = rng.random((2, count, side, side)) < rng.uniform(0.05, 0.9, (2, count, 1, 1))
    masks[..., 3, 4] = True
    return *images, *masks


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float32) if array.ndim < 4 else array.transpose(0, 3, 1, 2).copy())


def mask_tensor(mask: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(mask[:, None].astype(np.float32))


def per_sample(function, *arrays: np.ndarray) -> float:
    return float(np.mean([function(*one) for one in zip(*arrays, strict=True)]))


def luma(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return image[mask].astype(np.float64) @ LUMA


seeds = st.integers(0, 10_000)


@given(seeds)
@settings(max_examples=15)
def test_eq_6_is_the_mean_distance_to_the_truth_inside_the_foreground(seed):
    harmonized, target, mask, _ = batch(seed)
    expected = per_sample(lambda h, t, m: np.abs(h[m] - t[m]).mean(), harmonized, target, mask)
    got = losses.harmonization_loss(tensor(harmonized), tensor(target), mask_tensor(mask))
    assert float(got) == pytest.approx(expected, abs=ATOL)


@pytest.mark.parametrize(
    ("loss", "point"),
    [
        (losses.highlight_loss, lambda values: np.quantile(values, 0.9)),
        (losses.midtone_loss, np.mean),
        (losses.shadow_loss, lambda values: np.quantile(values, 0.1)),
    ],
    ids=["eq 1", "eq 2", "eq 3"],
)
@given(seed=seeds)
@settings(max_examples=15)
def test_eqs_1_to_3_are_distances_of_luminance_points_to_the_reference(loss, point, seed):
    image, other, mask, other_mask = batch(seed)
    expected = per_sample(lambda i, m, o, n: abs(point(luma(i, m)) - point(luma(o, n))), image, mask, other, other_mask)
    got = loss(tensor(image), mask_tensor(mask), tensor(other), mask_tensor(other_mask))
    assert float(got) == pytest.approx(expected, abs=ATOL)


def test_eq_4_is_the_sum_of_the_three():
    image, other, mask, other_mask = batch(1)
    arguments = tensor(image), mask_tensor(mask), tensor(other), mask_tensor(other_mask)
    parts = [loss(*arguments) for loss in (losses.highlight_loss, losses.midtone_loss, losses.shadow_loss)]
    assert losses.luminance_matching_loss(*arguments) == pytest.approx(float(sum(parts)), abs=ATOL)


@given(seed=seeds)
@settings(max_examples=15)
def test_eq_5_is_the_mean_distance_of_the_codes(seed):
    harmonized, reference = np.random.default_rng(seed).normal(size=(2, 4, 16)).astype(np.float32)
    expected = per_sample(lambda h, b: np.abs(h - b).sum() / 16, harmonized, reference)
    got = losses.consistency_loss(torch.from_numpy(harmonized), torch.from_numpy(reference))
    assert float(got) == pytest.approx(expected, abs=ATOL)


@given(seed=seeds, margin=st.floats(0, 3))
@settings(max_examples=15)
def test_the_appendix_turns_eq_5_for_psi(seed, margin):
    harmonized, reference = np.random.default_rng(seed).normal(size=(2, 4, 16)).astype(np.float32)
    expected = per_sample(lambda h, b: max(margin - np.abs(h - b).sum() / 16, 0), harmonized, reference)
    got = losses.apart_loss(torch.from_numpy(harmonized), torch.from_numpy(reference), margin)
    assert float(got) == pytest.approx(expected, abs=ATOL)


@given(seed=seeds, margin=st.floats(0, 2))
@settings(max_examples=25)
def test_triplets_are_hinges_of_l2_norms_over_the_whole_code(seed, margin):
    rng = np.random.default_rng(seed)
    anchor, positive, negative = rng.normal(size=(3, 4, 16)).astype(np.float32)

    def hinge(a, p, n):
        return max(np.sqrt(((a - p) ** 2).sum()) - np.sqrt(((a - n) ** 2).sum()) + margin, 0)

    expected = per_sample(hinge, anchor, positive, negative)
    for triplet in (losses.triplet1, losses.triplet2):
        got = triplet(*map(torch.from_numpy, (anchor, positive, negative)), margin)
        assert float(got) == pytest.approx(expected, abs=1e-5)


def test_the_total_weighs_the_parts_as_the_paper_does():
    weights = losses.LossWeights(alpha=2.0, lam=3.0, beta=0.5)
    parts = [torch.tensor(value) for value in (1.0, 10.0, 100.0, 1000.0, 10_000.0)]
    total = losses.total_loss(parts[0], parts[1], parts[2], (parts[3], parts[4]), weights)
    assert float(total) == pytest.approx(1.0 + 2.0 * 10.0 + 3.0 * 100.0 + 0.5 * (1000.0 + 10_000.0))


@given(seed=seeds)
@settings(max_examples=15)
def test_what_can_be_expressed_is_the_ridge_fit_of_the_colour_mapping(seed):
    harmonized, composite, mask, _ = batch(seed, side=32)
    mask[:, :16] = True  # enough pixels for eleven terms
    got = expressible(tensor(harmonized), tensor(composite), mask_tensor(mask)).permute(0, 2, 3, 1).numpy()
    for h, c, m, found in zip(harmonized, composite, mask, got, strict=True):
        r, g, b = (c[m][:, k].astype(np.float64) for k in range(3))
        terms = np.stack([r, g, b, r * g, r * b, g * b, r * r, g * g, b * b, r * g * b, np.ones_like(r)])
        change = fit_change(c[m].astype(np.float64), h[m].astype(np.float64), RIDGE)
        assert np.allclose(found[m], np.clip(c[m] + terms.T @ change, 0, 1), atol=1e-5)
        assert np.allclose(found[~m], c[~m])


def test_a_hidden_pattern_is_not_expressible_and_a_colour_change_is():
    """A chessboard of ±0.1 that the codes may see is gone after the fit; a gain and a shift are kept."""
    _, composite, mask, _ = batch(3, side=32)
    mask[:, :20] = True
    composite = 0.3 + 0.3 * composite
    board = 0.1 * (-1.0) ** np.add.outer(np.arange(32), np.arange(32))[..., None].astype(np.float32)
    change = 0.8 * composite + 0.1
    for harmonized, left in ((composite + board, composite), (change, change), (change + board, change)):
        got = expressible(tensor(harmonized.astype(np.float32)), tensor(composite), mask_tensor(mask))
        difference = (got - tensor(left)).abs() * mask_tensor(mask)
        assert float(difference.mean()) < 0.01  # of 0.1


def test_eq_5_has_a_gradient_through_the_fit():
    image, other, mask, other_mask = batch(6, side=32)
    torch.manual_seed(0)
    style = build("small").style
    harmonized = tensor(0.2 + 0.6 * image).requires_grad_(True)
    fitted = expressible(harmonized, tensor(other), mask_tensor(mask))
    losses.consistency_loss(style(fitted, mask_tensor(mask)), style(tensor(other), mask_tensor(other_mask))).backward()
    inside = mask_tensor(mask).bool().expand_as(harmonized)
    assert torch.isfinite(harmonized.grad).all()
    assert (harmonized.grad[inside] != 0).float().mean() > 0.99 and (harmonized.grad[~inside] == 0).all()


def test_an_empty_foreground_expresses_nothing():
    image, other, mask, _ = batch(5)
    got = expressible(tensor(image), tensor(other), torch.zeros_like(mask_tensor(mask)))
    assert torch.equal(got, tensor(other))


@given(seed=seeds)
@settings(max_examples=10)
def test_look_matching_is_the_mean_distance_of_nine_points(seed):
    image, other, mask, other_mask = batch(seed)

    def distance(i, m, o, n):
        inside, outside = i[m].astype(np.float64), o[n].astype(np.float64)
        points = [np.abs(inside.mean(0) - outside.mean(0))]
        points += [np.abs(np.quantile(inside, q, axis=0) - np.quantile(outside, q, axis=0)) for q in (0.1, 0.9)]
        return np.mean(points)

    expected = per_sample(distance, image, mask, other, other_mask)
    got = losses.look_matching_loss(tensor(image), mask_tensor(mask), tensor(other), mask_tensor(other_mask))
    assert float(got) == pytest.approx(expected, abs=ATOL)


def test_content_loss_is_one_minus_correlation():
    rng = np.random.default_rng(3)
    before = rng.random((2, 16, 16, 3)).astype(np.float32)
    after = (0.6 * before + 0.4 * rng.random(before.shape)).astype(np.float32)
    mask = rng.random((2, 16, 16)) < 0.6
    expected = per_sample(
        lambda a, b, m: np.mean([1 - np.corrcoef(a[m][:, c], b[m][:, c])[0, 1] for c in range(3)]), after, before, mask
    )
    got = float(losses.content_loss(tensor(after), tensor(before), mask_tensor(mask)))
    assert got == pytest.approx(expected, abs=1e-3)  # the deviations carry an epsilon of 1e-5 in the variance
    assert float(losses.content_loss(tensor(before * 0.5 + 0.2), tensor(before), mask_tensor(mask))) < 1e-3


@given(
    values=st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30),
    q=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]),
)
def test_masked_quantile_is_numpys(values, q):
    plane = torch.zeros(1, 1, 5, 6)
    mask = torch.zeros(1, 1, 5, 6)
    plane.view(-1)[: len(values)] = torch.tensor(values)
    mask.view(-1)[: len(values)] = 1
    order = torch.randperm(30, generator=torch.Generator().manual_seed(len(values)))
    plane, mask = (t.view(-1)[order].view(1, 1, 5, 6) for t in (plane, mask))
    got = losses.masked_quantile(plane, mask, q)
    assert float(got) == pytest.approx(float(np.quantile(np.float32(values), q)), abs=1e-6)


def test_an_empty_mask_gives_zero_and_no_nan():
    image, other, mask, _ = batch(5)
    nothing = torch.zeros_like(mask_tensor(mask))
    loss = losses.luminance_matching_loss(tensor(image), nothing, tensor(other), nothing)
    assert float(loss) == 0


def test_every_loss_has_a_gradient_for_the_harmonized_image():
    image, other, mask, other_mask = batch(6)
    harmonized = tensor(image).requires_grad_(True)
    loss = (
        losses.harmonization_loss(harmonized, tensor(other), mask_tensor(mask))
        + losses.luminance_matching_loss(harmonized, mask_tensor(mask), tensor(other), mask_tensor(other_mask))
        + losses.look_matching_loss(harmonized, mask_tensor(mask), tensor(other), mask_tensor(other_mask))
        + losses.content_loss(harmonized, tensor(other), mask_tensor(mask))
    )
    loss.backward()
    inside = mask_tensor(mask).bool().expand_as(harmonized)
    assert torch.isfinite(harmonized.grad).all()
    assert (harmonized.grad[inside] != 0).all() and (harmonized.grad[~inside] == 0).all()
