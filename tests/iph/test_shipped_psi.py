"""ψ of eq. 7 for each model that ships, on photos of the benchmark's sample."""

import numpy as np
import pytest
from sample_photos import photo_pairs

import iph
from iph.harmonizer import SETTINGS


@pytest.mark.parametrize("model", SETTINGS)
def test_every_shipped_model_has_its_psi(model):
    """Colour transfer takes a foreground nearer to the mean colour of another photo's region than harmonizing does."""
    distances = {1: [], 0: []}
    for image, mask, look, region in photo_pairs():
        session = iph.load(model).open(image, mask)
        for r, found in distances.items():
            result = session.harmonize(region, reference_image=look, r1=r, r2=r).image
            found.append(np.abs(result[mask].mean(axis=0) - look[region].mean(axis=0)).mean())
    assert np.mean(distances[0]) < 0.75 * np.mean(distances[1])
