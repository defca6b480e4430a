"""What is trained on equal terms: six baselines, the six rows of the paper's Table 3, and trials of ``small``.

Everything that is not said here is the same for all: photos, samples, seconds, batch, rate and seeds. Baselines and
ablation draw the paper's pairs, two instances of one photo; the trials draw ours.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import nn

from bench.networks.retrained import Baseline
from bench.retrain.losses import bargain, reconstruction
from iph.errors import unknown
from iph.losses import LossWeights
from iph.network import build
from iph.training.objective import PAPER, Objective, ObjectiveWeights, objective


@dataclass(frozen=True)
class Experiment:
    """One row: a network and how it is trained.

    ``network`` takes the training size; ``stage`` says what is drawn (``iph.training.stages``). ``start`` names the row
    whose finished network of the same seed this one goes on from; ``paced`` the row of the same form whose samples a
    minute it has too, so that what is compared most closely saw equally many.

    ``group``: baselines, ablation or trials. ``rules`` and ``training`` are changes of ``SampleRules`` and
    ``TrainingSettings``, which trials make.
    """

    title: str
    group: str
    network: Callable[[int], nn.Module]
    objective: Objective = objective
    weights: ObjectiveWeights = field(default_factory=ObjectiveWeights)
    stage: int = 2
    rules: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    start: str = ""
    paced: str = ""


INSTANCES = {"pairs": "paper"}


def _baseline(title: str, name: str, loss: Objective, stage: int = 2, start: str = "", paced: str = "") -> Experiment:
    def network(size: int) -> nn.Module:
        return Baseline(name, size)

    return Experiment(title, "baselines", network, loss, stage=stage, rules=INSTANCES, start=start, paced=paced)


def _ablated(title: str, *points: str, config: str = "small", paced: str = "h-net-se-all") -> Experiment:
    """Our network with eqs. 5, 6 and both triplets, and those terms of eq. 4 that are named: no loss of ours."""
    weights = replace(PAPER, iph=LossWeights(points=points))
    return Experiment(title, "ablation", lambda size: build(config), weights=weights, rules=INSTANCES, paced=paced)


def _trial(title: str, config: str = "small", iph: Mapping[str, float] | None = None, **changes: Any) -> Experiment:
    """``small`` as it is trained in our way, with one thing changed.

    ``iph`` are fields of ``LossWeights``; ``changes`` are fields of ``Config``, or ``squared``, ``rules`` and
    ``training``.
    """
    usual = ObjectiveWeights()
    weights = replace(usual, iph=replace(usual.iph, **iph or {}), squared=changes.pop("squared", usual.squared))
    rules, training = changes.pop("rules", {}), changes.pop("training", {})
    return Experiment(title, "trials", lambda size: build(config, **changes), objective, weights, 2, rules, training)


EXPERIMENTS: dict[str, Experiment] = {
    "dovenet-retrained": _baseline("DoveNet", "dovenet", reconstruction),
    "rainnet-retrained": _baseline("RainNet", "rainnet", reconstruction),
    "rainnet-r-retrained": _baseline("RainNet (R)", "rainnet-r", reconstruction, paced="rainnet-retrained"),
    "bargainnet-retrained": _baseline("BargainNet", "bargainnet", bargain),
    "bargainnet-r-retrained": _baseline("BargainNet (R)", "bargainnet-r", bargain, paced="bargainnet-retrained"),
    "bargainnet-r-pp-retrained": _baseline(
        "BargainNet (R)(++)", "bargainnet-r", bargain, 3, "bargainnet-r-retrained", "bargainnet-retrained"
    ),
    "h-net": _ablated("H-Net", config="h-net", paced=""),
    "h-net-se": _ablated("H-Net + SE"),
    "h-net-se-mid": _ablated("H-Net + SE + mid-tone loss", "mid-tone"),
    "h-net-se-shadow": _ablated("H-Net + SE + shadow loss", "shadow"),
    "h-net-se-highlight": _ablated("H-Net + SE + highlight loss", "highlight"),
    "h-net-se-all": _ablated("H-Net + SE + LM loss", "highlight", "mid-tone", "shadow"),
    "trial-usual": _trial("as it is trained"),
    "trial-rgb": _trial("head: RGB", "small-rgb"),
    "trial-plain": _trial("RGB head, one code, normalised over the whole map", "small-plain"),
    "trial-wide": _trial("width × 1.5", widths=(36, 60, 96, 144)),
    "trial-outside": _trial("normalised over the whole map", inside=False),
    "trial-l1": _trial("no squared error", squared=0.0),
    "trial-no-triplets": _trial("β = 0", iph={"beta": 0.0}),
    "trial-uncropped": _trial("no crops", rules={"crop": (1.0, 1.0)}),
    "trial-no-average": _trial("no averaged weights", training={"average": 0.0}),
    "trial-short-code": _trial("code of 16", code=16),
    "trial-long-warm-up": _trial("warm-up of 500 steps", training={"warm_up": 500}),
    "trial-deep-style": _trial("one level more in the style encoder", style_widths=(16, 32, 48, 64, 64)),
    "trial-margin": _trial("m = 0.5", iph={"margin": 0.5}),
    "trial-luminance": _trial("α = 0.5", iph={"alpha": 0.5}),
    "trial-triplets": _trial("β = 0.1", iph={"beta": 0.1}),
    "trial-no-consistency": _trial("λ = 0", iph={"lam": 0.0}),
    "trial-no-luminance": _trial("α = 0", iph={"alpha": 0.0}),
    "trial-consistency": _trial("λ = 0.1", iph={"lam": 0.1}),
    "trial-reference-code": _trial("code of the reference alone", both=False),
    "trial-own-look": _trial("no look changes of the whole photo", rules={"whole_look": 0.0}),
    "trial-instances": _trial("no arbitrary regions as foregrounds", rules={"arbitrary": 0.0}),
    "trial-narrow": _trial("width × 2/3", widths=(16, 27, 43, 64)),
    "trial-long-code": _trial("code of 256", code=256),
    "trial-slow": _trial("half the rate", training={"rate": 1e-3}),
    "trial-fast": _trial("twice the rate", training={"rate": 4e-3}),
}


GROUPS = tuple(dict.fromkeys(experiment.group for experiment in EXPERIMENTS.values()))
USUAL = ("baselines", "ablation")


def chosen(names: Sequence[str]) -> list[str]:
    """The rows named, or those of the groups named, in the table's order; baselines and ablation where none is.

    InputError with the nearest right name for a wrong one.
    """
    for name in names:
        if name not in EXPERIMENTS and name not in GROUPS:
            raise unknown("row to retrain", name, [*EXPERIMENTS, *GROUPS])
    wanted = names or USUAL
    return [name for name, experiment in EXPERIMENTS.items() if name in wanted or experiment.group in wanted]
