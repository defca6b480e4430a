"""``iph train --config paper``: the three stages on their own data sets' layouts, as the paper says (Sec. 4 and 5)."""

import csv
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from paper_layouts import make_coco_pairs, make_iharmony4, make_mhp
from typer.testing import CliRunner

import iph
from iph.checkpoint import load_network
from iph.commands.app import app
from iph.data.manifest import read_manifest
from iph.data.samples import paper_rules
from iph.network import CONFIGS, build
from iph.training import loop
from iph.training.loop import TrainingSettings
from iph.training.objective import PAPER, ObjectiveWeights
from iph.training.stages import PAPER_TRAINING, stage

PHOTOS = 40
NARROW = {"widths": (4, 4, 6, 8), "style_widths": (4, 4, 4, 4, 16)}  # 27 M parameters would take minutes


def plain(settings: dict) -> dict:
    """As they come back out of JSON."""
    return json.loads(json.dumps(settings))


def command(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_three_stages_train_on_their_own_layouts_as_the_paper_says(tmp_path, monkeypatch):
    monkeypatch.setitem(CONFIGS, "paper", replace(CONFIGS["paper"], **NARROW))
    monkeypatch.setattr(
        "iph.commands.training.TrainingSettings", partial(TrainingSettings, validation_images=2, check_every=2)
    )
    used = []
    monkeypatch.setattr(loop.torch.optim, "Adam", lambda *given, **how: used.append(how) or ADAM(*given, **how))
    make_coco_pairs(tmp_path / "coco", PHOTOS)
    make_mhp(tmp_path / "mhp", PHOTOS)
    command("build", "intharmony", "--coco", tmp_path / "coco", "--out", tmp_path / "intharmony")
    command("build", "mhp", "--mhp", tmp_path / "mhp", "--out", tmp_path / "people")
    assert (
        len(read_manifest(tmp_path / "intharmony")) == PHOTOS and len(read_manifest(tmp_path / "people")) == PHOTOS - 1
    )
    data = {1: make_iharmony4(tmp_path / "iHarmony4", PHOTOS), 2: tmp_path / "intharmony", 3: tmp_path / "people"}
    kinds = {1: "foreground + background 100 %", 2: "instance + instance 100 %", 3: "instance + instance 100 %"}
    start = []
    for number, folder in data.items():
        out = tmp_path / f"run{number}"
        given = ["--stage", number, "--data", folder, "--images", 8, "--batch", 2, "--out", out, *start]
        output = command("train", "--config", "paper", *given)
        assert f"samples, foreground + reference: {kinds[number]}\n" in output
        described = json.loads((out / "settings.json").read_text())
        training = described["training"]
        assert described["network"] == plain(build("paper").settings()) and described["network"]["size"] == 256
        assert training["rules"] == plain(vars(paper_rules(256, number)))
        assert training["rate"] == {1: 1e-4, 2: 1e-5, 3: 1e-6}[number]
        assert {name: training[name] for name in PAPER_TRAINING} == PAPER_TRAINING
        assert training["weights"]["squared"] == training["weights"]["look"] == training["weights"]["content"] == 0
        with open(out / "curve.csv", newline="") as file:
            last = list(csv.DictReader(file))[-1]
        assert last["step"] == "4" and {"consistency", "consistency before the fit", "triplet 1"} <= set(last)
        start = ["--start", out / "last.safetensors"]
    assert [how["lr"] for how in used] == [1e-4, 1e-5, 1e-6]
    for before, after in ((None, 1), (1, 2), (2, 3)):
        old = {} if before is None else load_network(tmp_path / f"run{before}/last.safetensors").state_dict()
        new = load_network(tmp_path / f"run{after}/last.safetensors").state_dict()
        assert not old or any((old[name] != new[name]).any() for name in new)


ADAM = torch.optim.Adam


def test_the_paper_configuration_is_used_at_256(tmp_path, monkeypatch):
    """The working size is the network's: 256 for ``paper``, 128 for the weights that ship."""
    seen = []
    for name, size in (("paper", 256), ("small", 128)):
        changes = NARROW if name == "paper" else {}
        network = build(name, **changes).eval()
        monkeypatch.setattr(network, "harmonize", lambda image, *rest: seen.append(image.shape) or image)
        pixels, mask = torch.rand(60, 90, 3).numpy(), torch.zeros(60, 90, dtype=bool).numpy()
        mask[10:50, 20:60] = True
        iph.Harmonizer(network).open(pixels, mask).fit_mapping(~mask)
        assert seen[-1] == (2, 3, size, size)
    assert load_network("small").config.size == load_network("small-portrait").config.size == 128


def test_the_size_lies_with_the_weights(tmp_path):
    from iph.checkpoint import save_network

    save_network(tmp_path / "w.safetensors", build("paper", **NARROW))
    assert load_network(tmp_path / "w.safetensors").config.size == 256


def test_the_papers_configuration_minimises_its_losses_alone():
    for number in (1, 2, 3):
        chosen = stage(number, "paper")
        assert chosen.size == 256 and chosen.weights == PAPER and chosen.rules.unpaired == 0
    assert PAPER.squared == PAPER.look == PAPER.content == 0 and PAPER.iph.points == ("highlight", "mid-tone", "shadow")
    assert stage(3, "small").weights == ObjectiveWeights() and stage(3, "small").rules.pairs == "any region"


@pytest.mark.parametrize("changes", [{"schedule": "constant"}, {}])
def test_the_rate_is_constant_where_it_is_said_so(changes):
    settings = TrainingSettings(Path("unused"), rate=1.0, warm_up=1, **changes)
    assert (loop._rate(settings, 500, 0.5) == 1.0) == bool(changes)
