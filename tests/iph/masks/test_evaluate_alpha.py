"""The edges of cut-outs on composites of known alpha."""

from pathlib import Path

import numpy as np
import pytest

from iph.training.people.evaluate_alpha import errors, measure


@pytest.mark.shared
def test_matting_brings_the_edge_nearer_to_what_is_known(shared: Path) -> None:
    data = shared / "data"
    table = measure(data / "portraits", data / "photos", count=2).groupby("way").mean()
    for way in ("unasked", "by a click", "by a box"):
        now, before = table.loc[f"{way}, as it is"], table.loc[f"{way}, no matting"]
        assert now["IoU"] > 0.9 and now["alpha, band"] < before["alpha, band"] < 0.3


def test_the_truth_itself_has_no_error() -> None:
    rng = np.random.default_rng(0)
    own = rng.integers(0, 256, (40, 50, 3)).astype(np.float32)
    alpha = np.zeros((40, 50), np.float32)
    alpha[10:30, 10:40], alpha[9, 10:40] = 1, 0.5
    composite = np.rint(own * alpha[..., None] + 90 * (1 - alpha[..., None])).astype(np.uint8)
    found = errors(composite, alpha, own, alpha)
    assert found["alpha, whole"] == found["alpha, band"] == 0 and found["IoU"] == 1
    wrong = errors(composite, alpha, own, 1 - alpha)
    assert wrong["alpha, whole"] > 0.9 and wrong["IoU"] < 0.1
