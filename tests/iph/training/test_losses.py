"""Each loss against its equation written out in numpy, one sample and one pixel list at a time."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from iph import losses

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
@settings(max_examples=15, deadline=None)
def test_eq_1_is_the_mean_distance_inside_the_foreground(seed):
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
    ids=["eq 2", "eq 3", "eq 4"],
)
@given(seed=seeds)
@settings(max_examples=15, deadline=None)
def test_eqs_2_to_4_are_distances_of_luminance_points(loss, point, seed):
    image, other, mask, other_mask = batch(seed)
    expected = per_sample(lambda i, m, o, n: abs(point(luma(i, m)) - point(luma(o, n))), image, mask, other, other_mask)
    got = loss(tensor(image), mask_tensor(mask), tensor(other), mask_tensor(other_mask))
    assert float(got) == pytest.approx(expected, abs=ATOL)


def test_eq_5_is_the_sum_of_the_three():
    image, other, mask, other_mask = batch(1)
    arguments = tensor(image), mask_tensor(mask), tensor(other), mask_tensor(other_mask)
    parts = [loss(*arguments) for loss in (losses.highlight_loss, losses.midtone_loss, losses.shadow_loss)]
    assert losses.luminance_matching_loss(*arguments) == pytest.approx(float(sum(parts)), abs=ATOL)


@given(seed=seeds, margin=st.floats(0, 2))
@settings(max_examples=25, deadline=None)
def test_triplets_are_hinges_of_l2_norms_over_the_whole_code(seed, margin):
    rng = np.random.default_rng(seed)
    anchor, positive, negative = rng.normal(size=(3, 4, 16)).astype(np.float32)

    def hinge(a, p, n):
        return max(np.sqrt(((a - p) ** 2).sum()) - np.sqrt(((a - n) ** 2).sum()) + margin, 0)

    expected = per_sample(hinge, anchor, positive, negative)
    for triplet in (losses.reference_triplet, losses.target_triplet):
        got = triplet(*map(torch.from_numpy, (anchor, positive, negative)), margin)
        assert float(got) == pytest.approx(expected, abs=1e-5)


def test_eq_6_weighs_the_parts():
    weights = losses.LossWeights(alpha=0.5, beta=0.25, lam=2.0)
    parts = [torch.tensor(value) for value in (1.0, 10.0, 100.0, 1000.0)]
    total = losses.total_loss(parts[0], parts[1], (parts[2], parts[3]), weights)
    assert float(total) == pytest.approx(1.0 + 2.0 * 10.0 + 0.5 * 100.0 + 0.25 * 1000.0)


@given(seed=seeds)
@settings(max_examples=10, deadline=None)
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
@settings(deadline=None)
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
