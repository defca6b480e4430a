"""People pasted beside others: the same pairs every time, asked as users ask, and a table."""

import numpy as np
import pytest
import torch
import typer
from photo_folder import make_folder
from typer.testing import CliRunner

import iph
from bench.pasted import SIZE, asked, main, report
from iph.data.pack import pack
from iph.training.evaluate_match import composite_alone, pasted_pairs, unpaired


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    folder = make_folder(tmp_path_factory.mktemp("pasted") / "photos", [2 + n % 3 for n in range(20)])
    return pasted_pairs(pack(folder, None, 64, tmp_path_factory.mktemp("pack")), SIZE, 6)


def test_all_are_pasted_and_seen_whole(batch):
    assert (batch["pasted"] == 1).all()
    assert batch["composite"].shape == (6, 3, SIZE, SIZE)
    assert torch.equal(batch["composite"], batch["reference_image"])


def test_a_model_answers_as_in_use(batch):
    results = asked(iph.load("portrait"))(batch)
    bytes_of = np.rint(batch["composite"][2].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    person, reference = (batch[name][2, 0].numpy() > 0 for name in ("foreground", "reference"))
    expected = iph.harmonize(bytes_of, person, reference).image
    assert np.array_equal(np.rint(results[2].permute(1, 2, 0).numpy() * 255).astype(np.uint8), expected)
    assert np.array_equal(expected[~person], bytes_of[~person]) and not np.array_equal(expected, bytes_of)


def test_the_table_has_the_composite_first_and_whole(batch):
    before, after = unpaired(composite_alone, batch), unpaired(lambda one: one["composite"] * 0.8, batch)
    assert before["structure"] == pytest.approx(1, abs=1e-5) and before["clipped"] == 0
    told = report({"composite": before, "darker": after}).splitlines()
    assert told[2].startswith("| composite |") and "(1.00)" in told[2] and "1.000" in told[2]
    assert f"{after['L*']:.1f} ({after['L*'] / before['L*']:.2f})" in told[3]


def test_a_missing_folder_is_said():
    alone = typer.Typer()
    alone.command()(main)
    told = CliRunner().invoke(alone, ["--photos", "/nowhere", "--model", "portrait"])
    assert told.exit_code == 2 and told.output.count("\n") == 1
