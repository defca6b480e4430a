"""What must hold for any votes: new names, one more win and swapped sides change scores as they should."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from userstudy.errors import InputError
from userstudy.scores import bradley_terry, check_connectivity, davidson, holm, side_effect, thurstone_case_v
from userstudy.scores.significance import letter_groups

quick = settings(max_examples=25, suppress_health_check=[HealthCheck.filter_too_much])


def score_column_mean(wins):
    return thurstone_case_v(wins, method="column-mean", zero_cells="half")


SCORES = {"bradley-terry": bradley_terry, "thurstone": thurstone_case_v, "column-mean": score_column_mean}


@st.composite
def win_matrices(draw, least: int = 1) -> np.ndarray:
    """Complete designs of 2 to 6 methods in which every method beats every other at least ``least`` times."""
    size = draw(st.integers(2, 6))
    cells = draw(st.lists(st.integers(least, 40), min_size=size * size, max_size=size * size))
    wins = np.array(cells, dtype=float).reshape(size, size)
    np.fill_diagonal(wins, 0)
    return wins


@pytest.mark.parametrize("model", SCORES)
@given(wins=win_matrices(), seed=st.integers(0, 2**31))
@quick
def test_names_do_not_matter(model, wins, seed):
    order = np.random.default_rng(seed).permutation(len(wins))
    plain, shuffled = SCORES[model](wins), SCORES[model](wins[np.ix_(order, order)])
    np.testing.assert_allclose(shuffled.scores, plain.scores[order], atol=1e-7)
    np.testing.assert_allclose(shuffled.se, plain.se[order], rtol=1e-6)


@pytest.mark.parametrize("model", SCORES)
@given(wins=win_matrices(), more=st.integers(1, 20), data=st.data())
@quick
def test_a_win_lifts_the_winner_and_lowers_the_loser_most(model, wins, more, data):
    i, j = data.draw(st.permutations(range(len(wins))))[:2]
    extra = wins.copy()
    extra[i, j] += more
    change = SCORES[model](extra).scores - SCORES[model](wins).scores
    assert change[i] > 0 > change[j]
    assert change[i] >= change.max() - 1e-9 and change[j] <= change.min() + 1e-9


@pytest.mark.parametrize("model", SCORES)
@given(wins=win_matrices())
@quick
def test_swapped_preferences_mirror_the_scores(model, wins):
    np.testing.assert_allclose(SCORES[model](wins.T).scores, -SCORES[model](wins).scores, atol=1e-7)


@pytest.mark.parametrize("model", SCORES)
@given(wins=win_matrices())
@quick
def test_scores_are_zero_centred_and_more_votes_narrow_them(model, wins):
    fitted = SCORES[model](wins)
    assert abs(fitted.scores.sum()) < 1e-9 and abs(fitted.covariance.sum()) < 1e-9
    if model != "column-mean":  # adding half a win changes the shares
        again = SCORES[model](wins * 4)
        np.testing.assert_allclose(again.scores, fitted.scores, atol=1e-7)
        np.testing.assert_allclose(again.se, fitted.se / 2, rtol=1e-6)


@pytest.mark.parametrize("link", ["logit", "probit"])
@given(left=win_matrices(), seed=st.integers(0, 2**31))
@quick
def test_mirrored_sides_turn_the_side_effect_round(link, left, seed):
    right = np.random.default_rng(seed).integers(1, 30, size=left.shape).astype(float)
    np.fill_diagonal(right, 0)
    plain, mirrored = side_effect(left, right, link=link), side_effect(right.T, left.T, link=link)
    np.testing.assert_allclose(mirrored.scores, plain.scores, atol=1e-7)
    assert mirrored.effect == pytest.approx(-plain.effect, abs=1e-7)
    assert mirrored.p_value == pytest.approx(plain.p_value, rel=1e-6, abs=1e-12)


@given(seed=st.integers(0, 2**31), size=st.integers(2, 4), density=st.sampled_from([0.3, 0.7, 1.5]))
@quick
def test_a_side_effect_exists_exactly_when_no_direction_separates_the_votes(seed, size, density):
    """Albert & Anderson (1984) by linear programming: scores and a side of 1 or -1 that no vote speaks against."""
    left, right = np.random.default_rng(seed).poisson(density, (2, size, size)) * (1 - np.eye(size))
    assume(check_connectivity(left + right.T, range(size)).connected)
    rows = []
    for wins, sign in ((left, 1.0), (right, -1.0)):
        for i, j in zip(*np.nonzero(wins), strict=True):
            rows.append(sign * np.array([*(np.eye(size)[i] - np.eye(size)[j]), 1.0]))
    rows = np.array(rows)
    given = {"c": np.zeros(size), "A_ub": -rows[:, :-1], "bounds": (None, None)}
    separated = {side: linprog(b_ub=side * rows[:, -1], **given).status == 0 for side in (1, -1)}
    if not any(separated.values()):
        assert side_effect(left, right).effect_se < 50
    else:
        message = "cannot tell the side" if all(separated.values()) else "left" if separated[1] else "right"
        with pytest.raises(InputError, match=message):
            side_effect(left, right)


@given(wins=win_matrices(), ties=win_matrices())
@quick
def test_davidson_names_do_not_matter_and_mirror(wins, ties):
    assume(len(wins) == len(ties))
    ties = ties + ties.T
    plain, mirrored = davidson(wins, ties), davidson(wins.T, ties)
    np.testing.assert_allclose(mirrored.scores, -plain.scores, atol=1e-7)
    assert mirrored.nu == pytest.approx(plain.nu)
    order = np.arange(len(wins))[::-1]
    turned = davidson(wins[np.ix_(order, order)], ties[np.ix_(order, order)])
    np.testing.assert_allclose(turned.scores, plain.scores[order], atol=1e-7)


@given(wins=win_matrices(least=0))
@quick
def test_scores_exist_exactly_when_wins_lead_everywhere(wins):
    reach = np.linalg.matrix_power(np.eye(len(wins)) + (wins > 0), len(wins)) > 0
    names = [f"m{k}" for k in range(len(wins))]
    found = check_connectivity(wins, names)
    assert found.connected == reach.all()
    for score in (bradley_terry, thurstone_case_v):
        if found.connected:
            assert np.isfinite(score(wins, names).scores).all()
        else:
            with pytest.raises(InputError, match="regularized"):
                score(wins, names)
            assert np.isfinite(score(wins, names, regularized=1.0).scores).all()
    assert sorted(name for group in found.groups for name in group) == names


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=12))
@quick
def test_holm_rejects_what_the_step_down_procedure_rejects(p):
    p, alpha = np.array(p), 0.05
    rejected = np.zeros(len(p), dtype=bool)
    for step, index in enumerate(np.argsort(p, kind="stable")):
        if p[index] > alpha / (len(p) - step):
            break
        rejected[index] = True
    clear = np.abs(p[:, None] * np.arange(1, len(p) + 1) - alpha).min(axis=1) > 1e-12  # not on a rounding edge
    assert ((holm(p) <= alpha) == rejected)[clear].all()


@given(size=st.integers(2, 7), data=st.data())
@quick
def test_classes_share_a_letter_exactly_when_not_different(size, data):
    different = np.zeros((size, size), dtype=bool)
    for i in range(size):
        for j in range(i):
            different[i, j] = different[j, i] = data.draw(st.booleans())
    groups = letter_groups(different, range(size))
    together = np.zeros_like(different)
    for group in groups:
        together[np.ix_(group, group)] = True
    assert np.array_equal(together, ~different)
    assert not any(set(a) < set(b) for a in groups for b in groups)
