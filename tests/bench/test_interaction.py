"""Whether results follow the chosen reference: the parts on drawn pictures, the command on a drawn data set."""

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import iph
from bench.datasets.manifest import Entry, write_manifest
from bench.datasets.pictures import Picture
from bench.interaction import careless, distance, follow, look_points, main, siblings, steadiness

SIZE = 64


def box(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[y0:y1, x0:x1] = True
    return mask


@pytest.fixture(scope="module")
def picture() -> Picture:
    """A dark and a bright half behind a grey subject, with grain."""
    rng = np.random.default_rng(4)
    frame = np.full((SIZE, SIZE, 3), 60.0)
    frame[:, SIZE // 2 :] = (220, 190, 120)
    frame[20:44, 24:40] = 128
    target = np.clip(frame + rng.normal(0, 12, frame.shape), 0, 255).astype(np.uint8)
    return Picture(target, box(24, 20, 40, 44), box(2, 4, 20, 60), target)


@pytest.fixture(scope="module")
def harmonizer() -> iph.Harmonizer:
    return iph.load("portrait")


def test_points_are_numpys(picture):
    points = look_points(picture.composite, picture.foreground)
    green = picture.composite[picture.foreground][:, 1] / 255
    assert points[:, 1] == pytest.approx([np.quantile(green, 0.1), green.mean(), np.quantile(green, 0.9)])
    assert distance(points, points + 0.25) == pytest.approx(0.25)


def test_two_lights_are_told_apart_and_one_is_not_two(picture, harmonizer):
    row = follow(harmonizer, picture, box(44, 4, 62, 60))
    assert row["apart"] > 0.3 and row["won"] == 1.0 and row["after"] < row["before"]
    assert follow(harmonizer, picture, picture.reference) is None


def test_careless_regions():
    region = box(10, 10, 40, 30)
    drawn = careless(region)
    assert not (drawn["shrunk to half its area"] & ~region).any()
    assert 0.35 < drawn["shrunk to half its area"].sum() / region.sum() < 0.65
    assert (drawn["shifted by a fifth of its box"] == box(16, 14, 46, 34)).all()
    disc = np.hypot(*(np.mgrid[:SIZE, :SIZE] - 30)) < 12
    assert (careless(disc)["drawn as its box"] == box(19, 19, 42, 42)).all()


def test_steadiness_is_measured_against_the_change(picture, harmonizer):
    row = steadiness(harmonizer, picture)
    assert row["change"] > 1 and 0 <= row["harmonized twice"] and row["drift"] > 0
    assert row["shrunk to half its area"] < row["change"]  # the region is of one colour: half of it says the same


def test_command_prints_the_table(picture, tmp_path):
    for name in ("c", "f", "r", "r2"):
        array = {"c": picture.composite, "f": picture.foreground, "r": picture.reference, "r2": box(44, 4, 62, 60)}[
            name
        ]
        cv2.imwrite(str(tmp_path / f"{name}.png"), array if name == "c" else array.astype(np.uint8) * 255)
    files = {"composite": tmp_path / "c.png", "foreground": tmp_path / "f.png", "target": tmp_path / "c.png"}
    entries = [
        Entry(id=f"e{n}", reference=tmp_path / f"{r}.png", photo="p", **files) for n, r in enumerate(("r", "r2"))
    ]
    write_manifest(tmp_path, entries)
    assert {(a.id, b.id) for a, b in siblings(tuple(entries))} == {("e0", "e1"), ("e1", "e0")}
    app = typer.Typer()
    app.command()(main)
    answer = CliRunner().invoke(app, ["--dataset", str(tmp_path), "--size", "64"])
    assert answer.exit_code == 0, answer.output
    assert "| composites with two differently lit references | 2 |" in answer.output
    assert "| drift of a true photo, foreground MSE |" in answer.output
