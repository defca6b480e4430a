"""Photos of the benchmark's sample, in pairs."""

import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

SAMPLE = Path(__file__).parents[2] / "bench" / "sample"


def photo_pairs(count: int = 20) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Composites of the sample with their masks, and another photo of it with its reference region."""
    with open(SAMPLE / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))[:count]
    for row, other in zip(rows, rows[1:] + rows[:1], strict=True):
        image, look = (cv2.imread(str(SAMPLE / one["composite"])) for one in (row, other))
        mask, region = (cv2.imread(str(SAMPLE / path), 0) > 127 for path in (row["foreground"], other["reference"]))
        yield image[..., ::-1].copy(), mask, look[..., ::-1].copy(), region
