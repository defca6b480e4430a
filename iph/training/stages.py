"""The three stages (paper Sec. 4) as settings: what is drawn, at which size, and how fast is learnt.

The paper trains at 256 x 256, batch 48, with Adam at 1e-4 on iHarmony4 (the background is the reference), 1e-5 on
IntHarmony and 1e-6 on augmented LV-MHP. A network of a thirtieth of its size, trained from nothing at 64 x 64, wants
larger steps. Stage 3 adds people pasted beside people of other photos, which no built data set has.
"""

from dataclasses import dataclass

from iph.data.samples import SampleRules

PAPER_RATES = {1: 1e-4, 2: 1e-5, 3: 1e-6}
SMALL_RATES = {1: 2e-3, 2: 2e-3, 3: 1e-3}
UNPAIRED = 0.5  # share of the samples of stage 3


@dataclass(frozen=True)
class Stage:
    """``size``: side of the network's square input; ``rate``: the highest learning rate; ``rules``: what is drawn."""

    size: int
    rate: float
    rules: SampleRules


def stage(number: int, config: str, size: int | None = None, rate: float | None = None) -> Stage:
    """The settings of a stage for a configuration of ``iph.network``; ``size`` and ``rate`` replace the usual ones."""
    large = config == "paper"
    size = size or (256 if large else 64)
    rate = (PAPER_RATES if large else SMALL_RATES)[number] if rate is None else rate
    return Stage(size, rate, SampleRules(size=size, stage=number, unpaired=UNPAIRED if number == 3 else 0.0))
