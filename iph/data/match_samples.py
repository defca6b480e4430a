"""Training samples for the network that starts from the semantic match: recoloured, moved and pasted foregrounds.

On top of ``iph.data.samples``: several changes at once and wide changes of light; colours moved to those of another
photo's instance (transfers); people pasted beside people, cut out cleanly or not; references that are another kind of
thing than the foreground; masks that are not exact. Or, for a peer that nobody points for, the whole scene as the
reference.

The foreground is seen from near and the reference in its whole photo, as in use (``iph.match.look``): ``composite``,
``foreground`` and ``target`` show a window, ``reference_image`` and ``reference`` everything. A sample has in addition
``photo`` and ``reference_photo`` (3, 192, 192), both pictures as the encoder sees them; ``scene`` (1, S, S), what of
the second is not the foreground; ``pasted`` (), whether the foreground came from another photo (there is no truth
then); and ``transfer`` (), whether its colours were moved.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from iph.cube import Cube
from iph.data.augment import random_global_look, random_look
from iph.data.lights import ColourStatistics, random_light
from iph.data.pack import PackedPhotos
from iph.data.placement import Pasted, feathered, stand_beside
from iph.data.regions import large_enough, random_region
from iph.data.samples import Layer, Sample, Sampler, SampleRules, _place, sample
from iph.match.look import SIDE
from iph.views import WHOLE, Window, around, shrink, shrink_mask

TRIES = 8


@dataclass(frozen=True)
class MatchRules:
    """Shares are probabilities. ``base``: how photos, foregrounds, references and single changes are drawn.

    pasted, transfer: kinds of samples; the others are recoloured. clean: of the pasted, half-length portraits on the
    lower edge. people: the foreground of the others is a person. several: two or three changes instead of one; light:
    one of them is a change of light (white point, exposure, saturation). transfer_share: how far colours are moved.
    together: of people, those of photos with more than one. pairs: where the photo has another instance of the
    foreground's kind, that is the reference. unlike: of the rest, the reference is another kind of thing.
    changed_guest: a pasted person is recoloured before. inexact: the mask is a little too large or too small.
    margin: sides of the window that is seen of the foreground, in sides of its box, drawn between these; None: the
    whole picture is seen. scene_only: whatever was drawn, the reference is all but the foreground.
    """

    # Tinted whole at random, photos do not tell how skin looks: hence less often than by default.
    base: SampleRules = field(
        default_factory=lambda: SampleRules(
            size=96,
            unchanged=0.05,
            strength=(0.4, 1.7),
            whole_look=0.45,
            whole_strength=0.5,
            arbitrary=0.1,
            crop=(0.8, 1.0),
        )
    )
    pasted: float = 0.22
    transfer: float = 0.06
    clean: float = 0.6
    people: float = 0.5
    several: float = 0.45
    light: float = 0.35
    transfer_share: tuple[float, float] = (0.4, 1.0)
    together: float = 0.5
    pairs: float = 0.5
    unlike: float = 0.25
    changed_guest: float = 0.25
    inexact: float = 0.3
    margin: tuple[float, float] | None = (1.2, 4.0)
    scene_only: bool = False


class MatchSampler(Sampler):
    """Draws samples from ``photos``; ``portraits`` (one person each) are what is pasted cleanly.

    Each sample depends on the seed given with it and on nothing else.
    """

    def __init__(
        self,
        photos: PackedPhotos,
        rules: MatchRules,
        film_luts: Sequence[Cube] = (),
        portraits: PackedPhotos | None = None,
    ) -> None:
        super().__init__(photos, rules.base, film_luts)
        self.mixture = rules
        self.portraits = portraits
        self.groups = [n for n in self.with_person if sum(photos.persons[n]) > 1]
        self.half_lengths = [] if portraits is None else _half_lengths(portraits)
        self.statistics = ColourStatistics.of(photos) if rules.transfer else None

    def draw(self, seed: Sequence[int] | int) -> Sample:
        """The sample of this seed."""
        rng = np.random.default_rng(seed)
        chance = rng.random()
        if chance < self.mixture.pasted:
            return self._beside(rng)
        return self._changed(rng, transfer=chance < self.mixture.pasted + self.mixture.transfer)

    def _changed(self, rng: np.random.Generator, transfer: bool) -> Sample:
        """A foreground whose colours were changed: the photo is the truth."""
        rules, base = self.mixture, self.rules
        people = bool(self.with_person) and rng.random() < rules.people
        chosen = self.with_person if people else range(len(self.photos))
        # A share of 0 draws no number, here and below: evaluate_match's seeds give the samples that they always gave.
        if people and self.groups and rules.together and rng.random() < rules.together:
            chosen = self.groups
        image, layers = self._crop(rng, chosen[rng.integers(len(chosen))])
        if rng.random() < base.whole_look:
            image = random_global_look(rng, self.film_luts, base.whole_strength).apply(image)
        candidates = [layer for layer in layers if layer[1] or not people]
        foreground, _, _ = self._foreground(rng, candidates, image.shape[:2])
        others = [(layer, person) for layer, person in layers if layer is not foreground]
        alike = same_kind(foreground, layers)
        if alike and rules.pairs and rng.random() < rules.pairs:
            reference = alike[rng.integers(len(alike))]
        elif rng.random() < rules.unlike:
            reference = unlike_region(rng, image, foreground, [layer for layer, person in others if not person])
        else:
            reference, _ = self._reference(rng, foreground, others)
        if not foreground.any() or rng.random() < base.unchanged:
            return self._finished(rng, image, foreground, reference, image)
        if transfer:
            is_person = any(person for layer, person in layers if layer is foreground)
            changed = self.statistics.transferred(rng, image, foreground, is_person, rng.uniform(*rules.transfer_share))
        else:
            changed = self._recoloured(rng, image)
        composite = np.where(foreground[..., None], changed, image)
        return self._finished(rng, composite, foreground, reference, image, transfer=transfer)

    def _recoloured(self, rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
        """One change, or several weaker ones."""
        count = int(rng.integers(2, 4)) if rng.random() < self.mixture.several else 1
        strength = rng.uniform(*self.rules.strength) / np.sqrt(count)
        if rng.random() < self.mixture.light:
            image, count = random_light(rng, strength).apply(image), count - 1
        for _ in range(count):
            image = random_look(rng, self.film_luts, strength).apply(image)
        return image

    def _beside(self, rng: np.random.Generator) -> Sample:
        """A person of one photo beside a person, or another thing, of another: nobody knows the truth."""
        rules = self.mixture
        for _ in range(TRIES):
            clean = bool(self.half_lengths) and rng.random() < rules.clean
            host, beside, things = self._host(rng, clean)
            pasted = None if beside is None else self._guest(rng, beside, clean)
            if pasted is None:
                continue
            foreground = pasted.alpha > 0.5
            reference = beside & ~foreground
            if rng.random() < rules.unlike:
                free = [thing & ~beside for thing in things]
                reference = unlike_region(rng, host, foreground | beside, free) & ~foreground
            if not (large_enough(foreground) and large_enough(reference)) or foreground.mean() > 0.6:
                continue
            guest = pasted.image
            if rng.random() < rules.changed_guest:
                guest = random_look(rng, self.film_luts, rng.uniform(0.3, 1.0)).apply(guest)
            composite = host + pasted.alpha[..., None] * (guest - host)
            return self._finished(rng, composite, foreground, reference, composite, pasted=True)
        return self._changed(rng, transfer=False)

    def _host(self, rng: np.random.Generator, clean: bool) -> tuple[np.ndarray, np.ndarray | None, list[np.ndarray]]:
        """A photo, a person in it (None where none will do), and its other things."""
        if clean and rng.random() < 0.4:
            image, person = self._half_length(rng)
            return image, person, []
        image, layers = self._crop(rng, int(rng.choice(self.with_person)))
        people = [layer for layer, person in layers if person and 0.02 < layer.mean() < 0.6]
        things = [layer for layer, person in layers if not person]
        return image, people[rng.integers(len(people))] if people else None, things

    def _guest(self, rng: np.random.Generator, beside: np.ndarray, clean: bool) -> Pasted | None:
        """Another photo's person, placed beside ``beside``; None where it does not fit."""
        if clean:
            return stand_beside(rng, *self._half_length(rng), beside)
        image, layers = self._crop(rng, int(rng.choice(self.with_person)))
        people = [layer for layer, person in layers if person]
        if not people:
            return None
        return feathered(rng, *_place(rng, image, people[rng.integers(len(people))], beside))

    def _half_length(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A half-length portrait, perhaps mirrored: (N, N, 3) float32 and its mask."""
        number = self.half_lengths[rng.integers(len(self.half_lengths))]
        image = self.portraits.images[number].astype(np.float32) / 255
        mask = (self.portraits.instances[number] & 1).astype(bool)
        if rng.random() < 0.5:
            image, mask = np.ascontiguousarray(image[:, ::-1]), mask[:, ::-1]
        return image, mask

    def _finished(
        self,
        rng: np.random.Generator,
        composite: np.ndarray,
        foreground: np.ndarray,
        reference: np.ndarray,
        target: np.ndarray,
        pasted: bool = False,
        transfer: bool = False,
    ) -> Sample:
        if rng.random() < self.mixture.inexact:
            foreground, reference = _inexact(rng, foreground, reference)
        if self.mixture.scene_only:
            reference = ~foreground
        window = WHOLE
        if self.mixture.margin is not None and foreground.any():
            near, far = np.log(self.mixture.margin)
            window = around(foreground, float(np.exp(rng.uniform(near, far))))
        seen = look_sample(composite, foreground, reference, target, self.rules.size, window, paired=not pasted)
        return seen | {"pasted": np.float32(pasted), "transfer": np.float32(transfer)}


def look_sample(
    composite: np.ndarray,
    foreground: np.ndarray,
    reference: np.ndarray,
    target: np.ndarray,
    size: int,
    window: Window = WHOLE,
    paired: bool = True,
) -> Sample:
    """Pictures (h, w, 3) float32 and masks (h, w) as the network of the match reads them; ``window`` is what is seen of
    the foreground."""
    found = sample(
        shrink(composite[window], size),
        shrink_mask(foreground[window], size),
        shrink_mask(reference, size),
        shrink(target[window], size),
        paired,
        shrink(composite, size),
    )
    photo = encoder_view(composite)
    scene = 1 - shrink_mask(foreground, size)[None]
    return found | {
        "photo": photo if window is WHOLE else encoder_view(composite[window]),
        "reference_photo": photo,
        "scene": scene if scene.any() else found["reference"],
    }


def encoder_view(image: np.ndarray) -> np.ndarray:
    """A picture (h, w, 3) float32 as the encoder sees it: (3, 192, 192)."""
    way = cv2.INTER_AREA if max(image.shape[:2]) > SIDE else cv2.INTER_LINEAR
    seen = cv2.resize(np.ascontiguousarray(image, np.float32), (SIDE, SIDE), interpolation=way)
    return np.clip(seen, 0, 1).transpose(2, 0, 1).copy()


def same_kind(foreground: np.ndarray, layers: list[Layer]) -> list[np.ndarray]:
    """What is seen of the other instances of the foreground's kind: none where the foreground is no instance."""
    kinds = [person for layer, person in layers if layer is foreground]
    return _left_of((layer for layer, person in layers if person in kinds and layer is not foreground), foreground)


def unlike_region(
    rng: np.random.Generator, image: np.ndarray, foreground: np.ndarray, things: Sequence[np.ndarray]
) -> np.ndarray:
    """Another kind of thing: one of ``things``, or the most saturated of some random regions outside the foreground."""
    free = _left_of(things, foreground)
    if free and rng.random() < 0.6:
        return free[rng.integers(len(free))]
    saturation = np.ptp(image, axis=-1)
    regions = _left_of((random_region(rng, foreground.shape) for _ in range(6)), foreground) or [~foreground]
    return max(regions, key=lambda region: saturation[region].mean() if region.any() else 0.0)


def _left_of(regions: Iterable[np.ndarray], foreground: np.ndarray) -> list[np.ndarray]:
    """What a foreground leaves of regions, where it is enough to be seen."""
    left = [region & ~foreground for region in regions]
    return [region for region in left if large_enough(region)]


def _inexact(rng: np.random.Generator, foreground: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A mask that takes a little of the background in, or leaves a little of the foreground out."""
    size = int(rng.integers(2, 5))
    change = cv2.dilate if rng.random() < 0.6 else cv2.erode
    mask = change(foreground.astype(np.uint8), np.ones((size, size), np.uint8)).astype(bool)
    return (mask, reference & ~mask) if large_enough(mask) else (foreground, reference)


def _half_lengths(portraits: PackedPhotos) -> list[int]:
    """Portraits of one person whom the lower edge cuts."""
    return [
        number
        for number, persons in enumerate(portraits.persons)
        if persons == [True] and (portraits.instances[number][-3:] & 1).any(0).sum() > portraits.images.shape[1] // 5
    ]
