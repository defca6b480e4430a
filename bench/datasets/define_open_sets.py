"""Draws the definitions of the open test sets, once: ``python -m bench.datasets.define_open_sets PHOTOS``.

Every choice depends on the photo's name and the number of the composite only. A look that changes the foreground by
less than 30 of mean squared error is drawn again: nobody could tell its composite from the photo.
"""

import sys
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bench.datasets.catalogue import SAMPLE_ROOT
from bench.datasets.coco_counterpart import write_counterpart
from bench.datasets.open_sets import DEFINITIONS, Box, Definition, box_mask, rebuild, write_definitions
from bench.datasets.pictures import read_image, read_mask
from iph.training.belief import belief_composites

BELIEF = "belief-open"
COMPOSITES_A_PHOTO = {"intharmony-open": 2, "portrait-open": 8, "sample": 1}
VISIBLE = 30.0  # mean squared error over the foreground, 0-255 scale
MIN_SHARE = 0.01  # of the frame, for a foreground or a reference
SHOWN = 0.04  # of the frame, for a foreground of the sample where there is a choice: it is looked at


@dataclass(frozen=True)
class Photo:
    """A photo with what may be chosen in it: masks by instance number, and which of them are people or stuff."""

    id: str
    image: np.ndarray
    masks: dict[int, np.ndarray]
    people: frozenset[int]
    stuff: frozenset[int]


def main(photos: Path) -> None:
    splits = pd.read_csv(photos / "split.csv", dtype=str)
    instances = pd.read_csv(photos / "instances.csv", dtype={"id": str, "label": str})
    drawn: dict[str, list[Definition]] = {name: [] for name in COMPOSITES_A_PHOTO}
    for photo in _read(photos, splits[splits["split"] == "test"]["id"], instances):
        drawn["intharmony-open"] += _definitions("intharmony-open", photo, _any_pairs(photo))
        drawn["portrait-open"] += _definitions("portrait-open", photo, _person_pairs(photo))
    for photo in _read(photos, splits[splits["split"] == "sample"]["id"], instances):
        pairs = _person_pairs(photo) or [pair for pair in _any_pairs(photo) if not photo.stuff & {*pair}]
        large = [pair for pair in pairs if photo.masks[pair[0]].mean() >= SHOWN]
        drawn["sample"] += _definitions("sample", photo, large or pairs or _any_pairs(photo))
    drawn[BELIEF] = _belief(photos, sorted(splits[splits["split"] == "test"]["id"]))
    index = pd.read_csv(photos / "index.csv", dtype=str).set_index("id")
    for name, rows in drawn.items():
        write_definitions(DEFINITIONS / f"{name}.csv", rows)
        if name == BELIEF:
            continue  # it is made of squeezed photos: COCO's would be other pictures
        if name != "sample":
            write_counterpart(DEFINITIONS / f"{name}.coco.csv", rows, photos, index, instances)
        else:
            _write_credits(SAMPLE_ROOT / "CREDITS.csv", rows, index)
        print(f"{name}: {len(rows)} composites of {len({row.photo for row in rows})} photos")


def _write_credits(path: Path, definitions: list[Definition], index: pd.DataFrame) -> None:
    """Picture, where it is from, licence with its text, and what was changed, for every shipped photo."""
    credits = index.loc[[definition.photo for definition in definitions]]
    kinds = credits["licence"].str.extract(r"CC-(BY(?:-SA)?)-([0-9.]+)")
    pd.DataFrame(
        {
            "id": [definition.id for definition in definitions],
            "coco_image": credits.index.str.removeprefix("coco_"),
            "picture": credits["url"].to_numpy(),
            "licence": ("CC " + kinds[0] + " " + kinds[1]).to_numpy(),
            "licence_text": (
                "https://creativecommons.org/licenses/" + kinds[0].str.lower() + "/" + kinds[1]
            ).to_numpy(),
            "mask": "COCO annotation, CC BY 4.0",
            "change": [
                f"scaled, packed as JPEG again; in composites/ the foreground's colours changed ({definition.look})"
                for definition in definitions
            ],
        }
    ).to_csv(path, index=False, lineterminator="\n")


def _read(photos: Path, ids: Iterable[str], instances: pd.DataFrame) -> Iterable[Photo]:
    for name in sorted(ids):
        rows = instances[instances["id"] == name]
        yield Photo(
            name,
            read_image(photos / "images" / f"{name}.jpg"),
            {k: read_mask(photos / "masks" / f"{name}_{k}.png") for k in rows["k"]},
            frozenset(rows["k"][rows["person"] == 1]),
            frozenset(rows["k"][rows["label"].str.startswith("stuff:", na=False)]),
        )


def _any_pairs(photo: Photo) -> list[tuple[int, int | None]]:
    """(foreground, reference) instances; the reference is None, a box of background, where a foreground has none."""
    pairs: list[tuple[int, int | None]] = []
    for foreground in photo.masks:
        others = [k for k in photo.masks if k != foreground and _usable(photo, foreground, k)]
        pairs += [(foreground, k) for k in others] or [(foreground, None)]
    return pairs


def _person_pairs(photo: Photo) -> list[tuple[int, int]]:
    return [(a, b) for a in sorted(photo.people) for b in sorted(photo.people) if a != b and _usable(photo, a, b)]


def _usable(photo: Photo, foreground: int, reference: int) -> bool:
    rest = photo.masks[reference] & ~photo.masks[foreground]
    return rest.mean() >= MIN_SHARE and photo.masks[foreground].mean() >= MIN_SHARE


def _definitions(name: str, photo: Photo, pairs: list[tuple[int, int | None]]) -> list[Definition]:
    if not pairs:
        return []
    rng = np.random.default_rng([2022, zlib.crc32(name.encode()), zlib.crc32(photo.id.encode())])
    order = rng.permutation(len(pairs))
    drawn = []
    for number in range(COMPOSITES_A_PHOTO[name]):
        foreground, reference = pairs[order[number % len(pairs)]]
        box = _background_box(rng, photo.masks[foreground]) if reference is None else None
        identity = photo.id if COMPOSITES_A_PHOTO[name] == 1 else f"{photo.id}_{number}"
        definition = Definition(identity, photo.id, "", foreground, reference, box, seed=0)
        drawn.append(_visible(rng, name, photo, definition))
    return drawn


def _visible(rng: np.random.Generator, name: str, photo: Photo, definition: Definition) -> Definition:
    """The definition with the first drawn seed whose look can be seen, its subset and its checksum."""
    while True:
        definition = replace(definition, seed=int(rng.integers(2**31)))
        built = rebuild(definition, photo.image, photo.masks.__getitem__)
        change = built.composite[built.foreground].astype(float) - built.target[built.foreground]
        if np.mean(change**2) >= VISIBLE:
            break
    kind = "person" if definition.foreground in photo.people else "object"
    subset = f"{kind}, {'box' if definition.box else 'instance'}" if name == "intharmony-open" else kind
    if name == "portrait-open":
        subset = built.look
    return replace(definition, subset=subset, look=built.look, checksum=built.checksum())


def _belief(folder: Path, photos: Iterable[str]) -> list[Definition]:
    """All that ``iph.training.belief`` makes of these photos."""
    return [
        Definition(
            f"{photo}_{made.subset}",
            photo,
            made.subset,
            foreground=None,
            reference=None,
            box=None,
            seed=zlib.crc32(photo.encode()),
            look=made.look,
            checksum=made.checksum(),
        )
        for photo in photos
        for made in belief_composites(folder, photo)
    ]


def _background_box(rng: np.random.Generator, foreground: np.ndarray) -> Box:
    """A box of 6 to 25 % of the frame, most of it outside ``foreground``: the best of 20 draws."""
    height, width = foreground.shape
    best: tuple[float, Box] = (-1.0, (0, 0, width, height))
    for _ in range(20):
        share, aspect = rng.uniform(0.06, 0.25), np.exp(rng.normal(0, 0.3))
        w = int(min(1, np.sqrt(share * aspect)) * width)
        h = int(min(1, np.sqrt(share / aspect)) * height)
        x, y = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
        box = (x, y, x + w, y + h)
        free = float((~foreground)[box_mask(box, foreground.shape)].mean())
        best = max(best, (free, box))
    return best[1]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
