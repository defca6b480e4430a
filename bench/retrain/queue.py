"""The queue: each job (a row of ``recipes`` and a seed) is a folder that ``iph.training.loop`` trains in and resumes.

``out/<row>/seed-<n>/`` holds the run. A finished job has left ``out/<row>/seed-<n>.safetensors``, its averaged weights
at the end of the budget, and ``seed-<n>.json``, what was done and measured: that file alone says that a job is
finished. Where there is no accelerator, budgets are processor time, so that no job is robbed of its share by what else
the machine does. Any number of processes may work on one folder: each takes jobs that no other is at.
"""

import contextlib
import csv
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from bench.errors import InputError
from bench.networks.loading import load_strict
from bench.retrain.recipes import RECIPES
from iph.checkpoint import load_tensors
from iph.data.pack import PackedPhotos, pack_for_runs
from iph.files import replacing
from iph.training.loop import TrainingSettings, train
from iph.training.stages import SMALL_RATES, stage
from iph.training.validate import hold_out, validate, validation_batch

CHECK_EVERY = 200  # steps; what a stop loses at most
VALIDATION_IMAGES = 256  # at a check
HELD_OUT_IMAGES = 2048  # at the end
WARM_UP = 50  # steps: a short run has a few hundred


@dataclass(frozen=True)
class Terms:
    """What all jobs of a folder share, and what decides a result beside row and seed."""

    photos: str
    size: int = 64
    batch: int = 48
    rate: float = SMALL_RATES[2]


@dataclass(frozen=True)
class Job:
    """One row under one seed."""

    row: str
    seed: int
    out: Path

    @property
    def run(self) -> Path:
        """The folder of the run."""
        return self.out / self.row / f"seed-{self.seed}"

    @property
    def weights(self) -> Path:
        """The finished network."""
        return self.run.with_suffix(".safetensors")

    def facts(self) -> dict | None:
        """What was done: ``minutes``, ``images``, ``parameters``; and measured: ``held_out``, ``sets``.

        None before the job is finished.
        """
        try:
            return json.loads(self.run.with_suffix(".json").read_text())
        except FileNotFoundError:
            return None

    def record(self, facts: dict) -> None:
        """Write ``facts``."""
        self.run.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.run.with_suffix(".json")) as temporary:
            temporary.write_text(json.dumps(facts, indent=1) + "\n")

    def finished(self, minutes: float) -> bool:
        """Whether it was trained for so long, or longer."""
        facts = self.facts()
        return facts is not None and facts["minutes"] >= minutes

    def measured(self, dataset: str) -> bool:
        """Whether its facts hold what ``dataset`` says of it."""
        return dataset in (self.facts() or {"sets": {}})["sets"]

    @contextlib.contextmanager
    def taken(self) -> Iterator[bool]:
        """Whether it is this process's for as long as this lasts, and not another's."""
        self.run.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.run / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        with lock:
            yield True


def open_queue(out: Path, terms: Terms) -> None:
    """The folder of one queue, made where there is none. InputError where its jobs are of other terms."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"expected a folder to train in at {out}, but: {error.strerror}") from None
    path, wanted = out / "terms.json", asdict(terms)
    known = json.loads(path.read_text()) if path.is_file() else wanted
    if known != wanted:
        raise InputError(f"expected the terms of the jobs in {out}, {known}, but got {wanted}; take another folder")
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(wanted, indent=1) + "\n")


def work(jobs: list[Job], minutes: float, terms: Terms, say: Callable[[str], None]) -> None:
    """Train what is not finished and nobody else is at, one job after the other; ``say`` gets a line a job."""
    photos: PackedPhotos | None = None
    for number, job in enumerate(jobs, start=1):
        place = f"{number}/{len(jobs)} {job.row} seed {job.seed}"
        with job.taken() as taken:
            if not taken:
                say(f"{place}: another process is at it")
            elif job.finished(minutes):
                say(f"{place}: done before")
            else:
                photos = photos or pack_for_runs(Path(terms.photos), terms.size, job.out)
                say(f"{place}: " + ("goes on" if (job.run / "last.pt").is_file() else "starts"))
                facts = _train(job, photos, minutes, terms)
                say(
                    f"{place}: {facts['minutes']:g} minutes, {facts['images']} images, foreground error on held-out "
                    f"photos {facts['held_out']['ratio']:.3f} of the composite's"
                )


def _train(job: Job, photos: PackedPhotos, minutes: float, terms: Terms) -> dict:
    recipe = RECIPES[job.row]
    rules = stage(recipe.stage, "small", terms.size).rules
    settings = TrainingSettings(
        out=job.run,
        rules=replace(rules, unpaired=0.0, **recipe.rules),  # the baselines' losses need the truth
        weights=recipe.weights,
        minutes=minutes,
        batch=terms.batch,
        seed=job.seed,
        check_every=CHECK_EVERY,
        validation_images=VALIDATION_IMAGES,
        **{"rate": terms.rate, "warm_up": WARM_UP} | recipe.training,
    )
    torch.manual_seed(job.seed)
    network = recipe.network(terms.size)
    clock = time.monotonic if torch.accelerator.is_available() else time.process_time
    with open(job.run / "log.txt", "a") as log, contextlib.redirect_stdout(log):
        train(network, photos, settings, objective=recipe.objective, clock=clock)
    with open(job.run / "curve.csv", newline="") as file:
        steps = int(list(csv.DictReader(file))[-1]["step"])
    with replacing(job.weights) as temporary:
        shutil.copyfile(job.run / "last.safetensors", temporary)
    facts = {
        "minutes": minutes,
        "images": steps * terms.batch,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "held_out": held_out(job, photos, terms),
        "sets": {},
    }
    job.record(facts)
    return facts


def held_out(job: Job, photos: PackedPhotos, terms: Terms) -> dict[str, float]:
    """``ratio`` of foreground errors, and that with a wrong reference, on photos that no job trained on.

    The samples are the same for all rows, whatever their own are like: those of stage 2, at the training size.
    """
    network = RECIPES[job.row].network(terms.size)
    load_strict(network, load_tensors(job.weights)[0], str(job.weights))
    checks = validation_batch(hold_out(photos)[1], stage(2, "small", terms.size).rules, HELD_OUT_IMAGES)
    found = validate(network, checks, torch.device("cpu"))
    return {
        "ratio": found["ratio"],
        "wrong reference": found["wrong reference"] / found["composite"],
    }
