"""Compact letters: methods that share one cannot be told apart (Piepho 2004). Where ranks say who is above, these say
who is beside, also where that is no matter of classes: A like B, B like C, but A better than C.
"""

from collections.abc import Mapping, Sequence
from string import ascii_lowercase

import networkx as nx


def letters(order: Sequence[str], beats: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The letters of each method of ``order`` (the best first), from the methods that each beats beyond doubt.

    A letter stands for a largest group without a pair that is told apart; "a" is that of the best.
    """
    alike = nx.Graph()
    alike.add_nodes_from(order)
    different = {frozenset((winner, loser)) for winner, losers in beats.items() for loser in losers}
    pairs = ((a, b) for k, a in enumerate(order) for b in order[k + 1 :])
    alike.add_edges_from(pair for pair in pairs if frozenset(pair) not in different)
    place = {name: k for k, name in enumerate(order)}
    groups = sorted(sorted(place[name] for name in group) for group in nx.find_cliques(alike))
    names = [ascii_lowercase[k % 26] * (1 + k // 26) for k in range(len(groups))]
    return {
        method: "".join(name for name, group in zip(names, groups, strict=True) if place[method] in group)
        for method in order
    }
