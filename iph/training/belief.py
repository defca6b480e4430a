"""Belief-Open: recoloured people of test photos beside references of other kinds, the truth known.

A reference that is no person says little about a person's colours. What a harmonizer makes of it must not be worse
than what it makes of the whole background, and skin must keep its hue. Each composite depends on the photo's name and
on nothing else; the photos are those of the folder's ``test`` split.
"""

import zlib
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from iph.data.augment import random_look
from iph.data.composites import Composed
from iph.data.match_samples import look_sample, unlike_region
from iph.data.photos import PhotoRecord, read_folder
from iph.data.regions import large_enough
from iph.data.samples import Sample
from iph.training.kinds import skin_pixels
from iph.views import shrink_mask

KINDS = ("cloth", "sky", "furniture", "thing", "saturated")
BASELINE = "background"
SIDE = 256
LEAST_PERSON, MOST_PERSON = 0.04, 0.6  # share of the frame
SKY = ("sky",)
FURNITURE = ("chair", "couch", "bed", "table", "desk", "bench", "sofa", "cabinet", "shelf", "toilet", "sink")


def belief_samples(folder: Path, size: int) -> Iterator[tuple[str, Sample]]:
    """(kind of reference, sample) in order; for each composite first the whole background, then each kind it has.

    As ``look_sample``'s, of the whole picture, and ``skin`` (1, S, S), the foreground's skin.
    """
    labels = _labels(folder)
    for record in read_folder(folder, "test"):
        for composed in _composites(record, labels):
            composite, photo = (pixels.astype(np.float32) / 255 for pixels in (composed.composite, composed.target))
            skin = skin_pixels(composed.target) & composed.foreground
            small = look_sample(composite, composed.foreground, composed.reference, photo, size)
            yield composed.subset, small | {"skin": shrink_mask(skin, size)[None]}


@lru_cache(maxsize=1)
def belief_composites(folder: Path, photo: str) -> tuple[Composed, ...]:
    """One photo's composites, (256, 256); ``subset`` is the kind of reference. Empty where nobody there will do.

    Those of the last photo are kept, for whoever asks for them one by one.
    """
    return tuple(_composites(_records(folder)[photo], _labels(folder)))


@cache
def _records(folder: Path) -> dict[str, PhotoRecord]:
    return {record.id: record for record in read_folder(folder)}


@cache
def _labels(folder: Path) -> pd.Series:
    """What each mask shows, by photo and number."""
    return pd.read_csv(folder / "instances.csv", dtype={"id": str, "label": str}).set_index(["id", "k"])["label"]


def _composites(record: PhotoRecord, labels: pd.Series) -> Iterator[Composed]:
    image = cv2.resize(record.read_image(), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    masks = [
        cv2.resize(mask.astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_AREA) > 0
        for mask in record.read_masks()
    ]
    people = [k for k, person in enumerate(record.persons) if person]
    usable = [k for k in people if LEAST_PERSON <= masks[k].mean() <= MOST_PERSON]
    if not usable:
        return
    rng = np.random.default_rng([17, zlib.crc32(record.id.encode())])
    chosen = usable[rng.integers(len(usable))]
    foreground = masks[chosen]
    second, first = random_look(rng), random_look(rng, strength=0.7)
    changed = image.astype(np.float64) / 255  # in double: single powers differ from one processor to the next
    for look in (first, second):
        changed = look.apply(changed).astype(np.float64)
    changed = np.rint(changed * 255).astype(np.uint8)
    composite = np.where(foreground[..., None], changed, image)
    for kind, reference in _references(rng, record, image, masks, chosen, labels):
        yield Composed(composite, image, foreground, reference & ~foreground, f"{first.name}, {second.name}", kind)


def _references(
    rng: np.random.Generator,
    record: PhotoRecord,
    image: np.ndarray,
    masks: list[np.ndarray],
    chosen: int,
    labels: pd.Series,
) -> Iterator[tuple[str, np.ndarray]]:
    foreground = masks[chosen]
    yield BASELINE, ~foreground
    free = [mask & ~foreground for mask in masks]
    names = [str(labels.get((record.id, int(path.stem.rsplit("_", 1)[1])), "")) for path in record.masks]
    people = [k for k, person in enumerate(record.persons) if person and k != chosen and large_enough(free[k])]
    if people:
        cloth = free[people[0]] & ~skin_pixels(image)
        if large_enough(cloth):
            yield "cloth", cloth
    found = set()
    for k, name in enumerate(names):
        if record.persons[k] or k == chosen or not large_enough(free[k]):
            continue
        kind = "sky" if _is(name, SKY) else "furniture" if _is(name, FURNITURE) else "thing"
        if kind not in found:
            found.add(kind)
            yield kind, free[k]
    anyone = np.logical_or.reduce([masks[k] for k, person in enumerate(record.persons) if person])
    saturated = unlike_region(rng, image.astype(np.float32) / 255, anyone, [])
    if large_enough(saturated):
        yield "saturated", saturated & ~anyone


def _is(name: str, words: tuple[str, ...]) -> bool:
    return any(word in name for word in words)
