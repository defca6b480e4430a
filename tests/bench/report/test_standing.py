"""Ranks that no reader can find contradictory, and letters beside them."""

from itertools import combinations

import numpy as np
import pytest

from bench.report.letters import letters
from bench.report.statistics import above


def test_nobody_ranks_as_well_as_a_method_that_beats_it() -> None:
    """a beats b and b beats c, but a and c cannot be told apart: counting alone gives b and c rank 2."""
    beaten = np.zeros((3, 3), bool)
    beaten[1, 0] = beaten[2, 1] = True
    assert (1 + beaten.sum(axis=1)).tolist() == [1, 2, 2]
    assert (1 + above(beaten).sum(axis=1)).tolist() == [1, 2, 3]


@pytest.mark.parametrize("seed", range(20))
def test_ranks_follow_every_win(seed: int) -> None:
    rng = np.random.default_rng(seed)
    beaten = np.tril(rng.random((9, 9)) < 0.3, -1)  # only better means beat, as in a board
    order = rng.permutation(9)
    beaten = beaten[np.ix_(order, order)]
    rank = above(beaten).sum(axis=1)
    assert all(rank[winner] < rank[loser] for loser, winner in zip(*np.nonzero(beaten), strict=True))
    assert (rank >= beaten.sum(axis=1)).all()


@pytest.mark.parametrize("seed", range(10))
def test_methods_share_a_letter_exactly_where_they_cannot_be_told_apart(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = list("ABCDEFG")
    beats = {a: [b for b in names[k + 1 :] if rng.random() < 0.4] for k, a in enumerate(names)}
    found = letters(names, beats)
    for a, b in combinations(names, 2):
        assert bool(set(found[a]) & set(found[b])) == (b not in beats[a])
    assert found["A"].startswith("a") and all(found.values())
