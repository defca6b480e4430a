"""ψ of eq. 7 for each model that ships, on photos of the benchmark's sample."""

import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

import iph

SAMPLE = Path(__file__).parents[2] / "bench" / "sample"


def photo_pairs(count: int = 20) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Composites of the sample with their masks, and another photo of it with its reference region."""
    with open(SAMPLE / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))[:count]
    for row, other in zip(rows, rows[1:] + rows[:1], strict=True):
        image, look = (cv2.imread(str(SAMPLE / one["composite"])) for one in (row, other))
        mask, region = (cv2.imread(str(SAMPLE / path), 0) > 127 for path in (row["foreground"], other["reference"]))
        yield image[..., ::-1].copy(), mask, look[..., ::-1].copy(), region


@pytest.mark.parametrize("model", ["portrait", "general"])
def test_every_shipped_model_has_its_psi(model):
    """Colour transfer takes a foreground nearer to the mean colour of another photo's region than harmonizing does."""
    distances = {1: [], 0: []}
    for image, mask, look, region in photo_pairs():
        session = iph.load(model).open(image, mask)
        for r, found in distances.items():
            result = session.harmonize(region, reference_image=look, r1=r, r2=r).image
            found.append(np.abs(result[mask].mean(axis=0) - look[region].mean(axis=0)).mean())
    assert np.mean(distances[0]) < 0.75 * np.mean(distances[1])
