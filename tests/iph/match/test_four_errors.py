"""The errors of belief that a match without limits made, on the very pairs they were seen on (docs/match.md).

Portraits pasted beside people of test photos, harmonized by what ships: mean L*, a*, b* before and after.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import iph
from iph.training.kinds import skin_pixels
from iph.training.show_match import rows

pytestmark = pytest.mark.shared
Change = tuple[np.ndarray, np.ndarray]  # (3,) before and after
Part = Callable[[np.ndarray, np.ndarray], np.ndarray]


def skin(composite: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    return skin_pixels(composite) & foreground


def black(composite: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    dark = cv2.cvtColor(composite.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0] < 30
    return foreground & dark & ~skin_pixels(composite)


def shirt(composite: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """The lowest quarter of a person that is no skin."""
    low = np.arange(len(foreground))[:, None] > np.percentile(np.nonzero(foreground)[0], 75)
    return foreground & low & ~skin_pixels(composite)


def change(shared: Path, pair: str, part: Part) -> Change:
    data = shared / "data"
    (row,) = rows(data / "portraits", data / "photos", [pair], 0, 17)
    composite = np.rint(np.clip(row.composite, 0, 1) * 255).astype(np.uint8)
    result = iph.harmonize(composite, row.alpha.astype(np.float32), row.reference.astype(np.float32)).image
    where = part(composite, row.alpha > 0.9)
    lab = (cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for picture in (composite, result))
    return tuple(picture[where].mean(0) for picture in lab)


def test_a_navy_shirt_beside_red_ones_stays_navy(shared: Path) -> None:
    before, after = change(shared, "cc0_001=julito_38", shirt)
    assert after[2] < before[2] + 3 < 0 and after[1] < before[1] + 2  # blue, and no redder


def test_black_beside_a_black_coat_stays_black(shared: Path) -> None:
    _, after = change(shared, "cc0_049=coco_183709", black)
    assert after[0] < 12 and np.hypot(*after[1:]) < 4


def test_a_man_in_a_candle_lit_bar_becomes_warmer(shared: Path) -> None:
    before, after = change(shared, "cc0_050=coco_322517", skin)
    assert after[1] > before[1] + 5 and after[2] > before[2] and after[0] < before[0]


def test_a_face_beside_jeans_keeps_its_hue(shared: Path) -> None:
    before, after = change(shared, "cc0_031=coco_434204", skin)
    hues = np.degrees([np.arctan2(lab[2], lab[1]) for lab in (before, after)])
    assert abs(hues[1] - hues[0]) < 20
