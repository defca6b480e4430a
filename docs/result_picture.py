"""Makes ``docs/pictures/result.jpg`` from two gallery examples; run as ``PYTHONPATH=. python docs/result_picture.py``.

Each row: what was pointed at (blue) and the pasted person (orange); the composite; the harmonized photo.
"""

import cv2
import numpy as np
from PIL import Image

import iph
from demo.studio.gallery import find
from iph.masks import automatic_reference
from iph.placement import compose

EXAMPLES = ("haze", "night")
ORANGE, BLUE = (255, 160, 20), (60, 140, 255)
SIDE = 440


def outlined(image: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    contours, _ = cv2.findContours((mask > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(image.copy(), contours, -1, colour, 5)


def row(name: str) -> np.ndarray:
    example = find(name)
    background = np.asarray(Image.open(example.file("background")).convert("RGB"))
    person = np.asarray(Image.open(example.file("person")).convert("RGBA"))
    alpha = person[..., 3].astype(np.float32) / 255
    composite, mask = compose(background, np.ascontiguousarray(person[..., :3]), alpha, example.placement)
    reference = automatic_reference(composite, mask)
    harmonized = iph.harmonize(composite, mask, reference).image
    pointed = outlined(outlined(composite, reference, BLUE), mask, ORANGE)
    tiles = (
        cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for picture in (pointed, composite, harmonized)
    )
    return np.hstack(list(tiles))


if __name__ == "__main__":
    Image.fromarray(np.vstack([row(name) for name in EXAMPLES])).save("docs/pictures/result.jpg", quality=88)
