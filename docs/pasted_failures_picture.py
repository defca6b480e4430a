"""Makes ``docs/pictures/failures-pasted.jpg``: where ``portrait``, the default, goes wrong with pasted people.

Run as ``PYTHONPATH=. python docs/pasted_failures_picture.py PORTRAITS``. Each row: a CC0 portrait with
room beside its person, somebody of another one pasted there as they came; harmonized with the first person as
reference. The pages they are from and what was changed are written beside the picture.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from cutouts_picture import write_credits
from gallery_pictures import ROOM, alpha_of, pixels_of, widened
from PIL import Image

import iph
from iph.masks import clean_edges
from iph.placement import Placement, compose

PAIRS = (  # who is there, who is pasted: four of 24 that were drawn
    ("cc0_071", "cc0_081"),
    ("cc0_073", "cc0_041"),
    ("cc0_003", "cc0_089"),
    ("cc0_086", "cc0_022"),
)
TILE = 480, 340  # width, height
CHANGES = "widened or cut out and pasted, recoloured, scaled and recompressed"
OUT = Path("docs/pictures/failures-pasted.jpg")


def row(portraits: Path, there: str, pasted: str) -> np.ndarray:
    """Composite and harmonized photo side by side, (H, 2 W, 3) uint8."""
    (own, alpha), (person, cut) = ((pixels_of(portraits, name), alpha_of(portraits, name)) for name in (there, pasted))
    ground = widened(own, alpha, "right")
    width = ground.shape[1]
    reference = np.pad(alpha, ((0, 0), (0, width - alpha.shape[1])))
    middle = Placement(x=1 - 0.9 * ROOM / width, y=0.58, height=0.84)
    composite, mask = compose(ground, clean_edges(person, cut), cut, middle)
    result = iph.harmonize(composite, mask, np.minimum(reference, 1 - mask)).image
    return np.hstack([cv2.resize(picture, TILE, interpolation=cv2.INTER_AREA) for picture in (composite, result)])


def main(portraits: Path) -> None:
    cv2.setNumThreads(1)
    Image.fromarray(np.vstack([row(portraits, *pair) for pair in PAIRS])).save(OUT, quality=86, optimize=True)
    write_credits(OUT, portraits, sorted({name for pair in PAIRS for name in pair}), CHANGES)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
