"""The COCO counterpart of an open set: image ids, mask boxes and seeds, for anyone who has COCO.

Only composites whose photo is a COCO image and whose regions are COCO things are in it. Annotations are found again by
the intersection over union of their boxes. The composites differ from ours in size and in mask detail: it is a
counterpart with its own hash, not the same set.
"""

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from bench.datasets.manifest import write_manifest
from bench.datasets.open_sets import DEFINITIONS, Recipe, compose, write_composite
from bench.datasets.pictures import read_image, read_mask
from bench.errors import InputError
from iph.files import replacing

COLUMNS = ("id", "image_id", "foreground_box", "reference_box", "reference_kind", "seed", "look", "subset")
MATCHED = 0.5  # intersection over union from which a box is taken for the same annotation


def write_counterpart(
    path: Path, recipes: Iterable[Recipe], photos: Path, index: pd.DataFrame, instances: pd.DataFrame
) -> None:
    """Write the recipes on COCO photos with boxes (x0 y0 x1 y1) in pixels of the COCO image."""
    labels = instances.set_index(["id", "k"])["label"].fillna("")
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for recipe in recipes:
            chosen = [k for k in (recipe.foreground, recipe.reference) if k is not None]
            if not recipe.photo.startswith("coco_") or any(
                labels[recipe.photo, k].startswith("stuff:") for k in chosen
            ):
                continue
            masks = [read_mask(photos / "masks" / f"{recipe.photo}_{k}.png") for k in chosen]
            boxes = [_extent(mask) for mask in masks] + ([recipe.box] if recipe.box else [])
            row = index.loc[recipe.photo]
            scale = int(row["orig_width"]) / masks[0].shape[1], int(row["orig_height"]) / masks[0].shape[0]
            kind = "box" if recipe.box else "annotation"
            number = recipe.photo.removeprefix("coco_")
            scaled = [" ".join(f"{value * scale[n % 2]:.1f}" for n, value in enumerate(box)) for box in boxes]
            writer.writerow([recipe.id, number, *scaled, kind, recipe.seed, recipe.look, recipe.subset])


def build_counterpart(
    name: str,
    annotations: Path,
    images: Path,
    out: Path,
    progress: Callable[[Iterable, int], Iterable] = lambda it, n: it,
) -> list[str]:
    """Build ``out/name-coco`` from COCO; returns the ids that have no image or no matching annotation there."""
    with (DEFINITIONS / f"{name}.coco.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    folder = out / f"{name}-coco"
    if (folder / "manifest.csv").exists():
        raise InputError(f"expected a new folder, but {folder} holds a data set already; remove it to build it again")
    for part in ("composites", "foregrounds", "references", "targets"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    by_image = _read_annotations(annotations, {int(row["image_id"]) for row in rows})
    entries, lost = [], []
    for row in progress(rows, len(rows)):
        path = images / f"{int(row['image_id']):012d}.jpg"
        masks = _match(by_image.get(int(row["image_id"]), []), row)
        if masks is None or not path.is_file():
            lost.append(row["id"])
            continue
        box = tuple(round(float(v)) for v in row["reference_box"].split()) if row["reference_kind"] == "box" else None
        photo = f"{int(row['image_id']):012d}"
        recipe = Recipe(row["id"], photo, row["subset"], 0, None if box else 1, box, int(row["seed"]))
        built = compose(recipe, read_image(path), lambda k, masks=masks: masks[k])
        entries.append(write_composite(folder, recipe, built, ".png"))
    if not entries:
        raise InputError(f"expected COCO images of {name} in {images} with annotations in {annotations}, found none")
    write_manifest(folder, entries)
    return lost


def _read_annotations(path: Path, wanted: set[int]) -> dict[int, list[dict]]:
    """Non-crowd annotations of the wanted images, each with its image's height and width."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        sizes = {image["id"]: (image["height"], image["width"]) for image in data["images"] if image["id"] in wanted}
        found: dict[int, list[dict]] = {}
        for note in data["annotations"]:
            if note["image_id"] in sizes and not note.get("iscrowd"):
                found.setdefault(note["image_id"], []).append(note | {"size": sizes[note["image_id"]]})
        return found
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(
            f"expected COCO's instances_*.json at {path}, but it cannot be read as one ({error})"
        ) from None


def _match(notes: list[dict], row: dict[str, str]) -> list[np.ndarray] | None:
    """The masks of the annotations whose boxes are the row's, or None where one has no match."""
    wanted = [row["foreground_box"]] + ([row["reference_box"]] if row["reference_kind"] == "annotation" else [])
    masks = []
    for text in wanted:
        box = [float(value) for value in text.split()]
        scored = [(_iou(box, _corners(note["bbox"])), n) for n, note in enumerate(notes)]
        best = max(scored, default=(0.0, -1))
        if best[0] < MATCHED:
            return None
        masks.append(_decode(notes[best[1]]))
    return masks


def _decode(note: dict) -> np.ndarray:
    from pycocotools import mask as coco_mask

    shape = note["segmentation"]
    height, width = note["size"]
    if isinstance(shape, list):
        return coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(shape, height, width))).astype(bool)
    return coco_mask.decode(coco_mask.frPyObjects(shape, height, width)).astype(bool)


def _corners(box: list[float]) -> list[float]:
    x, y, w, h = box
    return [x, y, x + w, y + h]


def _iou(a: list[float], b: list[float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return shared / (area - shared)


def _extent(mask: np.ndarray) -> tuple[int, int, int, int]:
    ys, xs = np.nonzero(mask)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1
