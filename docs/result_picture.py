"""Makes ``docs/pictures/result.jpg`` from two gallery examples; run as ``PYTHONPATH=. python docs/result_picture.py``.

Each row: what was pointed at (blue) and the pasted person (orange); the composite; the harmonized photo.
"""

import cv2
import numpy as np
from PIL import Image

import iph
from demo.studio.gallery import find
from iph.masks import main_subject
from iph.placement import compose

EXAMPLES = ("forest", "studio")
ORANGE, BLUE = (255, 160, 20), (60, 140, 255)
SIDE = 440  # pixels across a tile


def outlined(image: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    contours, _ = cv2.findContours((mask > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(image.copy(), contours, -1, colour, 5)


def tile(image: np.ndarray) -> np.ndarray:
    size = SIDE, round(SIDE * image.shape[0] / image.shape[1])
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def row(name: str) -> np.ndarray:
    example = find(name)
    background = np.asarray(Image.open(example.file("background")).convert("RGB"))
    person = np.asarray(Image.open(example.file("person")).convert("RGBA"))
    alpha = person[..., 3].astype(np.float32) / 255
    composite, mask = compose(background, np.ascontiguousarray(person[..., :3]), alpha, example.placement)
    reference = np.minimum(main_subject(background).mask, 1 - mask)
    harmonized = iph.harmonize(composite, mask, reference).image
    pointed = outlined(outlined(composite, reference, BLUE), mask, ORANGE)
    return np.hstack([tile(picture) for picture in (pointed, composite, harmonized)])


if __name__ == "__main__":
    Image.fromarray(np.vstack([row(name) for name in EXAMPLES])).save("docs/pictures/result.jpg", quality=88)
