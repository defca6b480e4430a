"""The paper's pairs (Sec. 3): foreground and reference are two random instances of one photo; for MHP, two people.

One augmentation of the appendix changes the foreground, the photo is the truth. Stage 1 has the whole background as
reference, as its iHarmony4 has. Only photos that have such a pair are drawn from; the paper does not say what its
builder does with the others. An instance counts from 1 % of the frame, a foreground up to 80 %.
"""

from collections.abc import Sequence

import numpy as np

from iph.cube import Cube
from iph.data.augment import random_look
from iph.data.composites import MOST_SHARE
from iph.data.pack import MAX_INSTANCES, PackedPhotos
from iph.data.regions import MIN_SHARE
from iph.data.samples import Sample, SampleRules, kind, sample
from iph.errors import InputError
from iph.views import shrink, shrink_mask

BITS = np.arange(256)[:, None] >> np.arange(MAX_INSTANCES) & 1  # (256, 8): which instances a packed value holds
Pair = tuple[int, int | None]  # bits of foreground and reference; None is the background


class InstancePairSampler:
    """Draws samples from ``photos``; each one depends on the seed given with it. Of the rules ``size`` and ``stage``
    count, and the strength and the mirror image. InputError where no photo has a pair."""

    def __init__(self, photos: PackedPhotos, rules: SampleRules, film_luts: Sequence[Cube] = ()) -> None:
        self.photos = photos
        self.rules = rules
        self.film_luts = film_luts
        found = {n: self._pairs(n) for n in range(len(photos))}
        self.pairs = {n: pairs for n, pairs in found.items() if pairs}
        self.numbers = list(self.pairs)
        if not self.pairs:
            what = {1: "an instance", 2: "two instances", 3: "two people"}[rules.stage]
            raise InputError(f"expected photos with {what} of at least {MIN_SHARE:.0%} of the frame, found none")

    def draw(self, seed: Sequence[int] | int) -> Sample:
        """The sample of this seed."""
        return self.draw_named(seed)[0]

    def draw_named(self, seed: Sequence[int] | int) -> tuple[Sample, str]:
        """The sample of this seed, and what foreground and reference are, as "person + thing"."""
        rng, size = np.random.default_rng(seed), self.rules.size
        number = self.numbers[rng.integers(len(self.numbers))]
        changed, guide = self.pairs[number][rng.integers(len(self.pairs[number]))]
        step = -1 if rng.random() < self.rules.mirrored else 1
        image = self.photos.images[number][:, ::step].astype(np.float32) / 255
        bits = self.photos.instances[number][:, ::step]
        foreground = (bits >> changed & 1).astype(bool)
        reference = ~foreground if guide is None else (bits >> guide & 1).astype(bool) & ~foreground
        look = random_look(rng, self.film_luts, rng.uniform(*self.rules.strength))
        composite = look.apply(image, foreground.astype(np.float32))
        masks = shrink_mask(foreground, size), shrink_mask(reference, size)
        persons = self.photos.persons[number]
        named = f"{kind(persons[changed])} + {'background' if guide is None else kind(persons[guide])}"
        return sample(shrink(composite, size), *masks, shrink(image, size)), named

    def _pairs(self, number: int) -> list[Pair]:
        """All pairs of a photo. A histogram of its packed values has every area and every overlap."""
        persons = self.photos.persons[number]
        usable = [k for k, person in enumerate(persons) if person or self.rules.stage < 3]
        values = np.bincount(self.photos.instances[number].ravel(), minlength=256)  # (256,)
        least, total = MIN_SHARE * values.sum(), values.sum()
        areas = values @ BITS  # (8,)
        foregrounds = [k for k in usable if least <= areas[k] <= MOST_SHARE * total]
        if self.rules.stage == 1:
            return [(k, None) for k in foregrounds]
        clear = values * (1 - BITS.T) @ BITS  # (8, 8): [k, j] is the area of j outside of k
        return [(k, j) for k in foregrounds for j in usable if j != k and clear[k, j] >= least]
