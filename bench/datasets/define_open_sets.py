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
from bench.datasets.coco import write_counterpart
from bench.datasets.open_sets import DEFINITIONS, Box, Recipe, box_mask, compose, write_definition
from bench.datasets.pictures import read_image, read_mask

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
    recipes: dict[str, list[Recipe]] = {name: [] for name in COMPOSITES_A_PHOTO}
    for photo in _read(photos, splits[splits["split"] == "test"]["id"], instances):
        recipes["intharmony-open"] += _recipes("intharmony-open", photo, _any_pairs(photo))
        recipes["portrait-open"] += _recipes("portrait-open", photo, _person_pairs(photo))
    for photo in _read(photos, splits[splits["split"] == "sample"]["id"], instances):
        pairs = _person_pairs(photo) or [pair for pair in _any_pairs(photo) if not photo.stuff & {*pair}]
        large = [pair for pair in pairs if photo.masks[pair[0]].mean() >= SHOWN]
        recipes["sample"] += _recipes("sample", photo, large or pairs or _any_pairs(photo))
    index = pd.read_csv(photos / "index.csv", dtype=str).set_index("id")
    for name, rows in recipes.items():
        write_definition(DEFINITIONS / f"{name}.csv", rows)
        if name != "sample":
            write_counterpart(DEFINITIONS / f"{name}.coco.csv", rows, photos, index, instances)
        else:
            _write_credits(SAMPLE_ROOT / "CREDITS.csv", rows, index)
        print(f"{name}: {len(rows)} composites of {len({row.photo for row in rows})} photos")


def _write_credits(path: Path, recipes: list[Recipe], index: pd.DataFrame) -> None:
    """Picture, where it is from, licence with its text, and what was changed, for every shipped photo."""
    credits = index.loc[[recipe.photo for recipe in recipes]]
    kinds = credits["licence"].str.extract(r"CC-(BY(?:-SA)?)-([0-9.]+)")
    pd.DataFrame(
        {
            "id": [recipe.id for recipe in recipes],
            "coco_image": credits.index.str.removeprefix("coco_"),
            "picture": credits["url"].to_numpy(),
            "licence": ("CC " + kinds[0] + " " + kinds[1]).to_numpy(),
            "licence_text": (
                "https://creativecommons.org/licenses/" + kinds[0].str.lower() + "/" + kinds[1]
            ).to_numpy(),
            "mask": "COCO annotation, CC BY 4.0",
            "change": [
                f"scaled, packed as JPEG again; in composites/ the foreground's colours changed ({recipe.look})"
                for recipe in recipes
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


def _recipes(name: str, photo: Photo, pairs: list[tuple[int, int | None]]) -> list[Recipe]:
    if not pairs:
        return []
    rng = np.random.default_rng([2022, zlib.crc32(name.encode()), zlib.crc32(photo.id.encode())])
    order = rng.permutation(len(pairs))
    drawn = []
    for number in range(COMPOSITES_A_PHOTO[name]):
        foreground, reference = pairs[order[number % len(pairs)]]
        box = _background_box(rng, photo.masks[foreground]) if reference is None else None
        identity = photo.id if COMPOSITES_A_PHOTO[name] == 1 else f"{photo.id}_{number}"
        recipe = Recipe(identity, photo.id, "", foreground, reference, box, seed=0)
        drawn.append(_visible(rng, name, photo, recipe))
    return drawn


def _visible(rng: np.random.Generator, name: str, photo: Photo, recipe: Recipe) -> Recipe:
    """The recipe with the first drawn seed whose look can be seen, its subset and its checksum."""
    while True:
        recipe = replace(recipe, seed=int(rng.integers(2**31)))
        built = compose(recipe, photo.image, photo.masks.__getitem__)
        change = built.composite[built.foreground].astype(float) - built.target[built.foreground]
        if np.mean(change**2) >= VISIBLE:
            break
    kind = "person" if recipe.foreground in photo.people else "object"
    subset = f"{kind}, {'box' if recipe.box else 'instance'}" if name == "intharmony-open" else kind
    if name == "portrait-open":
        subset = built.look
    return replace(recipe, subset=subset, look=built.look, checksum=built.checksum())


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
