"""Going on with the selfie segmenter: what a sample holds, a short run that goes on, and the share of the way taken."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from iph.checkpoint import load_tensors
from iph.masks.selfie import SIDE
from iph.training.people.samples import load, sample
from iph.training.people.train import SHARE, train


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two portraits, a photo of a person and a thing, a machine-made mask, and a portrait kept for the test."""
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    rows = []
    names = ("picsart_1", "human", "1"), ("eg1800_2", "human", "1"), ("other_3", "human", "10")
    for name, kind, flags in (*names, ("other_4", "pseudo", "1"), ("picsart_5", "human", "1")):
        cv2.imwrite(str(tmp_path / "images" / f"{name}.jpg"), np.full((80, 60, 3), 90, np.uint8))
        for k in range(len(flags)):
            mask = np.zeros((80, 60), np.uint8)
            mask[20:, 10 + 20 * k : 30 + 20 * k] = 255
            cv2.imwrite(str(tmp_path / "masks" / f"{name}_{k}.png"), mask)
        rows.append({"id": name, "source": "drawn", "mask_kind": kind, "person_flags": flags})
    pd.DataFrame(rows).to_csv(tmp_path / "index.csv", index=False)
    splits = ["train"] * 4 + ["test"]
    pd.DataFrame({"id": [row["id"] for row in rows], "split": splits}).to_csv(tmp_path / "split.csv", index=False)
    return tmp_path


def test_only_people_marked_by_hand_of_the_train_split(folder: Path) -> None:
    portraits, photos = load(folder, portraits=True), load(folder, portraits=False)
    assert (len(portraits), len(photos)) == (2, 1)
    people = photos[0].read()[1] > 127
    assert people[40, 20] and not people[40, 40]  # the thing is nobody


def test_a_sample_is_squashed_and_marked(folder: Path) -> None:
    portraits, photos = load(folder, portraits=True), load(folder, portraits=False)
    for seed in range(10):
        picture, truth = sample(np.random.default_rng(seed), portraits, photos)
        assert picture.shape == (3, SIDE, SIDE) and picture.dtype == np.uint8
        assert truth.shape == (1, SIDE, SIDE) and 0.05 < truth.mean() < 0.95 and truth.max() == 1


def test_a_run_goes_on_and_takes_a_share_of_the_way(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iph.training.people.train.BATCH", 2)
    threads, samples = torch.get_num_threads(), (load(folder, portraits=True), load(folder, portraits=False))
    try:
        train(*samples, folder / "run", minutes=0.005)
        first = torch.load(folder / "run" / "checkpoint.pt", weights_only=True)
        weights = train(*samples, folder / "run", minutes=first["spent"] / 60 + 0.005)
    finally:
        torch.set_num_threads(threads)
    last = torch.load(folder / "run" / "checkpoint.pt", weights_only=True)
    assert 0 < first["step"] < last["step"]
    start, found = load_tensors("selfie")[0], load_tensors(weights)[0]
    moved = start["stem.weight"].lerp(last["average"]["stem.weight"], SHARE)
    torch.testing.assert_close(found["stem.weight"], moved, rtol=1e-3, atol=1e-4)
