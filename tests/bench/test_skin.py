"""Skin's hue: the angles by hand, and the command's parts on two drawn people."""

import colorsys

import cv2
import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

import iph
from bench.datasets.manifest import Entry
from bench.datasets.pictures import load
from bench.skin import COMPOSITE, GUESS, TRUTH, apart, errors, hue, main, measure, report
from iph.training.kinds import skin_pixels

SIZE = 64


def test_a_hue_is_that_of_the_mean_colour():
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2], image[2:] = (200, 120, 100), (0, 255, 0)
    above = np.zeros((4, 4), bool)
    above[:2] = True
    lab = cv2.cvtColor(np.float32(image[:1, :1]) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    assert hue(image, above) == pytest.approx(np.degrees(np.arctan2(lab[2], lab[1])), abs=0.2)


def test_angles_go_the_short_way_round():
    assert apart(np.array([350.0, 10.0, 90.0]), np.array([10.0, 350.0, 270.0])).tolist() == [20, 20, 180]


def test_the_guess_is_the_hue_nearest_to_all():
    hues = pd.DataFrame({"subset": "cloth", TRUTH: [358.0, 0.0, 3.0, 40.0], COMPOSITE: [358.0, 90.0, 13.0, 20.0]})
    found = errors(hues)
    assert found[COMPOSITE].tolist() == [0, 90, 10, 20]
    assert found[GUESS].tolist() == [2, 0, 3, 40]


@pytest.fixture
def entries(tmp_path):
    """A face that was turned by 40 degrees of hue beside a red wall, and beside everything."""
    target = np.full((SIZE, SIZE, 3), 90, np.uint8)
    face = np.zeros((SIZE, SIZE), np.uint8)
    cv2.circle(face, (20, 32), 14, 255, -1)
    target[face > 0] = (205, 150, 125)
    target[:, 50:] = (200, 30, 30)
    composite = target.copy()
    h, s, v = colorsys.rgb_to_hsv(205 / 255, 150 / 255, 125 / 255)
    composite[face > 0] = np.multiply(colorsys.hsv_to_rgb(h + 40 / 360, s, v), 255)
    wall = np.zeros_like(face)
    wall[:, 50:] = 255
    files = {"target": target, "composite": composite, "face": face, "wall": wall, "background": 255 - face}
    for name, image in files.items():
        cv2.imwrite(str(tmp_path / f"{name}.png"), image[..., ::-1] if image.ndim == 3 else image)
    paths = {name: tmp_path / f"{name}.png" for name in files}
    return [
        Entry(f"a_{kind}", paths["composite"], paths["face"], paths[reference], paths["target"], subset=kind)
        for kind, reference in (("saturated", "wall"), ("background", "background"))
    ]


def test_a_turned_face_is_told_of(entries):
    hues = measure({"portrait": iph.load("portrait")}, entries)
    found = errors(hues)
    assert (found[COMPOSITE] > 25).all() and (found[GUESS] == 0).all()
    for (_, row), entry in zip(hues.iterrows(), entries, strict=True):
        picture = load(entry)
        result = iph.harmonize(picture.composite, picture.foreground, reference=picture.reference, model="portrait")
        skin = skin_pixels(picture.target) & picture.foreground
        assert row["portrait"] == pytest.approx(hue(result.image, skin)), "each with its own reference"
    assert abs(hues["portrait"].diff().iat[1]) > 0.01
    told = report(hues)
    assert "references of other kinds (1)" in told and "| portrait |" in told


def test_a_missing_folder_is_said():
    alone = typer.Typer()
    alone.command()(main)
    told = CliRunner().invoke(alone, ["--root", "/nowhere", "--model", "general"])
    assert told.exit_code == 2 and told.output.count("\n") == 1
