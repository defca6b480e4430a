"""The ready composites, held to what a retoucher would look at."""

import cv2
import numpy as np
import pytest

from demo.studio.gallery import EXAMPLES
from iph.images.imagefile import read_photo
from iph.masks import clean_edges, main_subject
from iph.placement import compose


def seen(pixels, share):
    """The mean colour in CIELAB."""
    lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    return np.average(lab.reshape(-1, 3), axis=0, weights=share.ravel())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_two_people_side_by_side_in_different_light(example):
    below, person = (read_photo(example.file(kind)) for kind in ("background", "person"))
    alpha = person.alpha / np.float32(255)
    composite, mask = compose(below.pixels, person.pixels, alpha, example.placement)
    reference = main_subject(below.pixels)
    assert reference.person
    assert np.minimum(reference.mask, mask).sum() < 0.15 * reference.mask.sum()  # in sight, not covered
    assert 0.6 < mask.sum() / reference.mask.sum() < 1.5  # as large as each other
    rest = np.minimum(reference.mask, 1 - mask)
    assert np.linalg.norm(seen(composite, mask) - seen(composite, rest)) > 7  # just noticeable is 2
    # Whom their photo cut off is cut off by the frame, and stands on its lower edge.
    x0, _, x1, _ = example.placement.box(below.pixels.shape, alpha.shape)
    shown = alpha[:, ::-1] if example.placement.mirrored else alpha
    assert x0 <= 0 or not (shown[:, 1] >= 0.5).any()
    assert x1 >= below.pixels.shape[1] or not (shown[:, -2] >= 0.5).any()
    assert (mask[-1] >= 0.5).any()
    soft = (alpha > 0.02) & (alpha < 0.98)
    moved = np.abs(clean_edges(person.pixels, alpha).astype(int) - person.pixels)[soft]
    assert moved.mean() < 10  # of 255: no colours of the old background are left under the edge
