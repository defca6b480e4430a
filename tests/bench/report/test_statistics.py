"""The statistics against SciPy and statsmodels, hand-made cases, and what must hold for any numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from bench.report import sign_flips
from bench.report.statistics import bootstrap_means, compare, group_sums, holm, interval, sign_flip_p, wins

MONTE_CARLO = 0.02  # of a p-value from 19,999 draws: four deviations at 0.5
BOOTSTRAP = 0.02  # of an interval's end, relative to its width, from thousands of draws

RNG = np.random.default_rng(1)


def test_group_sums_by_hand() -> None:
    sums, counts = group_sums(np.array([[1.0, 10], [2, 20], [4, 40]]), ["b", "a", "b"])
    assert counts.tolist() == [2, 1]
    assert sums.tolist() == [[5, 50], [2, 20]]


def test_bootstrap_agrees_with_scipy() -> None:
    values = RNG.gamma(2, 3, 60)
    sums, counts = group_sums(values[:, None], np.arange(60))
    low, high = interval(bootstrap_means(sums, counts, resamples=20_000))
    expected = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=2).confidence_interval
    width = expected.high - expected.low
    assert low[0] == pytest.approx(expected.low, abs=BOOTSTRAP * width)
    assert high[0] == pytest.approx(expected.high, abs=BOOTSTRAP * width)


def test_photos_are_resampled_not_composites() -> None:
    """Eight equal copies of each photo tell nothing new: the interval must stay as wide as that of single ones."""
    values = RNG.normal(0, 1, (40, 1))
    single = interval(bootstrap_means(*group_sums(values, np.arange(40))))
    copies = interval(bootstrap_means(*group_sums(np.repeat(values, 8, axis=0), np.repeat(np.arange(40), 8))))
    naive = interval(bootstrap_means(*group_sums(np.repeat(values, 8, axis=0), np.arange(320))))
    assert np.allclose(single, copies)
    assert naive[1] - naive[0] < 0.5 * (single[1] - single[0])


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.4])
def test_sign_flips_agree_with_scipy(shift: float) -> None:
    differences = RNG.normal(shift, 1, 50)
    expected = stats.permutation_test(
        (differences,), np.sum, permutation_type="samples", n_resamples=19_999, rng=3
    ).pvalue
    assert sign_flip_p(differences[:, None])[0] == pytest.approx(expected, abs=MONTE_CARLO)


def test_few_photos_cannot_prove_much() -> None:
    """Four photos have 16 sign patterns: two of them are as extreme as all positive, so p is near 1/8."""
    assert sign_flip_p(np.array([[1.0], [2.0], [1.5], [3.0]]))[0] == pytest.approx(1 / 8, abs=MONTE_CARLO)


def test_no_difference_at_all() -> None:
    assert sign_flip_p(np.zeros((20, 1)))[0] == 1


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]).tolist() == []


@pytest.mark.parametrize("digits", [1, 3])
def test_holm_agrees_with_statsmodels(digits: int) -> None:
    p = RNG.uniform(0, 0.3, 40).round(digits)  # one digit: many ties
    assert np.allclose(holm(p), multipletests(p, method="holm")[1])


def made(offsets: list[float], images: int = 60) -> np.ndarray:
    """Scores of methods that differ by ``offsets``, with shared difficulty and a little noise of their own."""
    difficulty = RNG.normal(30, 4, (images, 1))
    return difficulty + np.array(offsets) + RNG.normal(0, 0.3, (images, len(offsets)))


def test_clear_and_unclear_ranks() -> None:
    found = compare(made([0, 2, 2, -3]), np.arange(60), higher_is_better=True)
    assert found.rank.tolist() == [3, 1, 1, 4]
    assert found.beaten_by[3].tolist() == [True, True, True, False]
    assert found.p[0] < 0.01 and max(found.p[1], found.p[2]) == 1
    assert np.all(found.difference_low <= found.difference) and np.all(found.difference <= found.difference_high)


def test_direction_turns_the_ranks() -> None:
    values = made([0, 2, 4])
    assert compare(values, np.arange(60), True).rank.tolist() == [3, 2, 1]
    assert compare(values, np.arange(60), False).rank.tolist() == [1, 2, 3]


def test_pairing_sees_what_intervals_hide() -> None:
    """Intervals overlap because images differ; the paired difference does not care."""
    found = compare(made([0, 0.5]), np.arange(60), True)
    assert found.high[0] > found.low[1]
    assert found.rank.tolist() == [2, 1]


def test_many_methods_are_still_told_apart() -> None:
    """Their pairs are so many that the smallest p of the usual flips, corrected, proves nothing."""
    found = compare(made(list(range(48))), np.arange(60), True)
    assert found.rank.tolist() == list(range(48, 0, -1))


PHOTOS = 18


def exact_p(differences: np.ndarray) -> float:
    """Over all 2^18 sign flips."""
    signs = 1 - 2 * ((np.arange(2**PHOTOS)[:, None] >> np.arange(PHOTOS)) & 1)  # (2^P, P)
    sums = np.abs(signs @ differences)
    return float((sums >= abs(differences.sum()) - 1e-9).mean())


def close_case(wanted: float) -> np.ndarray:
    """Differences (18,) whose exact p is as near to ``wanted`` as an offset makes it."""
    noise = np.random.default_rng(5).normal(0, 1, PHOTOS)
    low, high = 0.0, 3.0
    for _ in range(25):
        middle = (low + high) / 2
        low, high = (middle, high) if exact_p(noise + middle) > wanted else (low, middle)
    return noise + high


@pytest.mark.parametrize(("wanted", "ranks"), [(0.0492, [2, 1]), (0.0508, [1, 1])])
def test_a_close_case_has_the_same_ranks_whatever_the_seed(wanted: float, ranks: list[int]) -> None:
    differences = close_case(wanted)
    assert exact_p(differences) == pytest.approx(wanted, abs=2e-4)
    values = np.stack([np.zeros(PHOTOS), differences], axis=1)
    plain = [sign_flip_p(differences[:, None], seed)[0] < 0.05 for seed in range(10)]
    assert set(plain) == {True, False}, "the usual flips are not enough to decide it"
    for seed in range(10):
        assert compare(values, np.arange(PHOTOS), True, seed).rank.tolist() == ranks


def test_bounds_of_close_pairs_hold_the_exact_p() -> None:
    """For p from 0.3 to 1e-5, the extreme one included; the bounds close in on it."""
    noise = np.random.default_rng(6).normal(0, 1, PHOTOS)
    columns = np.stack([noise + offset for offset in (0.2, 0.5, 0.8, 1.2, 2.0)] + [np.full(PHOTOS, 1.0)], axis=1)
    terms = np.abs(columns) / np.abs(columns).sum(axis=0)
    sums = np.abs(columns.sum(axis=0)) / np.abs(columns).sum(axis=0) - sign_flips.ROUNDING
    tilts = sign_flips._tilts(terms, sums)
    for k, column in enumerate(columns.T):
        exact = exact_p(column)
        rng = np.random.default_rng(k)
        widths = []
        for flips in (20_000, 320_000):
            low, high = sign_flips._tilted(terms[:, k], sums[k], tilts[k], flips, 1e-6, rng)
            assert low <= exact <= high
            widths.append(high - low)
        assert widths[1] < widths[0] / 3 and widths[1] < 0.1 * exact


def test_all_pairs_at_once_are_decided_as_by_all_flips() -> None:
    columns = np.random.default_rng(8).normal(0, 1, (PHOTOS, 40)) + np.linspace(0, 1.6, 40)
    exact = holm([exact_p(column) for column in columns.T]) < 0.05
    assert 5 < exact.sum() < 35
    for seed in range(3):
        assert sign_flips.beyond_doubt(columns, seed).tolist() == exact.tolist()


def test_one_method_alone() -> None:
    found = compare(made([0]), np.arange(60), True)
    assert found.rank.tolist() == [1] and found.wins.tolist() == [60] and found.p.tolist() == [1]


def test_shared_wins() -> None:
    assert wins(np.array([[1.0, 1.0, 0], [2, 1, 0]])).tolist() == [1.5, 0.5, 0]


tables = st.integers(2, 5).flatmap(
    lambda methods: st.lists(
        st.lists(st.floats(-50, 50).map(lambda v: round(v, 3)), min_size=methods, max_size=methods),
        min_size=3,
        max_size=12,
    )
)


@settings(max_examples=25)
@given(tables, st.randoms(use_true_random=False))
def test_relabelling_and_mirroring(rows: list[list[float]], random) -> None:
    """Order of methods does not matter; 'higher' on values is 'lower' on their negatives; wins add up to images."""
    values = np.array(rows)
    photos = np.array([random.randrange(4) for _ in rows])
    found = compare(values, photos, True)
    order = list(range(values.shape[1]))
    random.shuffle(order)
    turned = compare(values[:, order], photos, True)
    assert np.isnan(found.low).all() == np.isnan(found.difference_high).all() == (len(set(photos)) == 1)
    assert np.allclose(turned.mean, found.mean[order])
    assert turned.rank.tolist() == found.rank[order].tolist()
    assert np.allclose(turned.low, found.low[order], equal_nan=True) and np.allclose(turned.wins, found.wins[order])
    mirrored = compare(-values, photos, False)
    assert mirrored.rank.tolist() == found.rank.tolist()
    assert np.allclose(mirrored.mean, -found.mean) and np.allclose(mirrored.low, -found.high, equal_nan=True)
    assert found.wins.sum() == pytest.approx(len(rows))
    assert np.all(found.low <= found.mean + 1e-9) and np.all(found.mean <= found.high + 1e-9) or len(set(photos)) < 3
