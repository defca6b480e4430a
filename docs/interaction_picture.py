"""Makes ``docs/pictures/interaction.jpg``: one composite, two differently lit references, two results.

Run as ``PYTHONPATH=. python docs/interaction_picture.py``. Each row: the composite; a person of another gallery
photo who is pointed at (blue) and the harmonized photo; then the same for the person of the background.
"""

import numpy as np
from PIL import Image
from result_picture import BLUE, outlined, tile

import iph
from demo.studio.gallery import find
from iph.masks import segment_subjects
from iph.placement import compose

ROWS = (("forest", "orange", "forest"), ("haze", "orange", "haze"))


def picture(name: str) -> np.ndarray:
    return np.asarray(Image.open(find(name).file("background")).convert("RGB"))


def row(composite_of: str, *others: str) -> np.ndarray:
    example = find(composite_of)
    person = np.asarray(Image.open(example.file("person")).convert("RGBA"))
    alpha = person[..., 3].astype(np.float32) / 255
    composite, mask = compose(picture(composite_of), np.ascontiguousarray(person[..., :3]), alpha, example.placement)
    session = iph.load().open(composite, mask)
    tiles = [tile(composite)]
    for other in others:
        reference_image = picture(other)
        reference = segment_subjects(reference_image)[0].mask
        result = session.harmonize(reference, reference_image=reference_image).image
        tiles += [tile(outlined(reference_image, reference, BLUE)), tile(result)]
    return np.hstack(tiles)


if __name__ == "__main__":
    Image.fromarray(np.vstack([row(*names) for names in ROWS])).save("docs/pictures/interaction.jpg", quality=86)
