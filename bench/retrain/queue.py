"""The queue: each job (an experiment and a seed) is a folder that ``iph.training.loop`` trains in and resumes.

``out/<row>/seed-<n>/`` holds the run. A finished job has left ``out/<row>/seed-<n>.safetensors``, its averaged weights
at the end of the budget, and ``seed-<n>.json``, what was done and measured: that file alone says that a job is
finished. A budget of minutes is a number of samples (``bench.retrain.pace``), so that no job is robbed of its share by
what else the machine does. Any number of processes may work on one folder: each takes jobs that no other is at.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from bench.networks.loading import load_strict
from bench.retrain.experiments import EXPERIMENTS
from bench.retrain.pace import paces
from bench.retrain.terms import Terms, rules_of
from iph.checkpoint import load_tensors
from iph.data.pack import PackedPhotos, pack_for_runs
from iph.data.samples import paper_rules
from iph.files import read_json, replacing, write_json
from iph.training.loop import TrainingSettings, train
from iph.training.validate import hold_out, validate, validation_batch

CHECK_EVERY = 200  # steps; what a stop loses at most
VALIDATION_IMAGES = 256  # at a check
HELD_OUT_IMAGES = 2048  # at the end
WARM_UP = 50  # steps: a short run has a few hundred


@dataclass(frozen=True)
class TrainingJob:
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

    @property
    def start(self) -> "TrainingJob | None":
        """The job whose network this one goes on from, or None."""
        row = EXPERIMENTS[self.row].start
        return TrainingJob(row, self.seed, self.out) if row else None

    def facts(self) -> dict | None:
        """What was done: ``minutes``, ``images``, ``parameters``; and measured: ``held_out``, ``sets``.

        None before the job is finished.
        """
        try:
            return read_json(self.run.with_suffix(".json"))
        except FileNotFoundError:
            return None

    def record(self, facts: dict) -> None:
        """Write ``facts``."""
        self.run.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.run.with_suffix(".json"), facts)

    def finished(self, minutes: float) -> bool:
        """Whether it was trained for a budget of so many minutes, or more."""
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


def work(jobs: list[TrainingJob], minutes: float, terms: Terms, say: Callable[[str], None]) -> None:
    """Train what is not finished and nobody else is at, one job after the other; ``say`` gets a line a job."""
    left = [job for job in jobs if not job.finished(minutes)]
    if left:
        photos = pack_for_runs(Path(terms.photos), terms.size, left[0].out)
        pace = paces([job.row for job in left], photos, terms, left[0].out)
    for number, job in enumerate(jobs, start=1):
        place = f"{number}/{len(jobs)} {job.row} seed {job.seed}"
        with job.taken() as taken:
            if not taken:
                say(f"{place}: another process is at it")
            elif job.finished(minutes):
                say(f"{place}: done before")
            elif (start := job.start) and not start.weights.is_file():
                say(f"{place}: waits for the weights of {start.row} seed {start.seed}, which it goes on from")
            else:
                say(f"{place}: " + ("goes on" if (job.run / "last.pt").is_file() else "starts"))
                steps = max(1, round(minutes * pace[job.row] / terms.batch))
                facts = {"minutes": minutes} | _train(job, photos, terms, steps * terms.batch)
                job.record(facts)
                say(
                    f"{place}: {minutes:g} minutes, {facts['images']} images, foreground error on held-out photos "
                    f"{facts['held_out']['ratio']:.3f} of the composite's"
                )


def _train(job: TrainingJob, photos: PackedPhotos, terms: Terms, images: int) -> dict:
    experiment = EXPERIMENTS[job.row]
    settings = TrainingSettings(
        out=job.run,
        rules=rules_of(experiment, terms),
        weights=experiment.weights,
        images=images,
        batch=terms.batch,
        seed=job.seed,
        start=experiment.start,
        check_every=CHECK_EVERY,
        validation_images=VALIDATION_IMAGES,
        **{"rate": terms.rate, "warm_up": WARM_UP} | experiment.training,
    )
    torch.manual_seed(job.seed)
    network = experiment.network(terms.size)
    if job.start:
        load_strict(network, load_tensors(job.start.weights)[0], str(job.start.weights))
    with open(job.run / "log.txt", "a") as log, contextlib.redirect_stdout(log):
        train(network, photos, settings, objective=experiment.objective)
    with replacing(job.weights) as temporary:
        shutil.copyfile(job.run / "last.safetensors", temporary)
    return {
        "images": images,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "held_out": held_out(job, photos, terms),
        "sets": {},
    }


def held_out(job: TrainingJob, photos: PackedPhotos, terms: Terms) -> dict[str, float]:
    """``ratio`` of foreground errors, and that with a wrong reference, on photos that no job trained on.

    The samples are the same for all rows, whatever their own are like: pairs of instances, at the training size.
    """
    network = EXPERIMENTS[job.row].network(terms.size)
    load_strict(network, load_tensors(job.weights)[0], str(job.weights))
    checks = validation_batch(hold_out(photos)[1], paper_rules(terms.size, 2), HELD_OUT_IMAGES)
    found = validate(network, checks, torch.device("cpu"))
    return {
        "ratio": found["ratio"],
        "wrong reference": found["wrong reference"] / found["composite"],
    }
