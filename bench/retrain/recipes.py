"""What is trained on equal terms: five baselines, and the six rows of the paper's Table 3, by their methods' names.

Everything that is not said here is the same for all: photos, samples, seconds, batch, rate and seeds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torch import nn

from bench.errors import unknown
from bench.retrain.baselines import Baseline, bargain, reconstruction
from iph.losses import LossWeights
from iph.network import build
from iph.training.objective import Objective, ObjectiveWeights, objective


@dataclass(frozen=True)
class Recipe:
    """One row. ``network`` takes the training size; ``stage`` says what is drawn (``iph.training.stages``)."""

    title: str
    network: Callable[[int], nn.Module]
    objective: Objective = objective
    weights: ObjectiveWeights = field(default_factory=ObjectiveWeights)
    stage: int = 2


def _baseline(title: str, name: str, loss: Objective, stage: int = 2) -> Recipe:
    return Recipe(title, lambda size: Baseline(name, size), loss, stage=stage)


def _ablated(title: str, *points: str, triplets: bool = True) -> Recipe:
    """Our network, with those terms of the luminance matching that are named."""
    usual = LossWeights()
    kept = (usual.alpha, usual.beta) if triplets else (0.0, 0.0)
    weights = LossWeights(*kept, points=points)
    config = "small" if triplets else "h-net"
    return Recipe(title, lambda size: build(config), weights=ObjectiveWeights(weights))


RECIPES: dict[str, Recipe] = {
    "dovenet-retrained": _baseline("DoveNet", "dovenet", reconstruction),
    "rainnet-retrained": _baseline("RainNet", "rainnet", reconstruction),
    "bargainnet-retrained": _baseline("BargainNet", "bargainnet", bargain),
    "bargainnet-r-retrained": _baseline("BargainNet (R)", "bargainnet-r", bargain),
    "bargainnet-r-pp-retrained": _baseline("BargainNet (R)(++)", "bargainnet-r-pp", bargain, stage=3),
    "h-net": _ablated("H-Net", triplets=False),
    "h-net-se": _ablated("H-Net + SE"),
    "h-net-se-mid": _ablated("H-Net + SE + L mid", "mid-tone"),
    "h-net-se-shadow": _ablated("H-Net + SE + L shadow", "shadow"),
    "h-net-se-highlight": _ablated("H-Net + SE + L highlight", "highlight"),
    "h-net-se-all": _ablated("H-Net + SE + all losses", "highlight", "mid-tone", "shadow"),
}


def chosen(names: Sequence[str]) -> list[str]:
    """All rows, or those named, in the table's order. InputError with the nearest right name for a wrong one."""
    for name in names:
        if name not in RECIPES:
            raise unknown("row to retrain", name, RECIPES)
    return [name for name in RECIPES if not names or name in names]
