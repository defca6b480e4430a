"""Planning: exact power against brute force, simulated power against known cases."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest, norm

from userstudy.design.planning import exact_power, votes_per_pair
from userstudy.design.power import Setup, raters_needed, study_power
from userstudy.errors import InputError


@pytest.mark.parametrize(
    ("votes", "probability", "alpha"), [(7, 0.7, 0.05), (30, 0.75, 0.05), (41, 0.6, 0.005), (3, 0.9, 0.05)]
)
def test_exact_power_is_the_sum_over_rejecting_outcomes(votes, probability, alpha):
    rejecting = [won for won in range(votes + 1) if binomtest(won, votes).pvalue <= alpha + 1e-12]
    expected = sum(binom.pmf(won, votes, probability) for won in rejecting)
    assert exact_power(votes, probability, alpha) == pytest.approx(expected, abs=1e-12)


def test_power_never_falls_short_from_the_safe_number_on():
    found = votes_per_pair(0.6)
    assert (found.votes, found.safe_votes) == (199, 210)
    power = exact_power(np.arange(1, 2000), 0.6)
    assert (power[found.safe_votes - 1 :] >= 0.8).all() and power[found.safe_votes - 2] < 0.8
    assert (power[: found.votes - 1] < 0.8).all() and found.power == pytest.approx(power[found.votes - 1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"probability": 0.5}, "within \\(0.5, 1\\)"),
        ({"probability": 0.6, "power": 1}, "power within"),
        ({"probability": 0.6, "alpha": 0}, "alpha within"),
        ({"probability": 0.5001}, "100,000 votes"),
        ({"probability": 0.7, "comparisons": 0}, "one comparison"),
    ],
)
def test_plans_that_cannot_be(arguments, message):
    with pytest.raises(InputError, match=message):
        votes_per_pair(**arguments)


def test_simulated_power_of_one_pair_is_near_the_exact_one():
    """Two methods, raters alike: the study is one binomial test, here done by a t test of about the same size."""
    setup = Setup(scores=(0.0, 0.5244), votes_per_rater=1, rater_deviation=0.0)  # 70 %
    assert study_power(setup, raters=49, simulations=2000).least == pytest.approx(0.80, abs=0.04)


@pytest.mark.parametrize("raters", [4, 30])
def test_clustered_tests_keep_their_level_where_independent_ones_do_not(raters, monkeypatch):
    # Differences of 1e-9 have a true direction but can't be seen: each direction is a false finding half the time.
    setup = Setup((0.0, 1e-9, 2e-9, 1.0), votes_per_rater=40, smallest=0.5, rater_deviation=0.4, correction="none")

    def false_findings() -> float:
        power = study_power(setup, raters, simulations=1500).pair_power
        return 2 * float(np.mean([power[0, 1], power[0, 2], power[1, 2]]))

    assert false_findings() == pytest.approx(0.05, abs=0.02)
    monkeypatch.setattr("userstudy.design.power.use_clustered", lambda raters: False)
    assert false_findings() > 0.12


def test_simulated_raters_who_vote_alike_are_tested_as_the_report_tests_them(monkeypatch):
    class Even:  # every rater prefers the better one in two of three votes
        normal = staticmethod(lambda scale, size: np.zeros(size))
        random = staticmethod(np.zeros)
        binomial = staticmethod(lambda votes, share: np.rint(votes * share))

    monkeypatch.setattr("numpy.random.default_rng", lambda seed: Even)
    for votes, power in ((6, 0.0), (30, 1.0)):  # 16 of 24: p = 0.11; 80 of 120: p = 0.0004
        setup = Setup((0.0, float(norm.ppf(2 / 3))), votes, rater_deviation=0.0)
        assert study_power(setup, raters=4, simulations=1).least == power


def test_corrections_cost_power_and_ties_cost_votes():
    base = {"scores": (-0.3, 0.0, 0.3), "votes_per_rater": 12}
    least = {
        name: study_power(Setup(**base, correction=name), raters=20).least for name in ("none", "holm", "bonferroni")
    }
    assert least["none"] > least["holm"] >= least["bonferroni"]
    assert study_power(Setup(**base, indecisive=0.5), raters=20).least < least["holm"] - 0.1


def test_number_of_raters_reaches_the_power_and_few_fewer_do_not():
    setup = Setup((-0.4, 0.0, 0.4), votes_per_rater=12)
    tried = raters_needed(setup)
    enough = next(study for study in tried if study.least >= 0.8)
    below = [study.raters for study in tried if study.least < 0.8]
    assert enough.raters - max(below) <= max(1, 0.05 * enough.raters)
    assert enough.votes == enough.raters * 12 and enough.pair_power[0, 2] > enough.least
    assert np.isnan(enough.pair_power.diagonal()).all()


def test_the_same_seed_draws_the_same_studies():
    setup = Setup((0.0, 0.3, 0.6), votes_per_rater=9)
    first, second = study_power(setup, 15, seed=4), study_power(setup, 15, seed=4)
    np.testing.assert_array_equal(first.pair_power, second.pair_power)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Setup((0.0, 1.0), 10, correction="hollm"), "did you mean 'holm'"),
        (lambda: Setup((0.0,), 10), "at least two methods"),
        (lambda: Setup((0.0, 0.1), 10, smallest=0.2), "some difference of scores above 0.2"),
        (lambda: Setup((0.0, 0.1), 0), "one vote per rater"),
        (lambda: study_power(Setup((0.0, 0.1), 10), 1), "at least two raters"),
        (lambda: raters_needed(Setup((0.0, 1e-6), 10), simulations=20), "20,000 raters"),
        (lambda: raters_needed(Setup((0.0, 8.0), 10), simulations=20), "unanimously that 100% .* no finite fit"),
        (lambda: Setup((0.0, 0.1), 10, indecisive=1.0), "within \\[0, 1\\), got 10 and 1.0"),
        (lambda: Setup((0.0, 0.1), 10, rater_deviation=-1), "deviation of raters of 0 or more"),
    ],
)
def test_impossible_setups(call, message):
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize("power", [0.1, 0.5, 0.8, 0.99])
@pytest.mark.parametrize("probability", [0.53, 0.6, 0.8, 0.97, 0.999])
def test_votes_per_pair_is_the_first_of_all_numbers(probability, power):
    reached = exact_power(np.arange(1, 8000), probability) >= power
    found = votes_per_pair(probability, power)
    assert found.votes == np.argmax(reached) + 1
    assert found.safe_votes == (np.flatnonzero(~reached)[-1] + 2 if not reached.all() else 1)
