"""Training: every stage runs, learns and resumes, from photos and from built sets, and says what is wrong."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from photo_folder import make_folder

from iph.checkpoint import load_network, load_tensors, save_network
from iph.data.build import BuildSettings, build
from iph.data.manifest_samples import read_composites, sampler_of
from iph.data.pack import pack
from iph.data.samples import Sampler, paper_rules
from iph.data.sources import read_photos
from iph.errors import InputError
from iph.losses import LossWeights
from iph.network import build as build_network
from iph.training.color_transfer import ColorTransferSettings, train_color_transfer
from iph.training.evaluate_pairs import look_distances
from iph.training.interpolate_weights import between
from iph.training.interpolate_weights import main as between_command
from iph.training.loop import TrainingSettings, train
from iph.training.objective import ObjectiveWeights, objective
from iph.training.stages import stage
from iph.training.validate import hold_out, stack, validate, validation_batch

PHOTOS = 40  # by their names, a twentieth of them is held out
SMALL = {"widths": (8, 8, 12, 16), "style_widths": (8, 8), "code": 8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return make_folder(tmp_path_factory.mktemp("training") / "photos", [2 + n % 3 for n in range(PHOTOS)])


@pytest.fixture(scope="module")
def photos(folder, tmp_path_factory):
    return pack(folder, None, 48, tmp_path_factory.mktemp("pack"))


def network(**changes):
    torch.manual_seed(0)
    return build_network("small", **SMALL | changes)


def settings(out: Path, number: int = 2, **changes) -> TrainingSettings:
    preset = stage(number, "small", size=32)
    usual = {"images": 48, "batch": 8, "check_every": 3, "validation_images": 8, "warm_up": 2, "rate": preset.rate}
    return TrainingSettings(out, preset.rules, **usual | changes)


def curve(out: Path) -> list[dict[str, str]]:
    with open(out / "curve.csv", newline="") as file:
        return list(csv.DictReader(file))


def saved_step(out: Path) -> int:
    return torch.load(out / "last.pt", weights_only=True)["state"]["step"]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_every_stage_runs_and_leaves_its_files(photos, tmp_path, number):
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    result = train(model, photos, settings(tmp_path, number))
    assert saved_step(tmp_path) == 6
    assert any((model.state_dict()[name] != value).any() for name, value in before.items())
    assert {"composite", "harmonized", "wrong reference", "ratio", "held-out loss"} == set(result)
    assert all(np.isfinite(value) and value > 0 for value in result.values())
    rows = curve(tmp_path)
    assert [int(row["step"]) for row in rows] == [0, 3, 6]
    assert float(rows[0]["ratio"]) == pytest.approx(1, abs=1e-4)  # untrained, it returns its input
    assert ("look" in rows[-1]) == (number == 3)
    assert json.loads((tmp_path / "settings.json").read_text())["training"]["rules"]["stage"] == number
    for name in ("best", "last"):
        assert load_network(tmp_path / f"{name}.safetensors").config == model.config


def test_the_loss_of_a_batch_falls(photos):
    torch.manual_seed(0)
    model = network()
    rules = replace(stage(2, "small", size=32).rules, unchanged=0.0)
    batch = stack([Sampler(photos, rules).draw(seed) for seed in range(8)])
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(60):
        loss, parts = objective(model, batch, ObjectiveWeights())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(parts["harmonization"])
    assert np.mean(losses[-5:]) < 0.6 * losses[0]


def test_the_objective_treats_paired_and_unpaired_samples_apart(photos):
    sampler = Sampler(photos, replace(stage(3, "small", size=32).rules, unpaired=0.5))
    samples = [sampler.draw(seed) for seed in range(30)]
    paired = [sample for sample in samples if sample["paired"] == 1][:4]
    unpaired = [sample for sample in samples if sample["paired"] == 0][:4]
    model, weights = network(), ObjectiveWeights()
    with torch.no_grad():
        answers = [objective(model, stack(samples), weights) for samples in (paired, unpaired, paired + unpaired)]
    totals, parts = zip(*answers, strict=True)
    named = {"harmonization", "luminance matching", "consistency", "triplet 1", "triplet 2"}
    assert set(parts[0]) == named | {"consistency before the fit", "squared"}
    iph, part = weights.iph, parts[0]
    total = part["harmonization"] + iph.alpha * part["luminance matching"] + iph.lam * part["consistency"]
    total += iph.beta * (part["triplet 1"] + part["triplet 2"]) + weights.squared * part["squared"]
    assert float(totals[0]) == pytest.approx(total, rel=1e-4)
    assert set(parts[1]) == {"look", "content"} and set(parts[2]) == {*parts[0], *parts[1]}
    assert float(totals[2]) == pytest.approx(float(totals[0] + totals[1]), rel=1e-4)
    expected = weights.look * parts[1]["look"] + weights.content * parts[1]["content"]
    assert float(totals[1]) == pytest.approx(expected, rel=1e-4)


def test_a_network_that_changes_nothing_leaves_pairs_as_far_apart_as_they_are(photos, tmp_path):
    save_network(tmp_path / "idle.safetensors", network())
    model = network()
    with torch.no_grad():
        model.head.polynomial[-1].bias.add_(0.2)
    save_network(tmp_path / "lively.safetensors", model)
    found = look_distances(photos, [tmp_path / "idle.safetensors", tmp_path / "lively.safetensors"], pairs=6)
    composite, idle, lively = found.values()
    assert composite > 0.01 and idle == pytest.approx(composite, abs=1e-6) and abs(lively - composite) > 0.01


def test_weights_between_two_networks():
    start, end = network(), network()
    with torch.no_grad():
        for value in end.parameters():
            value.add_(1.0)
    moved = between(network(), end, 0.25)
    for before, after in zip(start.parameters(), moved.parameters(), strict=True):
        torch.testing.assert_close(after, before + 0.25)
    onto = between(network(), end, 0.25, onto=end)
    for before, after in zip(start.parameters(), onto.parameters(), strict=True):
        torch.testing.assert_close(after, before + 1.25)
    with pytest.raises(InputError, match="from 0 to 1, got 1.5"):
        between(start, end, 1.5)
    with pytest.raises(InputError, match="one configuration"):
        between(start, network(head="rgb"), 0.5)


def test_weights_between_what_is_no_harmonizer_is_a_sentence(monkeypatch, capsys, tmp_path):
    out = tmp_path / "o.safetensors"
    command = ["between", "small", "small-portrait", "--share", "0.5", "--onto", "psi-small", "--out", str(out)]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit):
        between_command()
    assert "but psi-small holds a StyleEncoder" in capsys.readouterr().err and not out.exists()


def test_h_net_trains_with_the_losses_on_codes(photos, tmp_path):
    train(network(style=False, whole=True, inside=False), photos, settings(tmp_path))
    assert {"consistency", "consistency before the fit", "triplet 1", "triplet 2"} <= set(curve(tmp_path)[-1])


def test_a_run_of_the_old_weights_names_is_said_so(photos, tmp_path):
    train(network(), photos, settings(tmp_path))
    path = tmp_path / "settings.json"
    described = json.loads(path.read_text())
    described["training"]["weights"]["paper"] = described["training"]["weights"].pop("iph")
    path.write_text(json.dumps(described))
    with pytest.raises(InputError, match="begun when α, β and λ weighed other losses"):
        train(network(), photos, settings(tmp_path))


def test_a_stopped_run_goes_on_to_the_same_step(photos, tmp_path):
    train(network(), photos, settings(tmp_path / "whole", images=80))
    train(network(), photos, settings(tmp_path / "parts", images=40))
    assert saved_step(tmp_path / "parts") == 5
    train(network(), photos, settings(tmp_path / "parts", images=80))
    assert saved_step(tmp_path / "parts") == saved_step(tmp_path / "whole") == 10
    steps = [int(row["step"]) for row in curve(tmp_path / "parts")]
    assert steps == sorted(steps) and steps[0] == 0 and steps[-1] == 10
    finished = curve(tmp_path / "parts")
    train(network(), photos, settings(tmp_path / "parts", images=80))
    assert saved_step(tmp_path / "parts") == 10 and len(curve(tmp_path / "parts")) == len(finished) + 1


def test_going_on_continues_with_the_saved_weights_and_the_next_samples(photos, tmp_path):
    """At a learning rate of zero nothing but the saved weights can come back."""
    model = network()
    train(model, photos, settings(tmp_path, images=40))
    resumed = network()
    torch.nn.init.ones_(resumed.head.local.weight)
    train(resumed, photos, settings(tmp_path, images=40))
    for name, value in model.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value)


def test_a_run_of_another_network_is_not_gone_on_with(photos, tmp_path):
    train(network(), photos, settings(tmp_path))
    with pytest.raises(InputError, match="expected the network with which the run in .* was begun, got others"):
        train(network(code=12), photos, settings(tmp_path))
    (tmp_path / "last.pt").write_bytes(b"nothing")
    with pytest.raises(InputError, match="last.pt to hold a run of this very network"):
        train(network(), photos, settings(tmp_path))


@pytest.mark.parametrize(
    ("number", "changes", "names"), [(3, {}, "rules"), (2, {"start": "small"}, "start"), (2, {"seed": 5}, "seed")]
)
def test_a_run_is_not_gone_on_with_as_something_else(photos, tmp_path, number, changes, names):
    train(network(), photos, settings(tmp_path))
    before = (tmp_path / "settings.json").read_bytes()
    with pytest.raises(InputError, match=f"expected the {names} with which the run in .* was begun"):
        train(network(), photos, settings(tmp_path, number, **changes))
    assert (tmp_path / "settings.json").read_bytes() == before


def test_two_runs_of_one_seed_are_equal_and_another_seed_is_not(photos, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(network(), photos, settings(tmp_path / name, seed=seed))
    a, b, c = (load_tensors(tmp_path / name / "last.safetensors")[0] for name in "abc")
    assert all(torch.allclose(a[name], b[name], atol=1e-6) for name in a)
    assert any(not torch.allclose(a[name], c[name], atol=1e-6) for name in a)


def test_time_bounds_a_run_too(photos, tmp_path):
    train(network(), photos, settings(tmp_path, images=None, minutes=0.02))
    assert saved_step(tmp_path) >= 1 and float(curve(tmp_path)[-1]["seconds"]) >= 1.2


@pytest.mark.parametrize("number", [1, 2, 3])
def test_built_sets_can_be_trained_on(folder, tmp_path, number):
    build(read_photos(folder), BuildSettings(tmp_path / "set", people=number == 3, workers=1))
    composites = read_composites([tmp_path / "set"])
    result = train(network(), composites, settings(tmp_path / "run", number, loaders=2))
    assert saved_step(tmp_path / "run") == 6 and result["composite"] > 0


def test_too_few_photos_are_said_so(photos, tmp_path):
    with pytest.raises(InputError, match="enough photos to hold one in twenty out for validation, got 2"):
        train(network(), photos.subset([0, 1]), settings(tmp_path))


def test_held_out_photos_stay_held_out(photos):
    training, held_out = hold_out(photos)
    assert set(training.ids).isdisjoint(held_out.ids) and len(training) + len(held_out) == PHOTOS
    fewer, _ = hold_out(photos.subset(range(20, PHOTOS)))
    assert set(fewer.ids) == set(training.ids) & set(photos.ids[20:])


def test_validation_measures_the_foreground(photos):
    batch = validation_batch(hold_out(photos)[1], stage(2, "small", size=32).rules, 12)
    result = validate(network(), batch, torch.device("cpu"), chunk=5)
    difference = (batch["composite"] - batch["target"]).square().mean(1, keepdim=True) * batch["foreground"]
    expected = (difference.sum((1, 2, 3)) / batch["foreground"].sum((1, 2, 3))).mean()
    assert result["composite"] == pytest.approx(float(expected), rel=1e-4)
    assert result["harmonized"] == pytest.approx(result["composite"], rel=1e-4)


def coloring_network():
    torch.manual_seed(0)
    model = network()
    torch.nn.init.normal_(model.head.polynomial[-1].weight, std=0.05)
    return model


def test_psi_learns_to_transfer_the_look(photos):
    model = coloring_network()
    frozen = {name: value.clone() for name, value in model.state_dict().items()}
    chosen = ColorTransferSettings(images=320, size=32, batch=8, rate=1e-2)
    encoder, result = train_color_transfer(model, photos, chosen)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in frozen.items())
    assert result["look under ψ"] < result["look under φ"]
    assert set(result) == {f"{what} under {code}" for what in ("look", "content") for code in "φψ"}
    assert encoder(torch.rand(1, 3, 32, 32), torch.ones(1, 1, 32, 32)).shape == (1, 8)


def test_psi_as_the_appendix_trains_it_pushes_the_codes_apart(photos):
    """Stronger changes, and L_consis turned: ψ(h) is further from ψ(b) than φ(h) was from φ(b)."""
    model = coloring_network()
    weights = LossWeights(alpha=0.0, beta=0.0, lam=1.0)
    chosen = ColorTransferSettings(images=320, size=32, batch=8, rate=3e-3, way="paper", weights=weights, apart=5.0)
    encoder, _ = train_color_transfer(model, photos, chosen)
    batch = stack([sampler_of(photos, paper_rules(32, 2)).draw(seed) for seed in range(16)])
    region, foreground = (batch["reference_image"], batch["reference"]), batch["foreground"]
    distances = []
    for code in (model.style_encoder, encoder):
        with torch.no_grad():
            style = model.condition(code(*region), model.style(batch["composite"], foreground))
            harmonized = model.harmonize(batch["composite"], foreground, style)
            distances.append(float((code(harmonized, foreground) - code(*region)).abs().mean()))
    assert distances[1] > 1.2 * distances[0]
    with pytest.raises(InputError, match="a way to train ψ among look, paper, but got 'papr'; did you mean 'paper'"):
        train_color_transfer(model, photos, replace(chosen, way="papr"))


def test_stages_have_the_papers_rates_and_ours():
    assert [stage(number, "paper").rate for number in (1, 2, 3)] == [1e-4, 1e-5, 1e-6]
    assert {stage(number, "paper").size for number in (1, 2, 3)} == {256}
    assert stage(2, "small").size == 64 and stage(2, "small", rate=0.5).rate == 0.5
    assert stage(3, "small").rules.unpaired > 0 == stage(2, "small").rules.unpaired


def test_two_processes_train_together_and_stop_together(folder, tmp_path):
    """An existing launcher, mixed precision, and a length in time: the case in which two clocks could disagree."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "iph"]
    command += ["train", "--photos", folder, "--minutes", "0.05", "--size", "32", "--batch", "4"]
    command += ["--out", tmp_path / "run"]
    wanted = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "ACCELERATE_MIXED_PRECISION": "bf16"}
    environment = os.environ | wanted  # the last one is how accelerate launch passes --mixed_precision on
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    described = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert (described["processes"], described["precision"]) == (2, "bf16")
    assert saved_step(tmp_path / "run") >= 1 and np.isfinite(float(curve(tmp_path / "run")[-1]["harmonized"]))
    assert done.stdout.count("to use it: iph harmonize --model") == 1
