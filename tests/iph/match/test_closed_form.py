"""The semantic match against plain numpy, and what it must not believe."""

import colorsys

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from iph.match import closed_form as module
from iph.match.closed_form import (
    Seen,
    attend,
    believed,
    between,
    kind_weights,
    match,
    moved,
    saturation,
    see,
    turned,
    under,
    widened,
)
from iph.match.lab import lab_to_rgb, rgb_to_lab
from iph.match.tone import lightness_hats, percentiles

SIDE = 32  # two pixels a cell
SKIN, CLOTH, THING = 0, 1, 2


def picture(colours: np.ndarray, kinds: np.ndarray, seed: int = 0) -> Seen:
    """A picture (1, 3, 32, 32) of cells' colours (16, 16, 3) and sure kinds (16, 16); like kinds have like features."""
    rng = np.random.default_rng(seed)
    image = np.kron(colours.transpose(2, 0, 1), np.ones((1, 2, 2))) + rng.normal(0, 0.01, (3, SIDE, SIDE))
    image = torch.from_numpy(np.clip(image, 0, 1).astype(np.float32))[None]
    middles = np.random.default_rng(9).normal(0, 1, (3, 152))
    features = middles[kinds.reshape(-1)] + rng.normal(0, 0.3, (256, 152))
    sure = np.eye(3)[kinds.reshape(-1)] * 0.94 + 0.02
    told = (torch.from_numpy(array.astype(np.float32))[None] for array in (features, sure))
    return Seen(image, rgb_to_lab(image), *told)


def scene(foreground: tuple, reference: tuple, around: tuple = (0.5, 0.5, 0.5)):
    """Left a foreground, right a reference, each ((r, g, b), kind) on grey; their masks (1, 1, 32, 32)."""
    colours = np.full((16, 16, 3), around)
    kinds = np.full((16, 16), THING)
    for (colour, kind), columns in ((foreground, slice(1, 7)), (reference, slice(9, 15))):
        shade = np.linspace(0.7, 1.1, 12)[:, None, None]
        colours[2:14, columns] = np.clip(np.array(colour) * shade, 0, 1)
        kinds[2:14, columns] = kind
    masks = np.zeros((2, 1, 1, SIDE, SIDE), np.float32)
    masks[0, ..., 4:28, 2:14] = masks[1, ..., 4:28, 18:30] = 1
    return picture(colours, kinds), torch.from_numpy(masks[0]), torch.from_numpy(masks[1])


def harmonized(foreground: tuple, reference: tuple, **options):
    seen, mask, other = scene(foreground, reference, **options)
    found = match(seen, mask, seen, other, 1 - mask)
    result = moved(found, torch.ones(1, 3), torch.ones(1, 1)).clamp(0, 1)
    before, after = ((image * mask).sum((2, 3)) / mask.sum() for image in (seen.image, result))
    return found, before[0].numpy(), after[0].numpy()


def hue(colour: np.ndarray) -> float:
    return 360 * colorsys.rgb_to_hsv(*colour)[0]


def apart(one: float, other: float) -> float:
    return abs((one - other + 180) % 360 - 180)


FACE = ((0.80, 0.58, 0.46), SKIN)
DENIM = ((0.25, 0.35, 0.60), CLOTH)
NAVY = ((0.12, 0.16, 0.40), CLOTH)
WINE = ((0.50, 0.12, 0.18), CLOTH)


def test_lab_is_the_standards_and_goes_back():
    image = np.random.default_rng(0).random((24, 24, 3)).astype(np.float32)
    planes = torch.from_numpy(image.transpose(2, 0, 1))[None]
    assert np.abs(rgb_to_lab(planes)[0].permute(1, 2, 0).numpy() - rgb2lab(image)).max() < 0.05
    assert (lab_to_rgb(rgb_to_lab(planes)) - planes).abs().max() < 1e-4


def test_percentiles_are_numpys():
    rng = np.random.default_rng(1)
    lightness = rng.uniform(5, 95, (2, 16, 16)).astype(np.float32)
    weight = rng.integers(0, 3, (2, 16, 16)).astype(np.float32)
    found = percentiles(torch.from_numpy(lightness), torch.from_numpy(weight)).numpy()
    for n in range(2):
        values = np.repeat(lightness[n].ravel(), weight[n].ravel().astype(int))
        assert np.abs(found[n] - np.percentile(values, [10, 50, 90])).max() < 0.8


def test_hats_move_their_own_point_and_leave_black_and_white():
    points = torch.tensor([[20.0, 50.0, 80.0]])
    hats = lightness_hats(torch.tensor([[[0.0, 20.0, 35.0, 50.0, 80.0, 100.0]]]), points)[0, :, 0]
    wanted = [[0, 1, 0.5, 0, 0, 0], [0, 0, 0.5, 1, 0, 0], [0, 0, 0, 0, 1, 0]]
    assert torch.allclose(hats, torch.tensor(wanted), atol=1e-6)


def test_the_match_is_what_plain_numpy_makes_of_it():
    seen, mask, other = scene(FACE, ((0.6, 0.36, 0.30), SKIN))
    found = match(seen, mask, seen, other, 1 - mask)
    lab, features, kinds = seen.lab[0].numpy(), seen.features[0].numpy(), seen.kinds[0].numpy()

    def cells(values: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        blocks = (values * inside).reshape(3, 16, 2, 16, 2).sum((2, 4)).reshape(3, -1).T
        area = inside.reshape(16, 2, 16, 2).sum((1, 3)).ravel()
        return blocks / np.maximum(area, 1e-3)[:, None], area / 4

    (own, mine), (their, theirs) = (cells(lab, m[0, 0].numpy()) for m in (mask, other))
    inside, outside = mine > 0.5, theirs > 0.5
    parts = [features[:, :40], features[:, 40:]]
    scaled = np.concatenate([part / np.linalg.norm(part, axis=1).mean() for part in parts], 1)

    def cosines(middle: np.ndarray) -> np.ndarray:
        one = scaled - middle
        one = one / np.linalg.norm(one, axis=1, keepdims=True)
        return one @ one.T

    within = cosines((scaled[inside].sum(0) + scaled[outside].sum(0)) / (inside.sum() + outside.sum()))
    things = 1 / (1 + np.exp(-(cosines(scaled.mean(0)) - module.LIKE_COSINE) / module.LIKE_WIDTH))
    agree = kinds[:, :2] @ kinds[:, :2].T + np.outer(kinds[:, 2], kinds[:, 2]) * things
    weights = np.exp(within / module.TEMPERATURE) * np.maximum(agree, 0.02) * theirs * outside
    weights = weights / weights.sum(1, keepdims=True)
    assert np.abs(found.attention[0].numpy()[inside] - weights[inside]).max() < 1e-4
    assert np.abs(found.attended[0].numpy()[inside] - (weights @ their)[inside]).max() < 0.02
    alike = np.minimum((weights * agree).sum(1) / module.SURE, 1)
    assert np.abs(found.alike[0].numpy()[inside] - alike[inside]).max() < 1e-3

    terms = np.concatenate([own / module.LAB_SCALE, np.ones((256, 1))], 1)
    weight = mine * inside * (1 + module.SKIN_FIRST * kinds[:, 0] * alike)
    penalty = np.diag([module.RIDGE * inside.sum()] * 3 + [1e-3])
    change = (found.wanted - found.source)[0].numpy()
    fitted = np.linalg.solve(terms.T @ (terms * weight[:, None]) + penalty, terms.T @ (change * weight[:, None]))
    assert np.abs((found.solver[0] @ torch.from_numpy(change)).numpy() - fitted).max() < 0.05


def test_the_look_goes_to_the_attended_one():
    found, before, after = harmonized(FACE, ((0.45, 0.30, 0.25), SKIN))
    wanted = np.array([0.45, 0.30, 0.25]) * 0.9
    assert np.abs(after - wanted).mean() < 0.4 * np.abs(before - wanted).mean()
    assert found.alike[found.weight > 0].min() > 0.9


def test_skin_without_skin_keeps_its_hue():
    found, before, after = harmonized(FACE, DENIM)
    assert found.alike[found.weight > 0].max() < 0.2
    assert apart(hue(before), hue(after)) < 4
    unbelieved = harmonized(FACE, (DENIM[0], SKIN))[2]
    assert apart(hue(before), hue(unbelieved)) > 15


def test_an_unlike_reference_is_widened_to_the_scene_and_a_like_one_is_not():
    for kind, low, high in ((SKIN, 0.0, 0.1), (THING, 0.8, 1.0)):
        seen, mask, other = scene(FACE, ((0.45, 0.30, 0.25), kind))
        own = seen.region(mask)
        alike = attend(own, seen.region(other))[1]
        wide, half, none = (widened(own, alike, other, 1 - mask, torch.tensor([most])) for most in (1.0, 0.5, 0.0))
        assert torch.equal(none, other) and torch.equal(wide * other, other) and not (wide * mask).any()
        rest = wide[(other == 0) & (mask == 0)]
        assert low <= rest.min() == rest.max() <= high
        assert torch.allclose(half[(other == 0) & (mask == 0)], rest / 2)


def test_a_cast_leaves_skin_skin():
    warm, blue = torch.tensor([[[0.16, 0.16]]]), torch.tensor([[-0.1, -0.2]])
    cloth, skin = (under(warm, blue, torch.full((1, 1), share)) for share in (0.0, 1.0))
    assert torch.allclose(cloth, warm + blue)
    ratio, angle = between(warm, skin)
    assert -module.SKIN_RATIO <= ratio < -0.2 and -module.SKIN_TURN <= angle < -0.2
    assert torch.allclose(turned(warm, *between(warm, skin)), skin, atol=1e-6)
    slight = torch.tensor([[0.005, 0.005]])
    assert torch.allclose(under(warm, slight, torch.ones(1, 1)), warm + slight, atol=1e-3)


def test_navy_does_not_turn_wine():
    _, before, after = harmonized(NAVY, WINE)
    assert apart(hue(before), hue(after)) < 30 < 60 < apart(hue(before), hue(np.array(WINE[0])))


def test_black_is_not_lifted_to_the_reference_without_black():
    found, _, _ = harmonized(((0.03, 0.03, 0.03), CLOTH), ((0.8, 0.8, 0.8), CLOTH))
    lift = (found.after - found.before)[0]
    assert 5 < lift[0] <= module.MOST_LIFT[0] and lift.max() <= max(module.MOST_LIFT)


def test_the_common_cast_reaches_unlike_things():
    _, before, after = harmonized(((0.6, 0.6, 0.6), CLOTH), (DENIM[0], THING), around=(0.62, 0.56, 0.46))
    assert before[2] - before[0] == pytest.approx(0, abs=0.01)
    assert after[0] - after[2] > 0.03  # warm, as the room is, and not blue


def test_belief_follows_alikeness():
    source, target = torch.tensor([[[0.3, 0.1]]]), torch.tensor([[[0.1, 0.3]]])
    none, half, full = (believed(source, target, torch.full((1, 1), a), torch.zeros(1, 1)) for a in (0, 0.5, 1))
    assert torch.allclose(none, source)
    assert (none - target).norm() > (half - target).norm() > (full - target).norm() > 0.05


def test_an_exposure_leaves_saturation_alone():
    linear = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(2)) * 0.4 + 0.2

    def seen(values: torch.Tensor) -> torch.Tensor:
        return saturation(rgb_to_lab(1.055 * values ** (1 / 2.4) - 0.055).flatten(2).transpose(1, 2))

    assert (seen(linear) - seen(linear * 1.6)).abs().max() < 0.02


def test_the_shares_are_differentiable_and_none_changes_nothing():
    seen, mask, other = scene(FACE, ((0.45, 0.30, 0.25), SKIN))
    found = match(seen, mask, seen, other, 1 - mask)
    lightness, chroma = torch.zeros(1, 3, requires_grad=True), torch.zeros(1, 256, requires_grad=True)
    unchanged = moved(found, lightness, chroma)
    assert (unchanged - seen.image).abs().max() < 1e-3
    unchanged.square().sum().backward()
    assert lightness.grad.abs().min() > 0 and chroma.grad[found.weight > 0].abs().min() > 0


def test_seeing_reads_kinds_and_a_small_picture_is_enlarged():
    image = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
    seen = see(image)
    assert seen.features.shape == (2, 256, 152) and seen.kinds.shape == (2, 256, 3)
    assert torch.allclose(seen.kinds.sum(-1), torch.ones(2, 256), atol=1e-5)
    assert [part.shape for part in kind_weights()] == [(3, 152), (3,)]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_an_empty_or_a_full_reference_gives_finite_numbers(share):
    seen, mask, other = scene(FACE, DENIM)
    found = match(seen, mask, seen, torch.full_like(other, share), torch.zeros_like(mask))
    assert moved(found, torch.ones(1, 3), torch.ones(1, 1)).isfinite().all()
