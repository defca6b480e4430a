"""Training samples out of data sets with a manifest: iHarmony4, IntHarmony and LV-MHP composites (paper Sec. 4).

The samples have the form of ``iph.data.samples``. Looks were put on when the data set was built; what is drawn here is
the composite and, by our rules, a crop, a mirror image, and a look of the whole photo, target and composite alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from iph.cube import Cube
from iph.data.augment import random_global_look
from iph.data.iharmony4 import is_iharmony4, read_iharmony4
from iph.data.instance_pairs import InstancePairSampler
from iph.data.manifest import Entry, read_manifest
from iph.data.pack import PackedPhotos
from iph.data.pictures import read_image, read_mask
from iph.data.regions import background_region, large_enough
from iph.data.samples import PAIRS, Sample, Sampler, SampleRules, sample
from iph.errors import InputError, unknown
from iph.views import shrink, shrink_mask

SINGLE = ("background", "region")  # what ``iph.data.composites`` calls composites without a second instance
KINDS = {"instance": "instance + instance", "background": "instance + region", "region": "region + region"}


@dataclass(frozen=True)
class Composites:
    """The training entries of one or several manifests, each with its folder."""

    entries: list[tuple[Path, Entry]]

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def ids(self) -> list[str]:
        """The photo of each composite: composites of one photo are held out together."""
        return [entry.photo for _, entry in self.entries]

    def subset(self, keep: Sequence[int]) -> "Composites":
        """The composites at these places."""
        return Composites([self.entries[n] for n in keep])


def read_composites(folders: Sequence[str | Path]) -> Composites:
    """The ``train`` split of data sets with a manifest, or of iHarmony4. InputError where a target is missing, or
    one mask of two colours stands for both regions."""
    entries = [(Path(folder), entry) for folder in folders for entry in _training_entries(Path(folder))]
    for folder, entry in entries:
        if not entry.target:
            raise InputError(f"expected a target for every composite to train on, {entry.id} in {folder} has none")
        if entry.reference == entry.foreground:
            raise InputError(f"expected a mask for each region to train on, {entry.id} in {folder} has one for both")
    return Composites(entries)


def _training_entries(folder: Path) -> list[Entry]:
    return read_iharmony4(folder, "train") if is_iharmony4(folder) else read_manifest(folder, "train")


def sampler_of(
    data: PackedPhotos | Composites, rules: SampleRules, film_luts: Sequence[Cube] = ()
) -> "Sampler | InstancePairSampler | CompositeSampler":
    """What draws samples from ``data``, by rules."""
    if rules.pairs not in PAIRS:
        raise unknown("rule of pairs", rules.pairs, PAIRS)
    if isinstance(data, Composites):
        return CompositeSampler(data, rules, film_luts)
    return (InstancePairSampler if rules.pairs == "paper" else Sampler)(data, rules, film_luts)


class CompositeSampler:
    """As ``iph.data.samples.Sampler``. Of the rules, ``size``, ``stage``, ``pairs``, ``crop``, ``mirrored`` and those
    of whole looks and unchanged composites count; stage 1 takes the background as reference, and so does a composite
    without one. With the paper's pairs, a builder's composites without a second instance are left out of stages 2, 3.
    """

    def __init__(self, composites: Composites, rules: SampleRules, film_luts: Sequence[Cube] = ()) -> None:
        if rules.pairs == "paper" and rules.stage > 1:
            kept = [n for n, (_, entry) in enumerate(composites.entries) if entry.subset not in SINGLE]
            if not kept:
                raise InputError("expected composites whose reference is another instance, found none")
            composites = composites.subset(kept)
        self.composites = composites
        self.rules = rules
        self.film_luts = film_luts

    def draw(self, seed: Sequence[int] | int) -> Sample:
        """The sample of this seed."""
        return self.draw_named(seed)[0]

    def draw_named(self, seed: Sequence[int] | int) -> tuple[Sample, str]:
        """The sample of this seed, and what foreground and reference are, as "instance + background"."""
        rng = np.random.default_rng(seed)
        folder, entry = self.composites.entries[rng.integers(len(self.composites))]
        composite, target = (
            read_image(folder / path, "picture", oriented=True) for path in (entry.composite, entry.target)
        )
        foreground = read_mask(folder / entry.foreground)
        from_file = bool(entry.reference) and self.rules.stage > 1
        reference = read_mask(folder / entry.reference) if from_file else ~foreground
        layers = (composite, target, foreground, reference)
        if len({layer.shape[:2] for layer in layers}) > 1:
            raise InputError(f"expected the pictures of {entry.id} in {folder} in one size, got several")
        composite, target, foreground, reference = self._crop(rng, layers)
        if rng.random() < self.rules.whole_look:
            look = random_global_look(rng, self.film_luts, self.rules.whole_strength)
            composite, target = look.apply(composite), look.apply(target)
        if rng.random() < self.rules.unchanged:
            composite = target
        named = KINDS.get(entry.subset, "foreground + reference") if from_file else "foreground + background"
        return sample(composite, foreground, reference, target), named

    def _crop(self, rng: np.random.Generator, layers: Sequence[np.ndarray]) -> list[np.ndarray]:
        """One random window of all layers at the network's size, perhaps mirrored; the frame if the window is unfit."""
        height, width = layers[0].shape[:2]
        share = rng.uniform(*self.rules.crop)
        top, left = (int(rng.uniform(0, side * (1 - share))) for side in (height, width))
        window = slice(top, top + round(height * share)), slice(left, left + round(width * share))
        mirrored = rng.random() < self.rules.mirrored
        for view in (window, (slice(None), slice(None))):
            composite, target, foreground, reference = (self._shrunk(layer[view]) for layer in layers)
            reference &= ~foreground
            if large_enough(foreground) and large_enough(reference):
                break
        if not reference.any():  # thinner than a pixel of the small view
            reference = background_region(rng, foreground)
        step = -1 if mirrored else 1
        return [layer[:, ::step] for layer in (composite, target, foreground, reference)]

    def _shrunk(self, layer: np.ndarray) -> np.ndarray:
        if layer.ndim == 3:
            return shrink(layer, self.rules.size).astype(np.float32) / 255
        return shrink_mask(layer, self.rules.size) > 0
