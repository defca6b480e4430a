"""Votes reduced to counts per rater and pair; every score is computed from these, never from the rows again.

A votes table has one row per (rater, trial), the latest revision only, with the columns

    rater      who voted, an anonymous id
    trial      what was answered, unique within the rater
    item       id of the picture
    left       method shown on the left
    right      method shown on the right
    choice     left | right | tie | both_bad | skip
    seconds    from both pictures being visible to the answer
    timestamp  when the answer arrived
    kind       normal | repeat | golden | attention
    expected   the right choice of a golden or attention pair, in the words of ``choice``; empty otherwise
    simulated  True for votes that no person cast

Only ``normal`` rows are counted: a repeat is not a second opinion, golden and attention pairs test the rater. Only
``left`` and ``right`` are wins. Ties, both-bad and skips are kept apart from them and from each other.
Axes: ``R`` raters, ``K`` methods, ``K·K`` cells (left, right) in row-major order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from userstudy.errors import InputError, nearest, require_one_of

CHOICES = ("left", "right", "tie", "both_bad", "skip")
KINDS = ("normal", "repeat", "golden", "attention")


@dataclass(frozen=True)
class Counts:
    """Answers per rater and shown pair: for each choice a sparse (R, K·K) matrix over cells (left, right)."""

    methods: tuple[str, ...]
    raters: tuple[str, ...]
    cells: dict[str, csr_array]

    @cached_property
    def rater_wins(self) -> csr_array:
        """(R, K·K): [r, i·K + j] = times rater r preferred i to j, whichever side they were on."""
        return csr_array(self.cells["left"] + self.mirrored("right"))

    @cached_property
    def left_wins(self) -> np.ndarray:
        """(K, K): [i, j] = times i was shown left of j and chosen."""
        return self._total("left")

    @cached_property
    def right_wins(self) -> np.ndarray:
        """(K, K): [i, j] = times i was shown left of j and j was chosen."""
        return self._total("right")

    @property
    def wins(self) -> np.ndarray:
        """(K, K): [i, j] = times i was preferred to j."""
        return self.left_wins + self.right_wins.T

    def unordered(self, choice: str) -> np.ndarray:
        """(K, K) symmetric: times the pair of i and j got this choice (tie, both_bad or skip)."""
        total = self._total(choice)
        return total + total.T

    def total(self, choice: str) -> int:
        """How often this was chosen in all."""
        return int(self.cells[choice].sum())

    def mirrored(self, choice: str) -> csr_array:
        """(R, K·K) of one choice with each cell (left, right) moved to (right, left)."""
        size = len(self.methods)
        matrix = self.cells[choice].tocoo()
        left, right = np.divmod(matrix.coords[1], size)
        return csr_array((matrix.data, (matrix.coords[0], right * size + left)), shape=matrix.shape)

    def only(self, keep: np.ndarray) -> "Counts":
        """The counts of some raters: ``keep`` (R,) bool."""
        kept = tuple(name for name, stays in zip(self.raters, keep, strict=True) if stays)
        return Counts(self.methods, kept, {choice: cells[keep] for choice, cells in self.cells.items()})

    def _total(self, choice: str) -> np.ndarray:
        return self.cells[choice].sum(axis=0).reshape(len(self.methods), -1)  # (K·K,) -> (K, K)


def count_votes(votes: pd.DataFrame, methods: Sequence[str] | None = None) -> Counts:
    """Counts of the normal rows of a votes table; ``methods`` fixes names and order (default: sorted as found)."""
    table = normal_votes(votes)
    rater, raters = pd.factorize(table["rater"], sort=True)
    methods, left, right = _shown(table, methods)
    size = len(methods)
    choice = _codes(table["choice"], CHOICES)
    flat = ((choice * len(raters) + rater) * size + left) * size + right
    if len(CHOICES) * len(raters) * size * size < 2**31:
        flat = flat.astype(np.int32)  # sorts in half the time
    found, times = np.unique(flat, return_counts=True)
    row, cell = np.divmod(found, size * size)
    starts = np.searchsorted(row, np.arange(len(CHOICES) + 1) * len(raters))
    shape = (len(raters), size * size)
    cells = {}
    for index, name in enumerate(CHOICES):
        part = slice(starts[index], starts[index + 1])
        entries = (times[part].astype(np.int64), (row[part] - index * len(raters), cell[part]))
        cells[name] = csr_array(entries, shape=shape)
    return Counts(methods, tuple(str(name) for name in raters), cells)


def normal_votes(votes: pd.DataFrame) -> pd.DataFrame:
    """The rows that count, after the checks that every reader of a votes table needs."""
    require_columns(votes, ("rater", "left", "right", "choice"))
    if "kind" in votes.columns:
        kind = _codes(votes["kind"], KINDS)
        votes = votes if not kind.any() else votes[kind == 0]
    if not len(votes):
        raise InputError("expected at least one vote of kind 'normal', got none")
    return votes


def require_columns(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """InputError for a missing column or an empty cell in it."""
    for name in columns:
        if name not in table.columns:
            hint = nearest(name, map(str, table.columns))
            raise InputError(f"expected a column {name!r} in the table, got {', '.join(map(str, table.columns))}{hint}")
        if table[name].isna().any():
            raise InputError(
                f"expected a value of {name!r} in every row, got {int(table[name].isna().sum())} empty ones"
            )


def known_methods(found: Sequence[str], methods: Sequence[str] | None) -> tuple[str, ...]:
    """The methods in order; InputError for fewer than two, and for names found that are not among those given."""
    names = tuple(sorted(set(found))) if methods is None else tuple(map(str, methods))
    for name in found:
        if name not in names:
            raise InputError(f"expected votes on {', '.join(names)}, got one on {name!r}{nearest(name, names)}")
    if len(names) < 2:
        raise InputError(f"expected votes on at least two methods, got {', '.join(names) or 'none'}")
    return names


def _codes(column: pd.Series, words: Sequence[str]) -> np.ndarray:
    """Each row's place in ``words``; InputError for any other word."""
    codes, names = pd.factorize(column)
    for name in names:
        require_one_of(name, words, str(column.name))
    if (codes < 0).any():
        raise InputError(f"expected a value of {column.name!r} in every row, got {int((codes < 0).sum())} empty ones")
    return np.array([words.index(name) for name in names], dtype=np.int64)[codes]


def count_units(votes: pd.DataFrame, methods: Sequence[str] | None = None) -> pd.DataFrame:
    """One row per picture and unordered pair of methods: ``item, first, second, first_wins, second_wins, ties,
    both_bad, skips``; first comes before second in ``methods``. What a picture's own page and agreement are read from.
    """
    require_columns(votes, ("item",))
    table = normal_votes(votes)
    methods, left, right = _shown(table, methods)
    item, items = pd.factorize(table["item"], sort=True)
    choice = _codes(table["choice"], CHOICES)
    choice = np.where((left > right) & (choice < 2), 1 - choice, choice)  # 0: the earlier method won, 1: the later one
    size = len(methods)
    unit = (item * size + np.minimum(left, right)) * size + np.maximum(left, right)
    found, row = np.unique(unit, return_inverse=True)
    counts = np.bincount(row * len(CHOICES) + choice, minlength=len(found) * len(CHOICES)).reshape(-1, len(CHOICES))
    pair, names = found % (size * size), np.array(methods, dtype=object)
    labels = {
        "item": np.array(items)[found // (size * size)],
        "first": names[pair // size],
        "second": names[pair % size],
    }
    answers = ("first_wins", "second_wins", "ties", "both_bad", "skips")  # in the order of CHOICES
    return pd.DataFrame(labels | {name: counts[:, k] for k, name in enumerate(answers)})


def _shown(table: pd.DataFrame, methods: Sequence[str] | None) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """The methods, and each row's place in them on the left and on the right."""
    sides = [pd.factorize(table[side]) for side in ("left", "right")]
    methods = known_methods([str(name) for _, names in sides for name in names], methods)
    left, right = (
        np.array([methods.index(str(name)) for name in names], dtype=np.int64)[codes] for codes, names in sides
    )
    if (left == right).any():
        same = methods[left[np.argmax(left == right)]]
        raise InputError(f"expected two different methods in a vote, got {same!r} on both sides")
    return methods, left, right
