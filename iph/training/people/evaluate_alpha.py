"""Measure the edges of cut-outs on composites whose alpha is known, and print the table of `docs/segmentation.md`.

    python -m iph.training.people.evaluate_alpha --portraits DIR --photos DIR

Portraits by the masks that came with them, their colours cleaned, over `test` photos without people; seeded. Cut out
unasked, by a click on the deepest place and by a box, each with the matting of the edge and without.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from iph.data.photos import read_index
from iph.data.pictures import read_image
from iph.errors import InputError
from iph.masks import clean_edges, from_box, from_click, matting
from iph.masks.forms import bounds
from iph.masks.subjects import main_subject
from iph.training.evaluate_segmentation import WRONG, deepest, iou

COUNT = 20
LONGER = 800  # pixels
SEED = 5
NEAR = 25  # pixels, side of the square around what is half transparent that counts
GROUNDS = {"over dark": 24, "over bright": 245}
Composite = tuple[np.ndarray, np.ndarray, np.ndarray]


def composites(portraits: Path, photos: Path, count: int = COUNT) -> Iterator[Composite]:
    """A composite (H, W, 3) uint8, its alpha (H, W) float32 and the person's own colours, one after the other."""
    rng = np.random.default_rng(SEED)
    names = sorted({path.stem for path in (portraits / "images").glob("*.jpg")} - WRONG)
    table = read_index(photos)
    grounds = table[(table["split"] == "test") & ~table["person_flags"].str.contains("1")]["id"]
    chosen = (rng.choice(all_, min(count, len(all_)), replace=False) for all_ in (names, grounds.to_numpy(str)))
    for name, ground in zip(*chosen, strict=False):
        image, behind = (
            read_image(folder / "images" / f"{one}.jpg", oriented=True)
            for folder, one in ((portraits, name), (photos, ground))
        )
        alpha = cv2.imread(str(portraits / "masks" / f"{name}.png"), 0).astype(np.float32) / 255
        scale = min(1, LONGER / max(alpha.shape))
        image, alpha = (cv2.resize(a, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for a in (image, alpha))
        behind = cv2.GaussianBlur(cv2.resize(behind, alpha.shape[::-1], interpolation=cv2.INTER_CUBIC), (0, 0), 1)
        own = clean_edges(image, alpha)
        yield np.rint(_over(own, alpha, behind)).astype(np.uint8), alpha, own


def _over(colors: np.ndarray, alpha: np.ndarray, ground: np.ndarray | float) -> np.ndarray:
    return colors * alpha[..., None] + ground * (1 - alpha[..., None])


def unasked(composite: np.ndarray, truth: np.ndarray) -> np.ndarray:
    subject = main_subject(composite)
    return np.zeros_like(truth) if subject is None else subject.mask


WAYS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "unasked": unasked,
    "by a click": lambda composite, truth: from_click(composite, deepest(truth > 0.5)),
    "by a box": lambda composite, truth: from_box(composite, bounds(truth > 0.5)),
}


def errors(composite: np.ndarray, truth: np.ndarray, own: np.ndarray, found: np.ndarray) -> dict[str, float]:
    """Mean absolute error of the alpha, of it near what is half transparent, and of what is seen there (0 to 255)."""
    near = cv2.dilate(((truth > 0.05) & (truth < 0.95)).astype(np.uint8), np.ones((NEAR, NEAR), np.uint8)) > 0
    wrong = np.abs(found - truth)
    row = {"alpha, whole": wrong.mean(), "alpha, band": wrong[near].mean()}
    colors = clean_edges(composite, found)
    for name, ground in GROUNDS.items():
        row[name] = np.abs(_over(colors, found, ground) - _over(own, truth, ground))[near].mean()
    return {name: float(value) for name, value in row.items()} | {"IoU": iou(found > 0.5, truth > 0.5)}


def measure(portraits: Path, photos: Path, count: int = COUNT) -> pd.DataFrame:
    """A row a composite, a way and with or without matting."""
    rows = []
    for composite, truth, own in tqdm(composites(portraits, photos, count), total=count):
        for way, find in WAYS.items():
            for name, edge in (("as it is", matting.matted), ("no matting", lambda _, mask: mask)):
                with patch.object(matting, "matted", edge):
                    found = find(composite, truth)
                rows.append({"way": f"{way}, {name}"} | errors(composite, truth, own, found))
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--portraits", type=Path, required=True, help="folder of portraits with images/, masks/")
    parser.add_argument("--photos", type=Path, required=True, help="folder with index.csv, split.csv, images/")
    args = parser.parse_args()
    torch.set_num_threads(1)
    try:
        means = measure(args.portraits, args.photos).groupby("way", sort=False).mean()
    except InputError as error:
        parser.error(str(error))
    print("| | " + " | ".join(means.columns) + " |\n| --- |" + " ---: |" * len(means.columns))
    for way, row in means.iterrows():
        cells = [f"{value:.{2 if 'over' in name else 4 if 'alpha' in name else 3}f}" for name, value in row.items()]
        print(f"| {way} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
