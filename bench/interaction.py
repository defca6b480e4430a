"""What pointing does: does the result follow the reference that was chosen, and how much do careless regions matter?

``python -m bench.interaction --dataset DIR --model portrait`` prints one table (docs/interaction.md):

* *following*: a composite with two references of its photo that look different (regions of two composites of the same
  photo). Distance is the mean absolute difference of the channels' 10th percentile, mean and 90th percentile; the
  chosen reference wins when its own result is nearer to it than the other reference's result is.
* *careless regions*: the reference shrunk to half its area, shifted by a fifth of its box, or drawn as its box. The
  change of the result, in ΔE00 over the foreground, over what harmonizing changed.
* *idempotence*: what harmonizing the result again changes, as a share of the first change.
* *drift*: the true photo harmonized as if it were a composite; foreground MSE on the 0-255 scale.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import pandas as pd
import typer
from tqdm import tqdm

import iph
from bench.commands.terminal import sentences
from bench.datasets.catalogue import open_dataset
from bench.datasets.manifest import Entry
from bench.datasets.pictures import Picture, load
from bench.metrics import fdelta_e00, fmse
from bench.report.render import markdown

DIFFERENT = 0.1  # distance from which two references count as differently lit
LEAST_SHARE = 0.01  # of the frame, for a reference
Row = dict[str, float | bool | str]


def look_points(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """10th percentile, mean and 90th percentile of each channel of ``image`` (H, W, 3) uint8 in ``mask``: (3, 3)."""
    pixels = image[mask].astype(np.float64) / 255  # (K, 3)
    return np.stack([np.percentile(pixels, 10, axis=0), pixels.mean(axis=0), np.percentile(pixels, 90, axis=0)])


def distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())


def follow(harmonizer: iph.Harmonizer, picture: Picture, other: np.ndarray) -> Row | None:
    """One composite towards its own reference and towards ``other``; None where the two look alike."""
    chosen = [look_points(picture.composite, mask) for mask in (picture.reference, other)]
    if distance(*chosen) < DIFFERENT:
        return None
    session = harmonizer.open(picture.composite, picture.foreground)
    results = [look_points(session.harmonize(mask).image, picture.foreground) for mask in (picture.reference, other)]
    before = look_points(picture.composite, picture.foreground)
    return {
        "apart": distance(*chosen),
        "moved apart": distance(*results),
        "won": np.mean([distance(results[k], chosen[k]) < distance(results[1 - k], chosen[k]) for k in (0, 1)]),
        "before": np.mean([distance(before, points) for points in chosen]),
        "after": np.mean([distance(result, points) for result, points in zip(results, chosen, strict=True)]),
    }


def careless(mask: np.ndarray) -> dict[str, np.ndarray]:
    """The region (H, W) bool as a hurried hand draws it."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    ys, xs = np.nonzero(mask)
    dy, dx = (int(np.ptp(places) + 1) // 5 for places in (ys, xs))
    matrix = np.float32([[1, 0, dx], [0, 1, dy]])
    box = np.zeros_like(mask)
    box[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1] = True
    return {
        "shrunk to half its area": depth >= np.median(depth[mask]),
        "shifted by a fifth of its box": cv2.warpAffine(mask.astype(np.uint8), matrix, mask.shape[::-1]) > 0,
        "drawn as its box": box,
    }


def steadiness(harmonizer: iph.Harmonizer, picture: Picture) -> Row:
    """Careless regions, idempotence and drift on one composite."""
    foreground, reference = picture.foreground, picture.reference
    session = harmonizer.open(picture.composite, foreground)
    result = session.harmonize(reference).image
    change = max(fdelta_e00(result, picture.composite, foreground), 1e-6)
    row: Row = {"change": change}
    for name, drawn in careless(reference).items():
        drawn = drawn & ~foreground
        if drawn.any():
            row[name] = fdelta_e00(session.harmonize(drawn).image, result, foreground)
    again = harmonizer.open(result, foreground).harmonize(reference).image
    row["harmonized twice"] = fdelta_e00(again, result, foreground)
    kept = harmonizer.open(picture.target, foreground).harmonize(reference).image
    return row | {"drift": fmse(kept, picture.target, foreground)}


def siblings(entries: tuple[Entry, ...]) -> Iterator[tuple[Entry, Entry]]:
    """Pairs of entries of one photo: a composite, and the one whose reference is the other choice."""
    photos: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        photos[entry.photo].append(entry)
    for group in photos.values():
        yield from permutations(group[:2], 2)


def measure_following(harmonizer: iph.Harmonizer, entries: tuple[Entry, ...], size: int) -> pd.DataFrame:
    rows = []
    for entry, other in tqdm(list(siblings(entries)), unit="pair"):
        picture, reference = load(entry, size), load(other, size).reference
        reference = reference & ~picture.foreground
        if reference.mean() >= LEAST_SHARE and (row := follow(harmonizer, picture, reference)):
            rows.append(row)
    return pd.DataFrame(rows)


def report(following: pd.DataFrame, steady: pd.DataFrame) -> str:
    """Both measurements as Markdown."""
    rows = []
    if len(following):
        means = following.mean()
        rows += [
            ["composites with two differently lit references", f"{len(following)}"],
            ["the chosen reference wins", f"{means['won']:.1%}"],
            ["distance between the two references", f"{means['apart']:.3f}"],
            ["distance between their two results", f"{means['moved apart']:.3f}"],
            ["distance to the chosen reference, before and after", f"{means['before']:.3f}, {means['after']:.3f}"],
        ]
    rows += [["composites", f"{len(steady)}"], ["ΔE00 that harmonizing changes", f"{steady['change'].mean():.2f}"]]
    for name in steady.columns.drop(["change", "drift"]):
        share = steady[name].mean() / steady["change"].mean()
        rows.append([f"{name}: ΔE00 to the result, and as a share", f"{steady[name].mean():.2f}, {share:.0%}"])
    rows.append(["drift of a true photo, foreground MSE", f"{steady['drift'].mean():.0f}"])
    return markdown(["", ""], rows)


def main(
    dataset: Annotated[str, typer.Option(help="A name or a folder, as for `bench run`.")],
    model: Annotated[str, typer.Option(help="Weights of iph.")] = "portrait",
    size: Annotated[int, typer.Option(help="Side of the pictures.")] = 256,
    limit: Annotated[int, typer.Option(min=1, help="Composites for steadiness.")] = 200,
    root: Annotated[Path | None, typer.Option(help="Folder of the named data set.")] = None,
) -> None:
    """Print how results follow the chosen reference, and how steady they are."""
    with sentences():
        entries = open_dataset(dataset, root).entries
        harmonizer = iph.load(model)
        following = measure_following(harmonizer, entries, size)
        spread = entries[:: max(1, len(entries) // limit)][:limit]
        steady = pd.DataFrame([steadiness(harmonizer, load(entry, size)) for entry in tqdm(spread, unit="image")])
        print(report(following, steady))


if __name__ == "__main__":
    typer.run(main)
