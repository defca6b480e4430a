"""Makes ``docs/pictures/failures.jpg`` from the sample: where ``general`` goes wrong, and what was right.

Run as ``PYTHONPATH=. python docs/failures_picture.py``. Each row: foreground (orange) and reference (blue); the
composite; the harmonized photo; the truth. The photos' authors and licences are in ``bench/sample/CREDITS.csv``.
"""

import cv2
import numpy as np
from PIL import Image
from result_picture import BLUE, ORANGE, outlined

import iph
from bench.datasets.catalogue import open_dataset
from bench.datasets.pictures import load

PHOTOS = ("coco_8021", "coco_1296", "coco_309", "coco_234748", "coco_403353")
TILE = (360, 250)  # width, height


def row(name: str) -> np.ndarray:
    entry = next(entry for entry in open_dataset("sample").entries if entry.id == name)
    photo = load(entry)
    harmonized = iph.harmonize(photo.composite, photo.foreground, photo.reference, model="general").image  # not pasted
    pointed = outlined(outlined(photo.composite, photo.foreground, ORANGE), photo.reference, BLUE)
    pictures = (pointed, photo.composite, harmonized, photo.target)
    return np.hstack([cv2.resize(picture, TILE, interpolation=cv2.INTER_AREA) for picture in pictures])


if __name__ == "__main__":
    Image.fromarray(np.vstack([row(name) for name in PHOTOS])).save("docs/pictures/failures.jpg", quality=86)
