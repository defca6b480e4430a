"""The balanced design: how evenly seats, items, pairs and sides are spread."""

import itertools
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_files import RATERS, write_study

from userstudy.design.balanced import balanced_pairs, balanced_rankings, plan, planned, round_robin, spread_items
from userstudy.design.study_file import load_study


def names(letter, count):
    return [f"{letter}{number}" for number in range(count)]


def spread(counts: Counter, possible: int) -> int:
    return max(counts.values()) - (min(counts.values()) if len(counts) == possible else 0)


designs = st.tuples(st.integers(2, 7), st.integers(1, 9), st.integers(0, 5)).flatmap(
    lambda size: st.tuples(st.just(size), st.integers(1, size[1] * size[0] * (size[0] - 1) // 2))
)


@pytest.mark.parametrize("count", range(2, 12))
def test_a_round_robin_meets_everyone_once_and_rests_everyone_between(count):
    methods = names("m", count)
    pairs = round_robin(methods)
    assert Counter(map(frozenset, pairs)) == Counter(map(frozenset, itertools.combinations(methods, 2)))
    for start in range(0, len(pairs), count // 2):
        playing = [method for pair in pairs[start : start + count // 2] for method in pair]
        assert len(playing) == len(set(playing))


@settings(max_examples=60)
@given(designs)
def test_cells_items_pairs_and_sides_are_even(design):
    (methods_count, items_count, seed), per_rater = design
    methods, items = names("m", methods_count), names("i", items_count)
    pairs_count = methods_count * (methods_count - 1) // 2
    cells, sides = Counter(), Counter()
    for seat in range(8):
        trials = balanced_pairs(methods, items, seat, per_rater, seed)
        shown = Counter((trial.item, frozenset(trial.shown)) for trial in trials)
        assert len(shown) == per_rater  # no rater sees a cell twice
        assert spread(Counter(trial.item for trial in trials), items_count) <= 1
        assert spread(Counter(frozenset(trial.shown) for trial in trials), pairs_count) <= 2
        cells += shown
        sides.update((trial.item, trial.shown) for trial in trials)
        assert spread(cells, items_count * pairs_count) <= 1  # after any number of seats
    for item, pair in cells:
        one, other = sorted(pair)
        assert abs(sides[item, (one, other)] - sides[item, (other, one)]) <= 1


def test_sides_are_drawn_and_not_a_pattern():
    trials = [trial for seat in range(40) for trial in balanced_pairs(names("m", 5), names("i", 15), seat, 30, 1)]
    first = [trial.shown[0] < trial.shown[1] for trial in trials]
    assert 0.45 < sum(first) / len(first) < 0.55
    runs = sum(one != other for one, other in itertools.pairwise(first))
    assert 0.4 < runs / len(first) < 0.6
    assert [t.shown for t in balanced_pairs(names("m", 5), names("i", 15), 0, 30, 1)] != [
        t.shown for t in balanced_pairs(names("m", 5), names("i", 15), 0, 30, 2)
    ]


@settings(max_examples=40)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_no_item_follows_itself_where_that_is_possible(counts, rng):
    trials = [
        trial
        for item, count in enumerate(counts)
        for trial in balanced_pairs(names("m", 5), [f"i{item}"], 0, min(count, 10), 0)
    ]
    ordered = spread_items(trials, rng)
    assert Counter(ordered) == Counter(trials)
    if 2 * max(counts) <= sum(counts) + 1:
        assert all(one.item != other.item for one, other in itertools.pairwise(ordered))


@settings(max_examples=40)
@given(st.integers(2, 6), st.integers(1, 12), st.data())
def test_rankings_visit_items_evenly(methods_count, items_count, data):
    per_rater = data.draw(st.integers(1, items_count))
    visits = Counter()
    for seat in range(7):
        trials = balanced_rankings(
            names("m", methods_count), names("i", items_count), seat, per_rater, 0, random.Random(seat)
        )
        assert len({trial.item for trial in trials}) == per_rater
        assert all(sorted(trial.shown) == names("m", methods_count) for trial in trials)
        visits.update(trial.item for trial in trials)
        assert spread(visits, items_count) <= 1


CHECKED = """
[pairs]
per_rater = 12
with_composite = true
repeats = {repeats}
attention = 2
[[pairs.golden]]
item = "photo-1"
better = "IPH"
worse = "composite"
[ranking]
per_rater = 3
"""


@pytest.mark.parametrize("repeats", [0, 3, 12])
def test_a_plan_holds_its_checks(tmp_path, repeats):
    study = load_study(write_study(tmp_path, CHECKED.format(repeats=repeats) + RATERS))
    left_right = Counter()
    for seat in range(40):
        trials = plan(study, seat)
        assert len(trials) == planned(study) and trials == plan(
            study, seat
        )  # a seat's plan can be made again at any time
        assert Counter(t.kind for t in trials if t.task == "pair") == Counter(
            {"normal": 12, "repeat": repeats, "attention": 2, "golden": 1}
        )
        assert [t.task for t in trials[-3:]] == ["ranking"] * 3
        assert trials[0].kind == "normal"
        for at, trial in enumerate(trials):
            if trial.kind == "repeat":
                source = trials[trial.repeat_of]
                assert source.kind == "normal" and trial.repeat_of < at
                assert (trial.item, trial.shown) == (source.item, source.shown[::-1])
                if repeats == 3:
                    assert at - trial.repeat_of >= 4
            if trial.kind == "golden":
                assert trial.shown[trial.expected == "right"] == "IPH"
            if trial.expected:
                left_right[trial.kind, trial.expected] += 1
    assert all(count >= 8 for count in left_right.values()) and len(left_right) == 4
