"""Votes into counts: only normal, decisive votes are wins, and nothing is lost or mixed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from userstudy.errors import InputError
from userstudy.scores.counts import CHOICES, KINDS, count_units, count_votes

COLUMNS = ["rater", "trial", "item", "left", "right", "choice", "kind"]


def table(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


METHODS = ["a", "b", "c", "d"]
vote = st.tuples(
    st.sampled_from(["r1", "r2", "r3", "r4", "r5"]),
    st.just(0),
    st.sampled_from(["p1", "p2"]),
    st.permutations(METHODS).map(lambda order: order[:2]),
    st.sampled_from(CHOICES),
    st.sampled_from(KINDS),
)


@given(st.lists(vote, min_size=1, max_size=60))
@settings(max_examples=60)
def test_counts_are_what_a_loop_counts(votes):
    rows = [(rater, trial, item, *shown, choice, kind) for rater, trial, item, shown, choice, kind in votes]
    normal = [row for row in rows if row[6] == "normal"]
    if not normal:
        with pytest.raises(InputError, match="at least one vote of kind 'normal'"):
            count_votes(table(*rows), METHODS)
        return
    counts = count_votes(table(*rows), METHODS)
    place = {name: index for index, name in enumerate(METHODS)}
    per_rater = np.zeros((len(counts.raters), 4, 4))
    for rater, _, _, left, right, choice, _ in normal:
        if choice in ("left", "right"):
            winner, loser = (left, right) if choice == "left" else (right, left)
            per_rater[counts.raters.index(rater), place[winner], place[loser]] += 1
    assert counts.raters == tuple(sorted({row[0] for row in normal}))
    np.testing.assert_array_equal(counts.rater_wins.toarray().reshape(-1, 4, 4), per_rater)
    np.testing.assert_array_equal(counts.wins, per_rater.sum(axis=0))
    for choice in CHOICES:
        assert counts.total(choice) == sum(row[5] == choice for row in normal)
    for choice in ("tie", "both_bad", "skip"):
        pair = sum(row[5] == choice and {row[3], row[4]} == {"a", "b"} for row in normal)
        assert counts.unordered(choice)[0, 1] == counts.unordered(choice)[1, 0] == pair
    units = count_units(table(*rows), METHODS)
    assert units[["first_wins", "second_wins", "ties", "both_bad", "skips"]].to_numpy().sum() == len(normal)
    for unit in units.itertuples():
        same = [row for row in normal if row[2] == unit.item and {row[3], row[4]} == {unit.first, unit.second}]
        won = sum((row[3] if row[5] == "left" else row[4]) == unit.first for row in same if row[5] in ("left", "right"))
        assert (unit.first < unit.second) and unit.first_wins == won


def test_mirrored_sides_are_the_same_wins():
    rows = [("r1", 0, "p", "a", "b", "left", "normal"), ("r1", 1, "p", "c", "a", "right", "normal")]
    swap = {"left": "right", "right": "left"}
    mirrored = [(*row[:3], row[4], row[3], swap[row[5]], row[6]) for row in rows]
    plain, other = count_votes(table(*rows)), count_votes(table(*mirrored))
    np.testing.assert_array_equal(plain.wins, other.wins)
    np.testing.assert_array_equal(plain.left_wins, other.right_wins.T)


def test_some_raters_only():
    rows = [("r1", 0, "p", "a", "b", "left", "normal"), ("r2", 0, "p", "a", "b", "right", "normal")]
    kept = count_votes(table(*rows)).only(np.array([False, True]))
    assert kept.raters == ("r2",) and kept.wins.tolist() == [[0, 0], [1, 0]]


def test_a_million_votes_of_a_rater_take_no_more_memory_than_one():
    many = pd.concat([table(("r1", 0, "p", "a", "b", "left", "normal"))] * 5000)
    counts = count_votes(many)
    assert counts.rater_wins.nnz == 1 and counts.rater_wins.sum() == 5000


def test_names_may_be_numbers():
    rows = [(1, 0, 7, 10, 2, "left", "normal"), (2, 0, 7, 2, 10, "left", "normal")]
    counts = count_votes(table(*rows))
    assert counts.methods == ("10", "2") and counts.wins.tolist() == [[0, 1], [1, 0]]
    assert count_units(table(*rows)).iloc[0]["first"] == "10"


GOOD = ("r1", 0, "p", "a", "b", "left", "normal")


@pytest.mark.parametrize(
    ("votes", "message"),
    [
        (table(("r1", 0, "p", "a", "b", "lft", "normal")), "got 'lft'; did you mean 'left'"),
        (table(("r1", 0, "p", "a", "b", "left", "gold")), "expected kind to be one of .* got 'gold'"),
        (table(("r1", 0, "p", "a", "a", "left", "normal"), GOOD), "two different methods in a vote, got 'a'"),
        (table(("r1", 0, "p", "a", None, "left", "normal")), "a value of 'right' in every row, got 1"),
        (table(GOOD).drop(columns="choice"), "expected a column 'choice'"),
        (table(GOOD).rename(columns={"left": "lefft"}), "did you mean 'lefft'"),
        (table(), "at least one vote"),
    ],
)
def test_tables_that_are_no_votes(votes, message):
    with pytest.raises(InputError, match=message):
        count_votes(votes)


def test_votes_on_an_unknown_method_name_the_nearest():
    with pytest.raises(InputError, match="got one on 'b'"):
        count_votes(table(GOOD), ["a", "c"])
    with pytest.raises(InputError, match="at least two methods"):
        count_votes(table(("r1", 0, "p", "a", "a", "left", "normal")))
