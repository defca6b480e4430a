"""Votes without a finite answer, rules for 0 and 1 proportions, scales, tests, bootstrap and rankings."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from scipy.stats import binomtest, norm

from userstudy.errors import InputError
from userstudy.scores import (
    bootstrap_raters,
    bradley_terry,
    check_connectivity,
    davidson,
    goodness_of_fit,
    kendalls_w,
    pairwise_tests,
    plackett_luce,
    ranking_score,
    read_rankings,
    side_effect,
    thurstone_case_v,
    triad_summary,
)
from userstudy.scores.significance import raters_alike, wilson_interval

NAMES = ["composite", "dovenet", "iph"]
NEVER_LOST = np.array([[0, 2, 0], [1, 0, 0], [3, 4, 0]])
UNANIMOUS = np.array([[0, 6, 0], [4, 0, 3], [10, 7, 0]])  # iph won all ten against composite


def test_message_names_who_never_lost_and_the_groups_in_order():
    with pytest.raises(InputError) as error:
        bradley_terry(NEVER_LOST, NAMES)
    assert "iph never lost" in str(error.value)
    assert "[iph | composite, dovenet]" in str(error.value)
    assert "regularized" in str(error.value)


def test_groups_are_ordered_by_who_beats_whom_not_by_number_of_wins():
    wins = np.zeros((4, 4))
    wins[2, 0] = 1  # c beats only a; a beats b and d, which beat each other
    wins[0, 1] = wins[0, 3] = wins[1, 3] = wins[3, 1] = 9
    assert check_connectivity(wins, "abcd").groups == (("c",), ("a",), ("b", "d"))


def test_separate_groups_and_methods_without_votes_are_named():
    wins = np.zeros((5, 5))
    wins[0, 1] = wins[1, 0] = wins[2, 3] = wins[3, 2] = 5
    found = check_connectivity(wins, list("abcde"))
    assert found.separate and found.never_compared == ("e",)
    assert "never compared with each other" in found.problem and "e has no decisive vote" in found.problem


def test_regularised_scores_shrink_and_say_so():
    weak, strong = (bradley_terry(NEVER_LOST, NAMES, regularized=precision) for precision in (0.5, 5.0))
    assert weak.scores[2] > strong.scores[2] > 0
    assert "regularised" in weak.label and weak.regularized == 0.5
    assert thurstone_case_v(NEVER_LOST, NAMES, regularized=1.0).scores.argmax() == 2


def test_zero_cell_rules():
    clip, half, drop = (
        thurstone_case_v(UNANIMOUS, NAMES, method="column-mean", zero_cells=rule) for rule in ("clip", "half", "drop")
    )
    z = {(0, 1): norm.ppf(0.6), (1, 2): norm.ppf(0.3)}
    for fitted, deviate in ((clip, norm.ppf(0.5 / 10)), (half, norm.ppf(0.5 / 11))):
        if fitted is half:
            z = {(0, 1): norm.ppf(6.5 / 11), (1, 2): norm.ppf(3.5 / 11)}
        rows = [z[0, 1] + deviate, -z[0, 1] + z[1, 2], -z[1, 2] - deviate]
        np.testing.assert_allclose(fitted.scores, np.array(rows) / 3)
    # Without the unanimous pair the two others fit exactly.
    np.testing.assert_allclose(drop.scores[0] - drop.scores[1], norm.ppf(0.6))
    np.testing.assert_allclose(drop.scores[1] - drop.scores[2], norm.ppf(0.3))
    with pytest.raises(InputError, match="too few after dropping"):
        thurstone_case_v(NEVER_LOST, NAMES, method="column-mean", zero_cells="drop")


def test_column_means_need_every_pair():
    wins = np.array([[0, 3, 0], [2, 0, 4], [0, 1, 0]])
    with pytest.raises(InputError, match="none on composite and iph"):
        thurstone_case_v(wins, NAMES, method="column-mean")


def test_column_mean_errors_are_those_of_repeated_studies():
    share = norm.cdf(np.subtract.outer([0.5, 0.0, -0.5], [0.5, 0.0, -0.5]))
    draw, n, upper = np.random.default_rng(0), 60, np.triu_indices(3, 1)
    scores = []
    for _ in range(500):
        wins = np.zeros((3, 3))
        wins[upper] = draw.binomial(n, share[upper])
        wins.T[upper] = n - wins[upper]
        scores.append(thurstone_case_v(wins, method="column-mean").scores)
    expected = thurstone_case_v(np.round(share * n * (1 - np.eye(3))), method="column-mean").se
    np.testing.assert_allclose(np.std(scores, axis=0), expected, rtol=0.12)


@pytest.mark.parametrize("method", ["mle", "column-mean"])
def test_scales_say_what_a_unit_is(method):
    wins = np.array([[0.0, 75.0], [25.0, 0.0]])
    by_scale = {scale: thurstone_case_v(wins, method=method, scale=scale) for scale in ("difference", "item", "jod")}
    gap = {scale: fitted.scores[0] - fitted.scores[1] for scale, fitted in by_scale.items()}
    assert gap["difference"] == pytest.approx(norm.ppf(0.75))
    assert gap["item"] == pytest.approx(norm.ppf(0.75) * np.sqrt(2))
    assert gap["jod"] == pytest.approx(1.0)
    ratio = by_scale["jod"].se / by_scale["difference"].se
    np.testing.assert_allclose(ratio, 1.4826, atol=5e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: thurstone_case_v(UNANIMOUS, method="colum-mean"), "did you mean 'column-mean'"),
        (lambda: thurstone_case_v(UNANIMOUS, scale="JOD"), "expected scale to be one of difference, item, jod"),
        (lambda: bradley_terry([[0, 1]]), "square matrix"),
        (lambda: bradley_terry([[0, -1], [2, 0]]), "counts of wins"),
        (lambda: bradley_terry([[3, 1], [2, 0]]), "zeros on the diagonal"),
        (lambda: bradley_terry([[0, 1], [2, 0]], ["a"]), "one name for each"),
        (lambda: bradley_terry([[0, 1], [2, 0]], regularized=-1), "0 or more"),
        (lambda: bradley_terry([[0, 1], [2, 0]], ["iph", "dovenet"]).relative_to("ipg"), "did you mean 'iph'"),
        (lambda: davidson(UNANIMOUS, np.zeros((3, 3))), "both ties and decisive"),
        (lambda: davidson(UNANIMOUS, np.triu(np.ones((3, 3)), 1)), "symmetric"),
        (lambda: side_effect(UNANIMOUS, UNANIMOUS, link="log"), "did you mean 'logit'"),
        (lambda: side_effect([[0, 10], [0, 0]], [[0, 5], [0, 0]]), "cannot tell the side from the methods"),
        (lambda: side_effect(4 - 4 * np.eye(3), np.zeros((3, 3))), "the left side takes all .* won 24 of 24"),
        (lambda: side_effect([[0, 0], [1, 0]], [[0, 2], [3, 0]]), "the right side takes all .* won 1 of 6"),
        (lambda: bootstrap_raters(UNANIMOUS[None]), "at least two raters"),
    ],
)
def test_errors_say_what_was_expected(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_wins_may_be_a_table_with_names():
    table = pd.DataFrame(UNANIMOUS, index=NAMES, columns=NAMES)
    assert bradley_terry(table, regularized=1).names == tuple(NAMES)


def test_two_methods_have_no_spare_pair_to_test_the_fit():
    fitted = bradley_terry([[0, 30], [10, 0]])
    assert goodness_of_fit(fitted).p_value is None
    assert fitted.worth[0] == pytest.approx(0.75)
    assert fitted.se[0] == pytest.approx(np.sqrt(1 / 30 + 1 / 10) / 2)


def rater_wins(seed: int, raters: int = 30, votes: int = 20, scores=(1.2, 0.1, 0.0, -1.3), deviation: float = 0.3):
    draw, scores = np.random.default_rng(seed), np.array(scores)
    wins = np.zeros((raters, len(scores), len(scores)))
    for rater in range(raters):
        taste = scores + draw.normal(scale=deviation, size=len(scores))
        for _ in range(votes):
            i, j = draw.choice(len(scores), 2, replace=False)
            first = draw.random() < 1 / (1 + np.exp(taste[j] - taste[i]))
            wins[rater, i, j] += first
            wins[rater, j, i] += not first
    return wins


def test_bootstrap_repeats_draws_of_raters_fitted_one_by_one():
    wins = rater_wins(1)
    boots = bootstrap_raters(wins, replicates=40, seed=5)
    draws = np.random.default_rng(5).integers(30, size=(40, 30))
    for model, score in (("bradley-terry", bradley_terry), ("thurstone", thurstone_case_v)):
        one_by_one = [score(wins[drawn].sum(axis=0)).scores for drawn in draws]
        np.testing.assert_allclose(boots[model].replicates, one_by_one, atol=1e-5)


def test_bootstrap_and_clustered_errors_agree():
    wins = rater_wins(2, raters=80)
    fitted = bradley_terry(wins.sum(axis=0), rater_wins=wins)
    boot = bootstrap_raters(wins, models=["bradley-terry"], replicates=2000)["bradley-terry"]
    np.testing.assert_allclose(boot.se(), fitted.clustered_se, rtol=0.12)
    low, high = boot.interval()
    assert (low < fitted.scores).all() and (fitted.scores < high).all()
    best, worst = boot.rank_interval()
    assert best[0] == worst[0] == 1 and best[3] == worst[3] == 4 and list(best[1:3]) == [2, 2]
    assert boot.worth_interval()[0, 0] < fitted.worth[0] < boot.worth_interval()[1, 0]


def test_draws_without_a_finite_answer_are_counted_not_hidden():
    wins = np.zeros((6, 2, 2))
    wins[:, 0, 1] = 3
    wins[0, 1, 0] = 1  # one rater holds the only win of the second method
    boot = bootstrap_raters(wins, replicates=3000)["bradley-terry"]
    expected = (5 / 6) ** 6  # draws that miss this rater
    assert boot.degenerate / 3000 == pytest.approx(expected, abs=0.03)
    assert np.isfinite(boot.replicates).all() and len(boot.replicates) == 3000 - boot.degenerate
    assert bootstrap_raters(wins, replicates=300, regularized=1.0)["thurstone"].degenerate == 0


def test_sparse_and_dense_counts_give_the_same_bootstrap():
    wins = rater_wins(3, raters=60, votes=3, scores=np.linspace(-1, 1, 9))  # few cells per rater: the sparse product
    dense = bootstrap_raters(wins, replicates=20, seed=1)["thurstone"]
    sparse = bootstrap_raters(csr_array(wins.reshape(60, -1)), replicates=20, seed=1)["thurstone"]
    np.testing.assert_array_equal(dense.replicates, sparse.replicates)


def test_ranks_and_classes_leave_open_what_the_tests_do_not_show():
    wins = rater_wins(4, raters=60, scores=(1.2, 0, 0, -1.3))
    fitted = bradley_terry(wins.sum(axis=0), list("abcd"), rater_wins=wins)
    tests = pairwise_tests(fitted, raters=60)
    assert tests.classes() == (("a",), ("b", "c"), ("d",))
    np.testing.assert_array_equal(tests.rank_interval(), [[1, 2, 2, 4], [1, 3, 3, 4]])
    assert tests.errors == "clustered by rater"
    assert (tests.p_holm >= tests.p_value - 1e-15).all() and not tests.better.diagonal().any()
    with pytest.raises(InputError, match="number of raters"):
        pairwise_tests(fitted)


@pytest.mark.parametrize("regularized", [0.0, 1.0])
def test_raters_who_split_their_votes_alike_show_no_errors(regularized):
    def alike(wins: np.ndarray) -> bool:
        fitted = bradley_terry(wins.sum(axis=0), rater_wins=wins, regularized=regularized)
        return bool(raters_alike(fitted.clustered_covariance, fitted.covariance))

    assert alike(np.tile([[0, 2], [1, 0]], (5, 1, 1))) and alike(np.tile(UNANIMOUS + 1 - np.eye(3), (7, 1, 1)))
    assert not alike(rater_wins(5))
    # They differ on the first two methods only; what they say of the third is always the same.
    split = np.array([[0, 2, 1], [0, 0, 1], [1, 1, 0]])
    assert alike(np.stack([split, split, split[[1, 0, 2]][:, [1, 0, 2]], split[[1, 0, 2]][:, [1, 0, 2]]]))


def test_triads_of_raters_and_of_the_majority():
    circle = np.zeros((3, 3))
    circle[0, 1] = circle[1, 2] = circle[2, 0] = 1
    line = np.triu(np.ones((3, 3)), 1)
    open_pair = line.copy()
    open_pair[0, 1] = 0
    raters = np.stack([circle, line, line, open_pair])
    found = triad_summary(csr_array(raters.reshape(4, -1)), raters.sum(axis=0))
    assert (found.triads, found.circles, found.expected) == (3, 1, 0.75)
    assert (found.pooled_triads, found.pooled_circles) == (1, 0)


@pytest.mark.parametrize(("part", "whole"), [(0, 10), (3, 10), (10, 10), (516, 1000)])
def test_wilson_interval(part, whole):
    expected = binomtest(part, whole).proportion_ci(method="wilson")
    assert wilson_interval(part, whole) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert wilson_interval(0, 0) is None


def rankings(trials: list[list[str]], methods: str = "abcd", raters: int = 2) -> pd.DataFrame:
    """Each trial lists the ranked methods from the best; the others are shown and unranked."""
    rows = []
    for number, order in enumerate(trials):
        for method in methods:
            rank = order.index(method) + 1 if method in order else None
            rows.append((f"r{number % raters}", number // raters, f"picture {number // raters}", method, rank))
    return pd.DataFrame(rows, columns=["rater", "trial", "item", "method", "rank"])


def test_ranking_score_is_three_two_one_and_nothing_for_the_unranked():
    score = ranking_score(read_rankings(rankings([list("abc"), list("ab"), list("dcba"), ["b"]])))
    np.testing.assert_array_equal(score.total, [3 + 3 + 0 + 0, 2 + 2 + 1 + 3, 1 + 0 + 2 + 0, 0 + 0 + 3 + 0])
    np.testing.assert_allclose(score.per_rater, score.total / 2)
    np.testing.assert_allclose(score.per_trial, score.total / 4)
    np.testing.assert_array_equal(score.unranked, [1, 0, 2, 3])
    assert score.rank_counts[0].tolist() == [2, 0, 0, 1] and score.complete_trials == 2


def test_ranking_score_reaches_table_2():
    """Table 2 reports 19.4, 26.4, 12.26 and 28.33 over 30 raters: 582, 792, 368 and 850 points in 432 rankings."""
    left, trials, draw = np.array([582, 792, 368, 850]), [], np.random.default_rng(2)
    for _ in range(432):
        order = np.argsort(-(left + 2 * draw.random(4)))  # most points to who needs most; this draw ends at zero
        left = left - np.array([3, 2, 1, 0])[np.argsort(order)]
        trials.append([names for names in np.array(["DoveNet", "BargainNet", "RainNet", "IPH"])[order[:3]]])
    assert not left.any()
    table = rankings(trials, methods=("DoveNet", "BargainNet", "RainNet", "IPH"), raters=30)
    score = ranking_score(read_rankings(table, ["DoveNet", "BargainNet", "RainNet", "IPH"]))
    np.testing.assert_allclose(score.per_rater, [19.4, 26.4, 12.2667, 28.3333], atol=5e-5)


def test_any_number_of_points():
    table = rankings([list("abcd"), list("dcba")])
    np.testing.assert_array_equal(ranking_score(read_rankings(table), points=[1]).total, [1, 0, 0, 1])
    np.testing.assert_array_equal(ranking_score(read_rankings(table), points=[9, 5, 2, 1, 0.5]).total, [10, 7, 7, 10])


def test_kendalls_w():
    assert kendalls_w([[1, 2, 3]] * 4).w == pytest.approx(1)
    assert kendalls_w([[1, 2], [2, 1]]).w == pytest.approx(0)
    # Siegel & Castellan's formula without ties: W from the sums of ranks 1..n.
    draw = np.random.default_rng(0)
    ranks = np.array([draw.permutation(5) + 1 for _ in range(7)])
    sums = ranks.sum(axis=0)
    expected = 12 * ((sums - sums.mean()) ** 2).sum() / (7**2 * (5**3 - 5))
    assert kendalls_w(ranks).w == pytest.approx(expected)
    # With ties W is the mean Spearman correlation of all pairs of raters, made into W = ((m - 1) r + 1) / m.
    tied = np.array([[1, 2.5, 2.5, 4], [1, 2, 3, 4], [2, 1, 3.5, 3.5]])
    r = np.mean([np.corrcoef(tied[i], tied[j])[0, 1] for i in range(3) for j in range(i)])
    assert kendalls_w(tied).w == pytest.approx((2 * r + 1) / 3, abs=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(rank=[1, 1, 2, 3]), "each once"),
        (lambda t: t.assign(rank=[1, 3, 4, None]), "1, 2, 3"),
        (lambda t: t.drop(columns="rank"), "column 'rank'"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "one row per method"),
        (lambda t: t.rename(columns={"method": "metod"}), "did you mean 'metod'"),
    ],
)
def test_rankings_that_are_none(change, message):
    with pytest.raises(InputError, match=message):
        read_rankings(change(rankings([list("abc")])))


def test_plackett_luce_needs_choices_that_lead_everywhere():
    with pytest.raises(InputError, match="a never lost"):
        plackett_luce(read_rankings(rankings([list("abcd"), list("adcb")])))
