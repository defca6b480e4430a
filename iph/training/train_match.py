"""Trains the network that starts from the semantic match, in one process and one thread, and goes on where it stopped.

    python -m iph train --stage match --photos PHOTOS --portraits MORE --luts LUTS --minutes 100 --out runs/match

The same command goes on with a run that was stopped; with more minutes, with one that had ended. On another machine,
``--resume RUN/resume.safetensors`` takes up the weights, their average and the step from the small file alone; only
the optimizer begins anew.

A run is a folder: ``settings.json``; ``log.csv``; ``last.pt``, everything there is of a run; ``average.safetensors``,
the averaged weights, float16: the result; ``resume.safetensors``, weights and average in float16, small enough to keep.
The rate is constant and falls to zero in the last third, at 128 x 128 pixels; before, it is 96 x 96.
"""

import copy
import csv
import json
import pickle
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from iph.checkpoint import load_network, load_tensors, save_network
from iph.cube import Cube
from iph.data.match_samples import MatchRules, MatchSampler
from iph.data.pack import PackedPhotos
from iph.errors import InputError
from iph.files import read_json, replacing
from iph.match.network import MatchNetwork, start_network
from iph.training.loop import check_begun, follow
from iph.training.match_objective import MatchWeights, match_objective
from iph.training.validate import hold_out, stack

FALLING = 0.35  # share of the run in which the rate falls to zero
SMALL, LARGE = 96, 128  # side of the pictures before and after it begins to fall
FIXED = ("start", "teacher", "seed", "batch", "rules", "weights")  # settings that a run cannot change half-way
PACKED_FOR = 160  # photos are packed for samples of this size: a window shows a part of them


@dataclass(frozen=True)
class MatchTraining:
    """``minutes`` of training or ``steps``, whichever is given, are the run's whole length, stops not counted."""

    out: Path
    minutes: float | None = None
    steps: int | None = None
    start: str = "small"
    teacher: str = "small"
    resume: Path | None = None
    batch: int = 24
    rate: float = 6e-4
    warm_up: int = 60
    average: float = 0.998
    weight_decay: float = 0.01
    seed: int = 0
    save_every: float = 180.0  # seconds
    report_every: int = 50  # steps
    sizes: tuple[int, int] = (SMALL, LARGE)
    rules: MatchRules = field(default_factory=MatchRules)
    weights: MatchWeights = field(default_factory=MatchWeights)
    bfloat16: bool = True


class Run:
    """A run's networks and where it is: ``step``, and ``seconds`` of training so far."""

    def __init__(self, settings: MatchTraining) -> None:
        self.settings = settings
        torch.manual_seed(settings.seed)
        self.network = start_network(settings.start).requires_grad_(True).train()
        self.network.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=settings.rate, weight_decay=settings.weight_decay
        )
        self.step, self.seconds, self.warmed_from = 0, 0.0, 0
        self._take_up()

    @property
    def progress(self) -> float:
        """Share of the run done."""
        if self.settings.steps is not None:
            return self.step / self.settings.steps
        return self.seconds / (60 * self.settings.minutes)

    @property
    def size(self) -> int:
        """Side of the pictures of the next step."""
        return self.settings.sizes[self.progress >= 1 - FALLING]

    @property
    def rate(self) -> float:
        """Of the next step: a linear warm-up, constant, a linear fall."""
        warm = min(1.0, (self.step - self.warmed_from + 1) / self.settings.warm_up)
        return self.settings.rate * warm * min(1.0, max(0.0, (1 - self.progress) / FALLING))

    def learn(self, loss: torch.Tensor) -> None:
        """One step down a loss, and the average after it."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        follow(self.average, self.network, min(self.settings.average, self.step / (self.step + 10)))

    def save(self) -> None:
        """Write the run's three files, each whole or not at all."""
        out = self.settings.out
        state = {"step": self.step, "seconds": self.seconds}
        content = {"network": self.network.state_dict(), "average": self.average.state_dict()}
        with replacing(out / "last.pt") as temporary:
            torch.save(content | {"optimizer": self.optimizer.state_dict(), "state": state}, temporary)
        tensors = {
            f"{part}.{name}": value.half().contiguous()
            for part, values in content.items()
            for name, value in values.items()
        }
        told = {"kind": "Resume", "config": self.network.settings(), "state": state}
        with replacing(out / "resume.safetensors") as temporary:
            temporary.write_bytes(save(tensors, metadata={"settings": json.dumps(told)}))
        save_network(out / "average.safetensors", self.average, half=True)

    def _take_up(self) -> None:
        last = self.settings.out / "last.pt"
        try:
            if last.is_file():
                saved = torch.load(last, weights_only=True, map_location="cpu")
                self.optimizer.load_state_dict(saved["optimizer"])
                state, content = saved["state"], saved
            elif self.settings.resume is not None:
                tensors, told = load_tensors(self.settings.resume)
                state = told["state"]
                content = {
                    part: {name.removeprefix(f"{part}."): v for name, v in tensors.items() if name.startswith(part)}
                    for part in ("network", "average")
                }
                self.warmed_from = state["step"]
            else:
                return
            self.network.load_state_dict(content["network"])
            self.average.load_state_dict(content["average"])
        except (RuntimeError, KeyError, ValueError, pickle.UnpicklingError) as error:
            path = last if last.is_file() else self.settings.resume
            raise InputError(
                f"expected {path} to hold a run of this very network, but it does not fit: {str(error)[:80]}"
            ) from error
        self.step, self.seconds = state["step"], state["seconds"]


def train_match(
    photos: PackedPhotos,
    settings: MatchTraining,
    film_luts: Sequence[Cube] = (),
    portraits: PackedPhotos | None = None,
) -> MatchNetwork:
    """Train to the run's end, taking up what ``settings.out`` holds; returns the averaged network."""
    if (settings.minutes is None) == (settings.steps is None):
        raise InputError("expected either minutes or steps as the length of a run")
    settings.out.mkdir(parents=True, exist_ok=True)
    text, path = json.dumps(asdict(settings), default=str, indent=1), settings.out / "settings.json"
    if path.is_file() and (settings.out / "last.pt").is_file():
        wanted, found = json.loads(text), read_json(path)
        check_begun(settings.out, {name: (wanted[name], found.get(name)) for name in FIXED})
    run = Run(settings)
    with replacing(path) as temporary:
        temporary.write_text(text)
    teacher = load_network(settings.teacher)
    training, _ = hold_out(photos)
    samplers = {
        size: MatchSampler(training, replace(settings.rules, base=replace(settings.rules.base, size=size)),
                           film_luts, portraits)
        for size in set(settings.sizes)
    }  # fmt: skip
    saved, clock, means = time.monotonic(), time.monotonic(), {}
    while run.progress < 1:
        first = run.step * settings.batch
        batch = stack([samplers[run.size].draw((settings.seed, first + k)) for k in range(settings.batch)])
        loss, parts = match_objective(run.network, teacher, batch, settings.weights, settings.bfloat16)
        run.learn(loss)
        now = time.monotonic()
        run.seconds, clock = run.seconds + now - clock, now
        means = {name: 0.98 * means.get(name, value) + 0.02 * value for name, value in (means | parts).items()}
        if run.step % settings.report_every == 0:
            _report(run, means)
        if now - saved > settings.save_every:
            run.save()
            saved = now
    run.save()
    return run.average


def _report(run: Run, means: dict[str, float]) -> None:
    row = {"step": run.step, "seconds": round(run.seconds), "rate": run.rate, "size": run.size}
    row |= {name: means.get(name, "") for name in COLUMNS}
    with open(run.settings.out / "log.csv", "a", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        if file.tell() == 0:
            writer.writeheader()
        writer.writerow(row)
    print("  ".join(f"{name} {value:.5g}" for name, value in row.items() if value != ""), flush=True)


COLUMNS = ("recoloured l1", "recoloured squared", "luminance", "chroma", "pasted l1", "pasted squared")
