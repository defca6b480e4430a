"""Retraining on equal terms: a queue that is measured, shared, stopped, killed and gone on with."""

import csv
import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from bench_rows import IMAGES, fill, made_rows
from bench_runs import serial
from training_batch import SIZE, arguments, batch
from typer.testing import CliRunner

from bench.commands.app import app
from bench.evaluation import runner
from bench.evaluation.store import Store
from bench.methods import resolve
from bench.networks.retrained import Baseline, load
from bench.retrain import pace, queue, terms
from bench.retrain.experiments import EXPERIMENTS, chosen
from bench.retrain.queue import TrainingJob
from bench.retrain.summary import record_measured
from bench.retrain.terms import Terms, open_queue
from bench.weights import sha256
from iph.errors import InputError

TINY = 0.002  # minutes
BATCH = 8


def picture(rng: np.random.Generator) -> tuple[np.ndarray, list[np.ndarray]]:
    """Two coloured discs before a smooth ground: (72, 96, 3) uint8 and their masks."""
    image = cv2.resize(rng.uniform(40, 200, (3, 3, 3)), (96, 72), interpolation=cv2.INTER_CUBIC)
    yy, xx = np.mgrid[:72, :96]
    masks = [np.hypot(yy - 36, xx - x) < 16 for x in (26, 70)]
    for mask in masks:
        image[mask] = rng.uniform(30, 220, 3) + rng.normal(0, 12, (mask.sum(), 3))
    return np.clip(image, 0, 255).astype(np.uint8), masks


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """Forty photos with two people each."""
    folder = tmp_path_factory.mktemp("retrain") / "photos"
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    rows = []
    for number in range(40):
        image, masks = picture(np.random.default_rng(number))
        cv2.imwrite(str(folder / "images" / f"p{number:02d}.jpg"), image)
        for k, mask in enumerate(masks):
            cv2.imwrite(str(folder / "masks" / f"p{number:02d}_{k}.png"), mask.astype(np.uint8) * 255)
            rows.append(f"p{number:02d},{k},1,,{mask.mean():.4f}")
    (folder / "instances.csv").write_text("id,k,person,label,area_frac\n" + "\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def open_set(tmp_path_factory) -> Path:
    """Two composites in the data-set form."""
    folder = tmp_path_factory.mktemp("open") / "two"
    folder.mkdir()
    lines = ["id,composite,foreground,reference,target"]
    for name, seed in (("a", 100), ("b", 101)):
        image, (foreground, reference) = picture(np.random.default_rng(seed))
        composite = image.copy()
        composite[foreground] = composite[foreground] // 2
        parts = {"composite": composite, "foreground": foreground * 255, "reference": reference * 255, "target": image}
        for part, content in parts.items():
            cv2.imwrite(str(folder / f"{name}_{part}.png"), content.astype(np.uint8))
        lines.append(",".join([name, *(f"{name}_{part}.png" for part in parts)]))
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def often(monkeypatch):
    """Checkpoints at every second step, small batches, little to time and to validate on, measuring in this process."""
    monkeypatch.setattr(terms, "Terms", partial(Terms, batch=BATCH))
    monkeypatch.setattr(pace, "ROUNDS", 1)
    monkeypatch.setattr(pace, "STEPS", 1)
    monkeypatch.setattr(queue, "CHECK_EVERY", 2)
    monkeypatch.setattr(queue, "VALIDATION_IMAGES", 8)
    monkeypatch.setattr(queue, "HELD_OUT_IMAGES", 8)
    monkeypatch.setattr(runner, "local", lambda workers: serial)


def invoke(*arguments):
    return CliRunner().invoke(app, ["retrain", *map(str, arguments)])


def set_pace(out: Path, row: str, steps: int) -> None:
    """A minute of ``row`` is so many steps in the queue at ``out``."""
    (out / "pace.json").write_text(json.dumps({row: BATCH * steps}))


def steps(job: TrainingJob) -> list[int]:
    with open(job.run / "curve.csv", newline="") as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


def test_the_command_trains_measures_and_then_has_nothing_to_do(photos, open_set, tmp_path, often):
    """One baseline and one row of the ablation, two seeds, on a set of two composites."""
    out = tmp_path / "queue"
    rows = ["--only", "bargainnet-r-retrained,h-net"]
    common = ["--photos", photos, "--out", out, "--minutes", TINY, *rows, "--dataset", open_set]
    done = invoke(*common, "--seeds", 1)
    assert done.exit_code == 0, done.output
    assert "1/2 bargainnet-r-retrained seed 0: 0.002 minutes" in done.output
    done = invoke(*common, "--seeds", 2)
    assert done.exit_code == 0, done.output
    assert done.output.count("seed 0: done before") == 2 and done.output.count("seed 1: starts") == 2
    assert "| BargainNet (R) | 2 | 2.10 M |" in done.output and " ± " in done.output
    assert (out / "two.md").read_text().strip() in done.output

    frame = Store(out / "results", "two").read()
    names = {"composite"} | {f"{row}={row}-seed-{seed}.safetensors" for row in rows[1].split(",") for seed in (0, 1)}
    assert set(frame["method"]) == names and len(frame) == 2 * len(names)
    ours = frame[frame["method"].str.startswith("h-net")].groupby("method")["fmse"].mean().to_numpy()
    half = 12.7062 * np.std(ours, ddof=1) / np.sqrt(2)  # Student's 97.5 % point of one degree of freedom
    row = [line for line in done.output.split("\n") if line.startswith("| H-Net |")][-1]
    assert f"| {ours.mean():.0f} ± {half:.0f} |" in row

    composite = done.output.split("| Direct composite |")[-1].split("\n")[0].split("|")
    kept, own = map(float, composite[4:6])  # around the foreground a composite is its target, save for resizing
    assert kept == pytest.approx(own, abs=0.05)

    weights = load(TrainingJob("bargainnet-r-retrained", 1, out).weights).state_dict()
    moved = [value.abs().max() for name, value in weights.items() if name.endswith("running_mean")]
    assert len(moved) > 5 and min(moved) > 0  # batch normalisation's statistics come with the averaged weights

    assert "| H-Net | 2 | 0.68 M |" in done.output.split("Held-out photos")[-1]
    (out / "results" / "two" / "rows.parquet").unlink()  # the facts of the jobs are enough from here on
    table = (out / "two.md").read_text()
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")}
    again = invoke(*common, "--seeds", 2)
    assert again.exit_code == 0 and again.output.count("done before") == 4
    assert (out / "two.md").read_text() == table
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")} == before

    longer = invoke("--photos", photos, "--out", out, "--minutes", 2 * TINY, "--only", "h-net", "--seeds", 1)
    job = TrainingJob("h-net", 0, out)
    assert "h-net seed 0: goes on" in longer.output and job.facts()["minutes"] == 2 * TINY
    assert steps(job) == sorted(steps(job)) and steps(job).count(0) == 1


def test_the_second_row_of_bargainnet_goes_on_from_the_first(photos, tmp_path, often):
    """BargainNet (R)(++) is (R) of the same seed, trained further on people beside people; without it, it waits."""
    common = ["--photos", photos, "--out", tmp_path, "--minutes", TINY, "--seeds", 1, "--only"]
    alone = invoke(*common, "bargainnet-r-pp-retrained")
    assert "waits for the weights of bargainnet-r-retrained seed 0" in alone.output
    both = invoke(*common, "bargainnet-r-retrained,bargainnet-r-pp-retrained")
    assert both.exit_code == 0 and "2/2 bargainnet-r-pp-retrained seed 0: starts" in both.output, both.output
    first, second = (TrainingJob(f"bargainnet-r{name}-retrained", 0, tmp_path) for name in ("", "-pp"))
    before, after = (load(job.weights).state_dict() for job in (first, second))
    fresh = EXPERIMENTS["bargainnet-r-retrained"].network(64).state_dict()
    names = [name for name, value in before.items() if value.ndim == 4]
    moved = sum(float((after[name] - before[name]).norm()) for name in names)
    assert 0 < moved < 0.2 * sum(float((after[name] - fresh[name]).norm()) for name in names)
    settings = json.loads((second.run / "settings.json").read_text())["training"]
    assert settings["start"] == "bargainnet-r-retrained" and settings["rules"]["stage"] == 3


def test_a_trained_baseline_is_a_row_of_the_benchmark(tmp_path, open_set):
    torch.manual_seed(0)
    from iph.checkpoint import save_network

    network = Baseline("bargainnet-r", SIZE, width=4).eval()
    save_network(tmp_path / "w.safetensors", network)
    again = load(tmp_path / "w.safetensors")
    with torch.no_grad():
        assert torch.equal(again(*arguments(batch())), network(*arguments(batch())))
    method = resolve([f"bargainnet-r-retrained={tmp_path / 'w.safetensors'}"])[0]
    harmonize = method.make()
    image, (foreground, reference) = picture(np.random.default_rng(7))
    result = harmonize(image, foreground, reference)
    assert result.shape == image.shape and result.dtype == np.uint8
    assert not np.array_equal(result, harmonize(image, foreground, ~foreground))
    with pytest.raises(InputError, match="expected a reference mask"):
        harmonize(image, foreground, None)
    assert resolve(["rainnet-retrained"])[0].missing().startswith("weights missing: python -m bench retrain")


def test_a_later_row_is_measured_against_the_first(tmp_path, monkeypatch):
    """On a day of half the speed, too, a minute stays what it was when the queue began."""
    asked = []

    def measured(rows, photos, terms):
        asked.append(list(rows))
        return {"h-net": 500.0, "h-net-se-all": 300.0, "rainnet-retrained": 900.0}

    monkeypatch.setattr(pace, "_measured", measured)
    set_pace(tmp_path, "h-net", 20)
    known = 20 * BATCH
    found = pace.paces(["h-net-se", "h-net"], None, Terms("here"), tmp_path)
    assert found == {"h-net-se": pytest.approx(0.6 * known), "h-net": known}
    same = pace.paces(["h-net-se", "h-net-se-mid", "h-net-se-all"], None, Terms("here"), tmp_path)
    assert set(same.values()) == {found["h-net-se"]}, "of the same form: equally many samples"
    assert asked == [["h-net", "h-net-se-all"]]
    assert pace.paces(["rainnet-retrained"], None, Terms("here"), tmp_path / "new").popitem()[1] == 900.0


def test_two_processes_share_a_folder(photos, tmp_path, often):
    """A job that another process is at is left to it."""
    common = ["--photos", photos, "--out", tmp_path, "--minutes", TINY, "--seeds", 1, "--only", "h-net,h-net-se"]
    with TrainingJob("h-net", 0, tmp_path).taken() as taken:
        assert taken
        first = invoke(*common)
    assert "1/2 h-net seed 0: another process is at it" in first.output
    assert TrainingJob("h-net", 0, tmp_path).facts() is None and TrainingJob("h-net-se", 0, tmp_path).finished(TINY)
    second = invoke(*common)
    assert "h-net seed 0: starts" in second.output and "h-net-se seed 0: done before" in second.output


def test_facts_from_elsewhere_without_weights_are_left_as_they_are(photos, open_set, tmp_path, often):
    """What was measured on one set counts as finished; on another it cannot be measured, and is not in the table."""
    facts = {"minutes": 1, "images": 1, "parameters": 1, "held_out": {"ratio": 0.5, "wrong reference": 0.6}, "sets": {}}
    for row in ("h-net", "composite"):
        TrainingJob(row, 0, tmp_path).record(facts)
    common = ["--photos", photos, "--out", tmp_path, "--minutes", 1, "--seeds", 1, "--only", "h-net"]
    done = invoke(*common, "--dataset", open_set)
    assert done.exit_code == 0 and "h-net seed 0: done before" in done.output, done.output
    table = (tmp_path / "two.md").read_text()
    assert "| Direct composite |" in table and "H-Net" not in table
    assert TrainingJob("h-net", 0, tmp_path).facts() == facts


@pytest.mark.parametrize("name", ["seed-0.safetensors", "h-net-seed-0.safetensors"])
def test_a_job_is_described_by_its_rows_of_this_data_at_this_size(tmp_path, name):
    job = TrainingJob("h-net", 0, tmp_path)
    job.run.mkdir(parents=True)
    job.weights.write_bytes(b"weights")
    mine = {"weights_hash": sha256(job.weights)[:16]}
    rows = [row | mine for row in made_rows("two", methods=[f"h-net={name}"])]
    another = {"method": "h-net=seed-1.safetensors", "weights_hash": "another"}
    changes = [another, {"dataset_hash": "h0"}, {"protocol": "idih"}, {"size": "64"}]
    others = [row | {"fmse": 1e6} | change for row in rows for change in changes]
    fill(tmp_path / "results", [*rows, *others])
    record_measured(tmp_path / "results", "two", "256", [job])
    found = job.facts()["sets"]["two"]
    assert found["data"] == "h1" and found["images"] == IMAGES
    assert found["means"]["fMSE ↓"] == pytest.approx(np.mean([row["fmse"] for row in rows]))


def test_ctrl_c_is_gone_on_with(photos, tmp_path, often, monkeypatch):
    """The fifth step is interrupted: the checkpoint of the fourth is where the same command goes on."""
    experiment, calls = EXPERIMENTS["h-net"], iter(range(1000))

    def interrupted(network, samples, weights):
        if network.training and next(calls) == 4:
            raise KeyboardInterrupt
        return experiment.objective(network, samples, weights)

    set_pace(tmp_path, "h-net", 10)
    common = ["--photos", photos, "--out", tmp_path, "--minutes", 1, "--seeds", 1, "--only", "h-net"]
    monkeypatch.setitem(EXPERIMENTS, "h-net", type(experiment)(**vars(experiment) | {"objective": interrupted}))
    stopped = invoke(*common)
    job = TrainingJob("h-net", 0, tmp_path)
    assert stopped.exit_code == 130 and "the same command goes on" in stopped.output
    assert job.facts() is None and not job.weights.exists()
    assert torch.load(job.run / "last.pt", weights_only=True)["state"]["step"] == 4
    monkeypatch.setitem(EXPERIMENTS, "h-net", experiment)
    done = invoke(*common)
    assert done.exit_code == 0 and "h-net seed 0: goes on" in done.output, done.output
    assert steps(job) == [0, 2, 4, 4, 6, 8, 10] and job.facts()["images"] == 10 * BATCH


def test_kill_loses_nothing_that_was_checkpointed(photos, tmp_path, often):
    """A process of its own, killed without warning in the middle of a job."""
    code = (
        "import sys, functools; from bench.retrain import queue, terms; queue.CHECK_EVERY = 2; "
        f"terms.Terms = functools.partial(terms.Terms, batch={BATCH}); "
        "queue.VALIDATION_IMAGES = queue.HELD_OUT_IMAGES = 8; "
        "from bench.commands.app import app; app(sys.argv[1:])"
    )
    set_pace(tmp_path, "rainnet-retrained", 100)
    command = ["retrain", "--photos", photos, "--out", tmp_path, "--minutes", 5, "--seeds", 1]
    command += ["--only", "rainnet-retrained"]
    job = TrainingJob("rainnet-retrained", 0, tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, command)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while not (job.run / "curve.csv").is_file() or max(steps(job)) < 4:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        process.kill()
        process.wait()
    reached = torch.load(job.run / "last.pt", weights_only=True)["state"]
    assert job.facts() is None and reached["step"] >= 2
    done = invoke(*command[1:5], "--minutes", (reached["step"] + 2) / 100, *command[7:])
    assert done.exit_code == 0 and "rainnet-retrained seed 0: goes on" in done.output, done.output
    assert job.facts()["images"] == (reached["step"] + 2) * BATCH


def test_what_a_person_can_get_wrong_is_a_sentence(photos, tmp_path, often):
    with pytest.raises(InputError, match="did you mean 'dovenet-retrained'"):
        chosen(["dovenet-retraind"])
    assert chosen([]) == chosen(["ablation", "baselines"]) and len(chosen([])) == 12
    assert chosen(["h-net", "dovenet-retrained"]) == ["dovenet-retrained", "h-net"]
    wrong = invoke("--photos", photos, "--out", tmp_path, "--size", 96)
    assert wrong.exit_code == 2 and "expected a power of two as the size, but got 96" in wrong.output
    open_queue(tmp_path / "q", Terms("here"))
    with pytest.raises(InputError, match="take another folder"):
        open_queue(tmp_path / "q", Terms("here", 128))
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "terms.json").write_text('{"photos": "here", "size": 64, "batch": 48, "rate": 0.002}')
    with pytest.raises(InputError, match="take another folder"):  # of the time before eqs. 1 to 6
        open_queue(tmp_path / "old", Terms("here"))
    assert json.loads((tmp_path / "q" / "terms.json").read_text())["size"] == 64
    (tmp_path / "q" / "terms.json").write_text("{broken")
    damaged = invoke("--photos", photos, "--out", tmp_path / "q")
    assert damaged.exit_code == 2 and "terms.json, but it is damaged" in damaged.output.replace("\n", "")
    assert (tmp_path / "q" / "terms.json").read_text() == "{broken"
    (tmp_path / "w.safetensors").write_bytes(b"no")
    with pytest.raises(ValueError, match="expected a safetensors file"):
        load(tmp_path / "w.safetensors")


def test_intervals_are_over_seeds():
    from bench.retrain.summary import _spread

    assert _spread([2.0], 2) == "2.00"
    assert _spread([1.0, 2.0, 3.0], 2) == "2.00 ± 2.48"  # 4.3027 / sqrt(3)
    assert pd.Series([1.0, 2.0, 3.0]).sem() * 4.3027 == pytest.approx(2.48, abs=0.005)
