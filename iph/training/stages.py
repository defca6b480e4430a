"""The three stages (paper Sec. 4 and 5) as settings: what is drawn and minimised, at which size, and how it is learnt.

``paper`` trains as the paper says: 256 x 256, batch 48, Adam at 1e-4 on iHarmony4 (the background is the reference),
1e-5 on IntHarmony and 1e-6 on augmented MHP, on instances of one photo, with L_IPH alone. What it does not say stays as
plain as it can be: the rate is constant, nothing is clipped or averaged. One photo in twenty is held out to choose the
best weights by. The other configurations are ours: a network of a 37th of its size, trained from nothing at
64 x 64, wants larger steps, more variety and the squared error; stage 3 adds people pasted beside people of other
photos.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from iph.data.samples import SampleRules, paper_rules
from iph.training.objective import PAPER, ObjectiveWeights

PAPER_RATES = {1: 1e-4, 2: 1e-5, 3: 1e-6}
PAPER_TRAINING = {"schedule": "constant", "weight_decay": 0.0, "average": 0.0, "clip": None}
SMALL_RATES = {1: 2e-3, 2: 2e-3, 3: 1e-3}
UNPAIRED = 0.5  # share of the samples of stage 3


@dataclass(frozen=True)
class Stage:
    """``size``: side of the network's square input; ``rate``: the highest learning rate; ``rules``: what is drawn;
    ``weights``: of the losses; ``training``: what else of ``TrainingSettings`` is not as usual."""

    size: int
    rate: float
    rules: SampleRules
    weights: ObjectiveWeights = field(default_factory=ObjectiveWeights)
    training: Mapping[str, Any] = field(default_factory=dict)


def stage(number: int, config: str, size: int | None = None, rate: float | None = None) -> Stage:
    """The settings of a stage for a configuration of ``iph.network``; ``size`` and ``rate`` replace the usual ones."""
    if config == "paper":
        size = size or 256
        rate = PAPER_RATES[number] if rate is None else rate
        return Stage(size, rate, paper_rules(size, number), PAPER, PAPER_TRAINING)
    size = size or 64
    rate = SMALL_RATES[number] if rate is None else rate
    return Stage(size, rate, SampleRules(size=size, stage=number, unpaired=UNPAIRED if number == 3 else 0.0))
