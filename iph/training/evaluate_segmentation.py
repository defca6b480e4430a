"""Measure the shipped segmentation on the `test` split, and print the table of `docs/segmentation.md`.

    python -m iph.training.evaluate_segmentation --photos DIR --out runs/seg/test.csv

Every instance mask of the split is asked for with its true box and with one click on its deepest place; people who
touch another person also with one stroke on that other person. The automatic masks are measured a photo: the union of
what is found against the union of what is marked (of people alone, where there are people). Regions (sky, a wall) are
no subjects and have a row of their own.

    python -m iph.training.evaluate_segmentation --photos DIR --portraits DIR --more DIR

also measures automatic portraits: one person who fills the frame, in the `test` split of MORE and all of PORTRAITS but
the seven whose masks are wrong.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from iph.data.photos import is_region, read_index
from iph.data.pictures import read_image
from iph.errors import InputError
from iph.masks import from_box, from_box_region, from_click, from_strokes, segment_subjects
from iph.masks.forms import bounds
from iph.masks.windows import answer_with

GRABCUT_SIDE = 320  # GrabCut from the box takes 3 s a mask at 512 pixels
GRABCUT_ROUNDS = 5
SMALLEST = 100  # pixels
WRONG = {f"cc0_{number:03d}" for number in (19, 24, 45, 51, 53, 57, 74)}  # a cap alone, a face without hair, no shirt
COLUMNS = {
    "frame": "all foreground (whole frame)",
    "box": "all foreground (true box)",
    "grabcut": "GrabCut, true box",
    "ours_box": "ours, true box",
    "ours_click": "ours, one click",
}


def iou(found: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two bool masks; 0 where both are empty."""
    union = int((found | truth).sum())
    return int((found & truth).sum()) / union if union else 0.0


def deepest(mask: np.ndarray) -> tuple[int, int]:
    """x, y of the pixel of a bool mask that lies farthest from its edge."""
    depth = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(np.argmax(depth), depth.shape)
    return int(x), int(y)


def grabcut_from_box(image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """OpenCV's own GrabCut, started from a rectangle; (H, W) bool."""
    scale = min(1.0, GRABCUT_SIDE / max(image.shape[:2]))
    small = cv2.resize(image[..., ::-1], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    x0, y0, x1, y1 = (round(v * scale) for v in box)
    rectangle = (x0, y0, max(1, x1 - x0), max(1, y1 - y0))
    marks = np.zeros(small.shape[:2], np.uint8)
    cv2.setRNGSeed(0)
    try:
        cv2.grabCut(
            small, marks, rectangle, np.zeros((1, 65)), np.zeros((1, 65)), GRABCUT_ROUNDS, cv2.GC_INIT_WITH_RECT
        )
    except cv2.error:  # the box is the whole picture: GrabCut has no background to learn
        return from_box_region(image.shape, box) > 0
    inside = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    return cv2.resize(inside, image.shape[1::-1], interpolation=cv2.INTER_LINEAR) > 0.5


def stroke_on(mask: np.ndarray) -> np.ndarray:
    """A short stroke through the deepest place of a mask, (H, W) bool: what a person draws on a neighbour."""
    x, y = deepest(mask)
    half = max(2, round(0.25 * float(mask.sum()) ** 0.5))
    line = np.zeros(mask.shape, np.uint8)
    cv2.line(line, (x, y - half), (x, y + half), 1, 3)
    return (line > 0) & mask


def measure_photo(image: np.ndarray, masks: list[np.ndarray], people: list[bool], regions: list[bool]) -> list[dict]:
    """One row an instance, and one of the automatic mask unless all of them are regions."""
    rows = []
    reach = np.ones((2 * max(2, max(image.shape) // 128) + 1,) * 2, np.uint8)
    for k, mask in enumerate(masks):
        if mask.sum() < SMALLEST:
            continue
        box, point = bounds(mask), deepest(mask)
        clicked = from_click(image, point)
        row = {
            "kind": "region" if regions[k] else "person" if people[k] else "object",
            "frame": float(mask.mean()),
            "box": iou(from_box_region(image.shape, box) > 0, mask),
            "grabcut": iou(grabcut_from_box(image, box), mask),
            "ours_box": iou(from_box(image, box) > 0.5, mask),
            "ours_click": iou(clicked > 0.5, mask),
            "ours_stroke": float("nan"),
        }
        near = cv2.dilate(mask.astype(np.uint8), reach) > 0
        others = [m & ~mask for j, m in enumerate(masks) if j != k and people[j] and (near & m & ~mask).any()]
        if people[k] and others:
            click = np.zeros(mask.shape, np.uint8)
            cv2.circle(click, point, 2, 1, -1)
            remove = stroke_on(max(others, key=np.sum))
            row["ours_stroke"] = iou(from_strokes(image, click > 0, remove, start=clicked) > 0.5, mask)
        rows.append(row)
    things = [m for m, region in zip(masks, regions, strict=True) if not region]
    wanted = [m for m, person in zip(masks, people, strict=True) if person] or things
    if rows and wanted:
        truth = np.any(wanted, axis=0)
        subjects = segment_subjects(image)
        chosen = [s for s in subjects if s.person] or subjects
        union = np.max([s.mask for s in chosen], axis=0) > 0.5 if subjects else np.zeros(truth.shape, bool)
        kind = "automatic, people" if any(people) else "automatic, objects"
        best = [max((iou(s.mask > 0.5, m) for s in subjects), default=0.0) for m in wanted]
        rows.append(
            {
                "kind": kind,
                "frame": float(truth.mean()),
                "ours_automatic": iou(union, truth),
                "ours_one": float(np.mean(best)),
            }
        )
    return rows


def measure_portraits(folder: Path) -> pd.DataFrame:
    """IoU and mean absolute error of the automatic cut-out, a row a portrait."""
    index = pd.read_csv(folder / "index.csv")
    if (folder / "split.csv").exists():
        index = index.merge(pd.read_csv(folder / "split.csv")).query("split == 'test'")
    rows = []
    for name in tqdm(sorted(set(index["id"]) - WRONG)):
        image = read_image(folder / "images" / f"{name}.jpg", oriented=True)
        path = next(p for p in (folder / "masks" / f"{name}{end}.png" for end in ("_0", "")) if p.exists())
        truth = cv2.imread(str(path), 0).astype(np.float32) / 255
        subjects = segment_subjects(image)
        chosen = ([s for s in subjects if s.person] or subjects)[:1]
        mask = chosen[0].mask if chosen else np.zeros_like(truth)
        rows.append({"id": name, "iou": iou(mask > 0.5, truth > 0.5), "error": float(np.abs(mask - truth).mean())})
    return pd.DataFrame(rows)


def portrait_table(results: dict[str, pd.DataFrame]) -> str:
    lines = ["| automatic portraits | n | mean IoU | at 0.9 | mean absolute error |", "| --- |" + " ---: |" * 4]
    for name, rows in results.items():
        good = (rows["iou"] >= 0.9).mean()
        lines.append(f"| {name} | {len(rows)} | {rows['iou'].mean():.3f} | {good:.1%} | {rows['error'].mean():.3f} |")
    return "\n".join(lines)


def measure(photos: Path, split: str, every: int = 1) -> pd.DataFrame:
    table = read_index(photos)
    rows = []
    for photo in tqdm(list(table[table["split"] == split].itertuples())[::every]):
        image = read_image(photos / "images" / f"{photo.id}.jpg", oriented=True)
        masks = [cv2.imread(str(photos / "masks" / f"{photo.id}_{k}.png"), 0) > 127 for k in range(photo.n_instances)]
        people = [flag == "1" for flag in photo.person_flags]
        regions = [is_region(label) for label in photo.labels.split("|")]
        rows += [row | {"id": photo.id} for row in measure_photo(image, masks, people, regions)]
    return pd.DataFrame(rows)


def table(results: pd.DataFrame) -> str:
    """The results as Markdown: mean IoU of each way, by kind of mask."""
    single = results[results["ours_box"].notna()]
    subjects = single[single["kind"] != "region"]
    groups = [("all masks", single), ("people and objects", subjects)]
    groups += [(f"{kind} masks", single[single["kind"] == kind]) for kind in ("person", "object", "region")]
    lines = ["| mean IoU | n | " + " | ".join(COLUMNS.values()) + " |", "| --- |" + " ---: |" * (len(COLUMNS) + 1)]
    for name, group in groups:
        cells = [f"{group[column].mean():.3f}" for column in COLUMNS]
        lines.append(f"| {name} | {len(group)} | " + " | ".join(cells) + " |")
    touching = single[single["ours_stroke"].notna()]
    lines += ["", "| people who touch another person | n | mean IoU |", "| --- | ---: | ---: |"]
    for column, name in [*COLUMNS.items(), ("ours_stroke", "ours, one click and one stroke on the other person")]:
        lines.append(f"| {name} | {len(touching)} | {touching[column].mean():.3f} |")
    lines += [
        "",
        "| automatic, a photo | n | all foreground | union of what is found | best one found, a mask |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for kind in ("automatic, people", "automatic, objects"):
        group = results[results["kind"] == kind]
        cells = [f"{group[column].mean():.3f}" for column in ("frame", "ours_automatic", "ours_one")]
        lines.append(f"| photos with {kind.split(', ')[1]} | {len(group)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, help="folder with index.csv, split.csv, images/, masks/")
    parser.add_argument("--more", type=Path, help="folder of photos whose `test` split are portraits")
    parser.add_argument("--portraits", type=Path, help="folder of portraits with index.csv, images/, masks/")
    parser.add_argument("--split", default="test", choices=("test", "sample", "train"))
    parser.add_argument("--every", type=int, default=1, help="measure every n-th photo only")
    parser.add_argument("--weights", help="a file to be measured, instead of what ships")
    parser.add_argument("--people", help="the same of the network that knows people alone")
    parser.add_argument("--out", type=Path, help="also write every row here, as CSV")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.weights or args.people:
        answer_with(args.weights or "segmentation", args.people or "prompted-people")
    try:
        results = measure(args.photos, args.split, args.every)
    except InputError as error:
        parser.error(str(error))
    if args.out:
        results.to_csv(args.out, index=False)
    print(table(results))
    folders = {"`test` of more": args.more, "portraits": args.portraits}
    portraits = {name: measure_portraits(folder) for name, folder in folders.items() if folder is not None}
    if portraits:
        print("\n" + portrait_table(portraits))


if __name__ == "__main__":
    main()
