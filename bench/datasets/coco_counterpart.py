"""The COCO counterpart of an open set: image ids, mask boxes and seeds, for anyone who has COCO.

Only composites whose photo is a COCO image and whose regions are COCO things are in it. Annotations are found again by
the intersection over union of their boxes. The composites differ from ours in size and in mask detail: it is a
counterpart with its own hash, not the same set.
"""

import csv
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from bench.datasets.catalogue import CATALOGUE
from bench.datasets.open_sets import DEFINITIONS, Definition, new_folder, rebuild, write_rebuilt
from bench.datasets.pictures import read_image, read_mask
from bench.datasets.usual_forms import write_usual_forms
from iph.data.coco import Annotated, decode, read_instances
from iph.data.manifest import write_manifest
from iph.data.photos import is_region
from iph.errors import InputError
from iph.files import replacing

COLUMNS = ("id", "image_id", "foreground_box", "reference_box", "reference_kind", "seed", "look", "subset")
MATCHED = 0.5  # intersection over union from which a box is taken for the same annotation


def write_counterpart(
    path: Path, definitions: Iterable[Definition], photos: Path, index: pd.DataFrame, instances: pd.DataFrame
) -> None:
    """Write the definitions on COCO photos with boxes (x0 y0 x1 y1) in pixels of the COCO image."""
    labels = instances.set_index(["id", "k"])["label"].fillna("")
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for definition in definitions:
            chosen = [k for k in (definition.foreground, definition.reference) if k is not None]
            if not definition.photo.startswith("coco_") or any(is_region(labels[definition.photo, k]) for k in chosen):
                continue
            masks = [read_mask(photos / "masks" / f"{definition.photo}_{k}.png") for k in chosen]
            boxes = [_extent(mask) for mask in masks] + ([definition.box] if definition.box else [])
            row = index.loc[definition.photo]
            scale = int(row["orig_width"]) / masks[0].shape[1], int(row["orig_height"]) / masks[0].shape[0]
            kind = "box" if definition.box else "annotation"
            number = definition.photo.removeprefix("coco_")
            scaled = [" ".join(f"{value * scale[n % 2]:.1f}" for n, value in enumerate(box)) for box in boxes]
            writer.writerow([definition.id, number, *scaled, kind, definition.seed, definition.look, definition.subset])


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
    new_folder(folder)
    annotated = read_instances(annotations, {int(row["image_id"]) for row in rows})
    entries, lost = [], []
    for row in progress(rows, len(rows)):
        photo = f"{int(row['image_id']):012d}"
        path = images / f"{photo}.jpg"
        found = annotated.get(int(row["image_id"]))
        masks = _match(found, row) if found else None
        if masks is None or not path.is_file():
            lost.append(row["id"])
            continue
        box = tuple(round(float(v)) for v in row["reference_box"].split()) if row["reference_kind"] == "box" else None
        definition = Definition(row["id"], photo, row["subset"], 0, None if box else 1, box, int(row["seed"]))
        built = rebuild(definition, read_image(path), lambda k, masks=masks: masks[k])
        entries.append(write_rebuilt(folder, definition, built, ".png"))
    if not entries:
        raise InputError(f"expected COCO images of {name} in {images} with annotations in {annotations}, found none")
    write_manifest(folder, entries, by_id=False)
    known = CATALOGUE[name]
    of_coco = replace(known, title=f"{known.title} from COCO", licence=CATALOGUE["intharmony"].licence)
    write_usual_forms(folder, of_coco, entries)
    return lost


def _match(photo: Annotated, row: dict[str, str]) -> list[np.ndarray] | None:
    """The masks of the annotations whose boxes are the row's, or None where one has no match."""
    wanted = [row["foreground_box"]] + ([row["reference_box"]] if row["reference_kind"] == "annotation" else [])
    masks = []
    for text in wanted:
        box = [float(value) for value in text.split()]
        scored = [(_iou(box, _corners(note["bbox"])), n) for n, note in enumerate(photo.notes)]
        best = max(scored, default=(0.0, -1))
        if best[0] < MATCHED:
            return None
        masks.append(decode(photo.notes[best[1]]["segmentation"], photo.shape))
    return masks


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
