"""Can these votes place the methods on one scale? Only if a path of wins leads from every method to every other.

Ford (1957, "Solution of a ranking problem from binary comparisons"): the Bradley–Terry and Case V maxima are finite
exactly when the graph of wins is strongly connected. Libraries that skip this check print arbitrary numbers instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, shortest_path

from userstudy.errors import InputError


@dataclass(frozen=True)
class Connectivity:
    """Groups that the wins tie together, strongest first where wins order them; method names throughout."""

    connected: bool
    groups: tuple[tuple[str, ...], ...]
    never_lost: tuple[str, ...]
    never_won: tuple[str, ...]
    never_compared: tuple[str, ...]
    separate: bool  # some groups were never compared with each other at all, not even through others

    @property
    def problem(self) -> str:
        """One sentence on why no finite scores exist; empty when they do."""
        if self.connected:
            return ""
        parts = [
            f"{', '.join(names)} {words}"
            for names, words in (
                (self.never_compared, "has no decisive vote"),
                (self.never_lost, "never lost"),
                (self.never_won, "never won"),
            )
            if names
        ]
        groups = " | ".join(", ".join(group) for group in self.groups)
        apart = (
            "were never compared with each other" if self.separate else "have wins in one direction only between them"
        )
        parts.append(f"the groups [{groups}] {apart}")
        return "expected votes in which wins lead from every method to every other, but " + "; ".join(parts)


def check_connectivity(wins: np.ndarray, names: Sequence[str]) -> Connectivity:
    """Groups of a (K, K) matrix whose [i, j] counts the times i was preferred to j."""
    won = np.asarray(wins) > 0
    graph = csr_array(won)
    count, label = connected_components(graph, connection="strong")
    apart, _ = connected_components(graph, connection="weak")
    members = [np.flatnonzero(label == group) for group in range(count)]
    reach = np.isfinite(shortest_path(graph, unweighted=True)).sum(axis=1)  # a stronger group reaches more
    members.sort(key=lambda group: (-reach[group[0]], group[0]))
    compared = won.any(axis=0) | won.any(axis=1)

    def chosen(mask: np.ndarray) -> tuple[str, ...]:
        return tuple(name for name, take in zip(names, mask, strict=True) if take)

    return Connectivity(
        connected=count == 1,
        groups=tuple(tuple(names[k] for k in group) for group in members),
        never_lost=chosen(compared & ~won.any(axis=0)),
        never_won=chosen(compared & ~won.any(axis=1)),
        never_compared=chosen(~compared),
        separate=apart > 1,
    )


def require_connected(wins: np.ndarray, names: Sequence[str]) -> None:
    """Raises InputError that names the groups and the methods that never lost or won."""
    found = check_connectivity(wins, names)
    if not found.connected:
        raise InputError(found.problem + "; collect those pairs, or ask for regularized=1.0 and report it as such")


def connected_counts(upper: np.ndarray, lower: np.ndarray, items: int) -> np.ndarray:
    """(B,) bool for B count sets, wins of i over j in ``upper`` (B, M) and of j over i in ``lower``, pairs i < j."""
    first, second = np.triu_indices(items, 1)
    won = np.zeros((len(upper), items, items), dtype=bool)
    won[:, first, second], won[:, second, first] = upper > 0, lower > 0
    sound = won.sum(axis=(1, 2)) == items * (items - 1)  # all pairs won both ways: no need to look further
    for index in np.flatnonzero(~sound):
        graph = csr_array(won[index])
        sound[index] = connected_components(graph, connection="strong", return_labels=False) == 1
    return sound
