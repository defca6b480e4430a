"""Speed: every method is timed, also one whose weights are not here, and what is printed names it."""

import math
from pathlib import Path

import pytest

from bench.methods import METHODS, resolve
from bench.metrics import score_all
from bench.report.render import render
from bench.speed import measure, table, with_random_weights
from bench.speed_metrics import pair, scikit_image_each


def test_sizes_costs_and_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPH_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("bench.speed.CALLS", 1)
    names = ["reinhard-background", "iph", "bargainnet-guide-eval", "h-net"]
    found = list(measure(resolve(names), ["256²"]))
    assert [speed.method.name for speed in found] == names
    for speed in found[:3]:
        assert speed.failure is None and math.isfinite(speed.milliseconds["256²"]) and speed.milliseconds["256²"] > 0
    assert [speed.random_weights for speed in found] == [False, False, True, False]
    assert found[0].macs is None and found[1].macs > 1e7 and found[2].parameters == 58_695_700
    assert found[3].failure.startswith("weights missing") and not found[3].milliseconds
    text = render(table(found), "text")
    assert (
        "BargainNet, guided by the reference (eval)*" in text
        and "h-net: weights missing: train this configuration" in text
    )


def test_random_weights_stand_in_for_published_networks_only(tmp_path: Path) -> None:
    for name in ("composite", "iph", "h-net", "dovenet-retrained"):
        assert with_random_weights(METHODS[name], tmp_path) is METHODS[name]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("everywhere", [True, False])
def test_what_is_compared_with_scikit_image_is_equal(everywhere: bool) -> None:
    """Every metric that is timed (all but LPIPS and DISTS) is the same number, to 1e-6."""
    output, target, mask = pair(everywhere)
    ours, theirs = score_all(output, target, mask), scikit_image_each(output, target, mask)
    assert theirs.keys() == ours.keys() - {"lpips", "dists"}
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, abs=1e-6)
