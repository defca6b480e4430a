"""Training samples out of packed photos (paper Sec. 3, 4 and Appendix).

A sample is a dict of float32 arrays: ``composite``, ``target``, ``reference_image`` (3, S, S) in [0, 1],
``foreground``, ``reference`` (1, S, S) in {0, 1}, and ``paired`` (): 1 where ``target`` is the truth, 0 where a person
of one photo was put beside a person of another and nothing but the reference says how they should look.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from iph.cube import Cube
from iph.data.augment import random_global_look, random_look
from iph.data.pack import PackedPhotos
from iph.data.regions import background_region, large_enough, random_region
from iph.views import shrink, shrink_mask

Sample = dict[str, np.ndarray]
Layer = tuple[np.ndarray, bool]  # an instance's mask (N, N) bool, and whether it is a person


PAIRS = ("paper", "any region")


@dataclass(frozen=True)
class SampleRules:
    """How samples are drawn; shares are probabilities.

    stage 1 takes the whole background as reference, stage 2 an instance or a region, stage 3 changes people.
    pairs: "any region" is ours: the reference is another instance, a region or the background, as the photo has it.
    "paper": foreground and reference are two instances of a photo, in stage 3 two people (``iph.data.instance_pairs``).
    mirrored: share of samples that are.
    whole_look: the look of the whole photo is changed first, target too. arbitrary: the foreground is any region.
    strength: of the foreground's change, drawn between these, where 1 is the test composites'.
    crop: side of what is taken out of a photo, as a share of it, drawn between these.
    unchanged: the composite is already harmonious and must stay. unpaired: a person of another photo, no truth.
    """

    size: int = 64
    stage: int = 2
    whole_look: float = 0.6
    whole_strength: float = 0.4
    arbitrary: float = 0.3
    unchanged: float = 0.05
    strength: tuple[float, float] = (0.6, 1.4)
    crop: tuple[float, float] = (0.65, 1.0)
    unpaired: float = 0.0
    pairs: str = "any region"
    mirrored: float = 0.5


def paper_rules(size: int, stage: int, strength: tuple[float, float] = (1.0, 1.0)) -> SampleRules:
    """Samples as the paper describes them: one augmentation of the appendix on one instance, and nothing else."""
    return SampleRules(
        size=size,
        stage=stage,
        pairs="paper",
        whole_look=0.0,
        arbitrary=0.0,
        unchanged=0.0,
        strength=strength,
        crop=(1.0, 1.0),
        mirrored=0.0,
    )


class Sampler:
    """Draws samples from ``photos``; each one depends on the seed given with it and on nothing else."""

    def __init__(self, photos: PackedPhotos, rules: SampleRules, film_luts: Sequence[Cube] = ()) -> None:
        self.photos = photos
        self.rules = rules
        self.film_luts = film_luts
        self.with_person = [n for n, flags in enumerate(photos.persons) if any(flags)]

    def draw(self, seed: Sequence[int] | int) -> Sample:
        """The sample of this seed."""
        return self.draw_named(seed)[0]

    def draw_named(self, seed: Sequence[int] | int) -> tuple[Sample, str]:
        """The sample of this seed, and what foreground and reference are, as "person + region"."""
        rng = np.random.default_rng(seed)
        if self.with_person and rng.random() < self.rules.unpaired:
            return self._unpaired(rng)
        return self._paired(rng)

    def _paired(self, rng: np.random.Generator) -> tuple[Sample, str]:
        rules = self.rules
        people = rules.stage == 3 and self.with_person
        number = self.with_person[rng.integers(len(self.with_person))] if people else rng.integers(len(self.photos))
        image, layers = self._crop(rng, int(number))
        if rng.random() < rules.whole_look:
            image = random_global_look(rng, self.film_luts, rules.whole_strength).apply(image)
        layers = [layer for layer in layers if layer[1] or not people]
        foreground, changed, others = self._foreground(rng, layers, image.shape[:2])
        reference, guide = self._reference(rng, foreground, others)
        composite = image
        if rng.random() >= rules.unchanged:
            look = random_look(rng, self.film_luts, rng.uniform(*rules.strength))
            composite = look.apply(image, foreground.astype(np.float32))
        return self._sample(composite, foreground, reference, image, paired=True), f"{changed} + {guide}"

    def _crop(self, rng: np.random.Generator, number: int) -> tuple[np.ndarray, list[Layer]]:
        """A random crop, perhaps mirrored: (N, N, 3) float32 and its instances with their person flags.

        It keeps the packed photos' scale: a sample is composed first and shrunk then, as a real composite is, so that
        the pixels of its rim are mixed in training as they are in use.
        """
        full = self.photos.images.shape[1]
        side = int(round(full * rng.uniform(*self.rules.crop)))
        top, left = rng.integers(full - side + 1, size=2)
        window = (slice(top, top + side), slice(left, left + side))
        image, bits = self.photos.images[number][window], self.photos.instances[number][window]
        if rng.random() < self.rules.mirrored:
            image, bits = image[:, ::-1], bits[:, ::-1]
        layers = [(bits >> k & 1).astype(bool) for k in range(len(self.photos.persons[number]))]
        flags = self.photos.persons[number]
        kept = [(layer, flag) for layer, flag in zip(layers, flags, strict=True) if large_enough(layer)]
        return image.astype(np.float32) / 255, kept

    def _foreground(
        self, rng: np.random.Generator, layers: list[Layer], shape: tuple[int, int]
    ) -> tuple[np.ndarray, str, list[Layer]]:
        """The foreground, what it is, and what is left as candidates for the reference."""
        usable = [k for k, (layer, _) in enumerate(layers) if layer.mean() < 0.8]
        if not usable or rng.random() < self.rules.arbitrary:
            return random_region(rng, shape), "region", layers
        chosen = int(rng.choice(usable))
        layer, person = layers[chosen]
        return layer, kind(person), layers[:chosen] + layers[chosen + 1 :]

    def _reference(
        self, rng: np.random.Generator, foreground: np.ndarray, others: list[Layer]
    ) -> tuple[np.ndarray, str]:
        if self.rules.stage == 1 or rng.random() < 0.2:
            return ~foreground, "background"
        clear = [(layer & ~foreground, person) for layer, person in others]
        clear = [layer for layer in clear if large_enough(layer[0])]
        if clear and rng.random() < 0.65:
            layer, person = clear[rng.integers(len(clear))]
            return layer, kind(person)
        return background_region(rng, foreground), "region"

    def _unpaired(self, rng: np.random.Generator) -> tuple[Sample, str]:
        """A person of one photo beside a person of another; ``target`` repeats the composite and is not the truth."""
        for _ in range(8):
            guest, host = rng.choice(len(self.with_person), 2)
            guest_image, guest_layers = self._crop(rng, self.with_person[guest])
            host_image, host_layers = self._crop(rng, self.with_person[host])
            guests = [layer for layer, person in guest_layers if person]
            hosts = [layer for layer, person in host_layers if person and layer.mean() < 0.6]
            if not guests or not hosts:
                continue
            beside = hosts[rng.integers(len(hosts))]
            pasted, foreground = _place(rng, guest_image, guests[rng.integers(len(guests))], beside)
            reference = beside & ~foreground
            if large_enough(foreground) and large_enough(reference):
                if rng.random() < 0.5:
                    pasted = random_look(rng, self.film_luts, rng.uniform(*self.rules.strength)).apply(pasted)
                composite = np.where(foreground[..., None], pasted, host_image)
                found = self._sample(composite, foreground, reference, composite, paired=False)
                return found, "person + person of another photo"
        return self._paired(rng)

    def _sample(
        self, composite: np.ndarray, foreground: np.ndarray, reference: np.ndarray, target: np.ndarray, paired: bool
    ) -> Sample:
        size = self.rules.size
        return sample(
            shrink(composite, size),
            shrink_mask(foreground, size),
            shrink_mask(reference, size),
            shrink(target, size),
            paired,
        )


def kind(person: bool) -> str:
    """What an instance is called in a run's shares."""
    return "person" if person else "thing"


def sample(
    composite: np.ndarray,
    foreground: np.ndarray,
    reference: np.ndarray,
    target: np.ndarray,
    paired: bool = True,
    reference_image: np.ndarray | None = None,
) -> Sample:
    """Pictures (S, S, 3) of any float and masks (S, S) of any type, as the sample that training reads.

    ``reference_image`` is the composite where it is None.
    """
    seen = _planes(composite)
    return {
        "composite": seen,
        "foreground": foreground[None].astype(np.float32),
        "reference_image": seen if reference_image is None else _planes(reference_image),
        "reference": reference[None].astype(np.float32),
        "target": _planes(target),
        "paired": np.float32(paired),
    }


def _planes(image: np.ndarray) -> np.ndarray:
    """(S, S, 3) of any float as (3, S, S) float32 in [0, 1]: a mean of ones may have come out a little above."""
    return np.clip(image.transpose(2, 0, 1), 0, 1, dtype=np.float32, order="C")


def _place(
    rng: np.random.Generator, image: np.ndarray, person: np.ndarray, beside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Scale and move ``person`` to stand left or right of ``beside``: the moved image and its mask, of its size."""
    size = beside.shape[0]
    ys, xs = np.nonzero(person)
    by, bx = np.nonzero(beside)
    scale = (np.ptp(by) + 1) / (np.ptp(ys) + 1) * rng.uniform(0.8, 1.2)
    target_y = by.mean() + rng.normal(0, 0.05) * size
    offset = 0.5 * (np.ptp(bx) + scale * np.ptp(xs)) * rng.uniform(0.6, 1.1)
    target_x = bx.mean() + offset * rng.choice((-1, 1))
    if not 0.1 * size < target_x < 0.9 * size:
        target_x = 2 * bx.mean() - target_x
    matrix = np.float32([[scale, 0, target_x - scale * xs.mean()], [0, scale, target_y - scale * ys.mean()]])
    moved = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    mask = cv2.warpAffine(person.astype(np.uint8), matrix, (size, size), flags=cv2.INTER_NEAREST)
    return moved, mask.astype(bool)
