"""Krippendorff's alpha against evalica, and repeats against what was put in."""

import evalica
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voting import drawn_votes, extra

from userstudy.report.agreement import krippendorff_alpha, repeat_agreement, vote_agreement
from userstudy.scores.counts import count_units


@given(st.integers(0, 2**31), st.integers(2, 6), st.integers(2, 12), st.integers(2, 4))
@settings(max_examples=60)
def test_alpha_is_that_of_evalica(seed, raters, units, values):
    draw = np.random.default_rng(seed)
    data = pd.DataFrame(draw.integers(values, size=(raters, units)).astype(float)).mask(
        draw.random((raters, units)) < 0.3
    )
    counts = np.stack([(data == value).sum().to_numpy() for value in range(values)], axis=1)
    shared = counts[counts.sum(axis=1) > 1].sum(axis=0)
    found = krippendorff_alpha(counts)
    if (shared > 0).sum() < 2:  # nothing varies
        assert found is None
    else:
        assert found == pytest.approx(evalica.alpha(data).alpha, abs=1e-9)


def test_alpha_of_votes_does_not_hang_on_names():
    scores = {"a": -0.9, "b": 0.1, "c": 0.9}
    votes = drawn_votes(scores, items=3, tie_width=0.2)
    plain = vote_agreement(count_units(votes, ["a", "b", "c"]))
    turned = vote_agreement(count_units(votes, ["c", "a", "b"]))
    assert plain.alpha == pytest.approx(turned.alpha) and plain.units == 9
    assert 0.1 < plain.alpha < 0.6
    coin_tosses = votes.assign(choice=np.random.default_rng(0).choice(["left", "right"], len(votes)))
    assert abs(vote_agreement(count_units(coin_tosses, ["a", "b", "c"])).alpha) < 0.05


def test_raters_who_never_share_a_pair_have_no_agreement():
    votes = pd.DataFrame([extra("r1", 0, "left", "normal"), extra("r2", 0, "left", "normal", item="picture 1")])
    found = vote_agreement(count_units(votes))
    assert found.alpha is None and found.units == 0


def test_repeats_compare_methods_not_sides():
    swapped = {"left": "b", "right": "a"}
    rows = [
        extra("r1", 0, "left", "normal"),
        extra("r1", 1, "right", "repeat", **swapped),  # a again: the same
        extra("r2", 0, "left", "normal"),
        extra("r2", 1, "left", "repeat", **swapped),  # b now, the left side again
        extra("r3", 0, "tie", "normal"),
        extra("r3", 1, "tie", "repeat", **swapped),  # the same
        extra("r4", 0, "left", "normal"),
        extra("r4", 1, "skip", "repeat", **swapped),  # no answer
        extra("r5", 1, "left", "repeat", item="picture 9"),  # its first showing was never answered
        extra("r5", 2, "both_bad", "normal"),
        extra("r5", 3, "tie", "repeat", **swapped),  # both bad is not a tie
    ]
    found = repeat_agreement(pd.DataFrame(rows))
    assert (found.asked, found.same, found.same_side) == (4, 2, 1)
    assert found.share == 0.5 and found.interval[0] == pytest.approx(0.150, abs=1e-3)
    assert found.by_rater == {"r1": (1, 1), "r2": (1, 0), "r3": (1, 1), "r5": (1, 0)}
    assert repeat_agreement(pd.DataFrame(rows[:1])).share is None
