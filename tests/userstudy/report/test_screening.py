"""Screening lists the raters that were made odd, says why, and leaves honest ones alone."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from voting import drawn_votes, extra

from userstudy.errors import InputError
from userstudy.report.screening import Thresholds, leave_one_out, outlier_distance, screen_raters
from userstudy.scores.counts import count_votes

SCORES = {"a": -0.8, "b": -0.2, "c": 0.2, "d": 0.8}


def screened(votes: pd.DataFrame, **limits: float) -> dict[str, tuple[str, ...]]:
    found = screen_raters(votes, count_votes(votes), Thresholds(**limits))
    return {check.rater: check.reasons for check in found.raters if check.reasons}


def test_honest_raters_are_left_alone():
    assert screened(drawn_votes(SCORES, deviation=0.0)) == {}


def test_a_rater_who_prefers_what_is_worse_is_unlike_the_others():
    flagged = screened(drawn_votes(SCORES, liars=[4]))
    assert set(flagged) == {"r04"} and "less like the others'" in flagged["r04"][0]


def test_side_bias_is_tested_with_a_correction_over_raters():
    votes = drawn_votes(SCORES, deviation=0.0)
    mine = votes["rater"] == "r07"
    votes.loc[mine, "choice"] = "left"
    flagged = screened(votes)
    assert "chose the left side 40 times in 40" in flagged["r07"]
    found = screen_raters(votes, count_votes(votes)).raters[0]
    assert found.side_p == pytest.approx(
        min(1, 2 * binom.cdf(min(found.left, found.decisive - found.left), found.decisive, 0.5))
    )


def test_fast_answers_and_failed_checks():
    votes = drawn_votes(SCORES, deviation=0.0)
    votes.loc[(votes["rater"] == "r01") & (votes["trial"] < 25), "seconds"] = 0.4
    checks = [
        extra("r02", 100 + k, choice, "golden", "left") for k, choice in enumerate(["right", "right", "left", "skip"])
    ]
    checks += [extra("r03", 100 + k, choice, "attention", "left") for k, choice in enumerate(["left"] * 4 + ["right"])]
    flagged = screened(pd.concat([votes, pd.DataFrame(checks)]))
    assert flagged == {"r01": ("answered 62% of pairs within 1 s",), "r02": ("failed 2 of 3 check pairs",)}
    assert screened(votes, fast_seconds=0.3) == {}


def test_leave_one_out_is_the_likelihood_under_a_fit_of_the_others():
    votes = drawn_votes(SCORES, raters=6, votes=60)
    counts = count_votes(votes)
    likelihood, surprise = leave_one_out(counts)
    from userstudy.scores import bradley_terry

    others = counts.wins - counts.rater_wins.toarray()[2].reshape(4, 4)
    fitted = bradley_terry(others, regularized=0.01)
    p = 1 / (1 + np.exp(-(fitted.scores[:, None] - fitted.scores[None, :])))
    own = counts.rater_wins.toarray()[2].reshape(4, 4)
    assert likelihood[2] == pytest.approx((own * np.log(p)).sum() / own.sum(), abs=1e-6)
    # Surprise against simulation of the same pairs.
    draw, games = np.random.default_rng(0), np.triu(own + own.T, 1).astype(int)
    drawn = []
    for _ in range(4000):
        won = draw.binomial(games, p)
        drawn.append((won * np.log(p)).sum() + ((games - won) * np.log(1 - p)).sum())
    expected = (np.mean(drawn) - (own * np.log(p)).sum()) / np.std(drawn)
    assert surprise[2] == pytest.approx(expected, abs=0.08)


def test_one_rater_has_no_others():
    votes = drawn_votes(SCORES, raters=1)
    found = screen_raters(votes, count_votes(votes)).raters[0]
    assert found.log_likelihood is None and found.distance is None


def test_outlier_distance_is_in_interquartile_ranges():
    values = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 9.0, np.nan])
    low, high = np.quantile(values[:-1], [0.25, 0.75])
    found = outlier_distance(values)
    assert found[5] == pytest.approx((9 - high) / (high - low)) and found[0] == 0 and np.isnan(found[6])
    assert np.isnan(outlier_distance(np.array([1.0, 2.0, 3.0]))).all()


def test_a_check_without_its_right_answer_is_an_error():
    votes = pd.concat([drawn_votes(SCORES), pd.DataFrame([extra("r02", 100, "left", "golden")])])
    with pytest.raises(InputError, match="right choice in 'expected'"):
        screen_raters(votes, count_votes(votes))
