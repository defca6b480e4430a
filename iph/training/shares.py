"""What a run is trained on: shares of the kinds of foreground and reference among the samples it draws."""

from collections import Counter
from typing import Protocol

from iph.data.samples import Sample

COUNTED = 400


class NamingSampler(Protocol):
    """A sampler that says what foreground and reference of a sample are."""

    def draw_named(self, seed: tuple[int, int]) -> tuple[Sample, str]: ...


def shares_of(sampler: NamingSampler, count: int = COUNTED) -> dict[str, float]:
    """The share of each kind among ``count`` samples, the most frequent first: ``{"person + person": 0.9, …}``."""
    found = Counter(sampler.draw_named((9, number))[1] for number in range(count))
    return {name: times / count for name, times in found.most_common()}


def shares_text(shares: dict[str, float]) -> str:
    """One line for people: "samples, foreground + reference: person + person 90 %, …"."""
    return "samples, foreground + reference: " + ", ".join(
        f"{name} {100 * share:.0f} %" for name, share in shares.items()
    )
