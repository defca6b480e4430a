"""The training loop: one code for CPU, CUDA and several devices (Hugging Face accelerate launches it).

A run is a folder: ``settings.json``, ``curve.csv`` (one row a check), ``last.pt`` (resumes) and ``best.safetensors``
(the averaged weights with the lowest loss on held-out samples so far).
"""

import copy
import csv
import json
import math
import pickle
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, gather_object
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from iph.checkpoint import save_network
from iph.cube import Cube
from iph.data.manifest_samples import Composites, CompositeSampler, sampler_of
from iph.data.pack import PackedPhotos
from iph.data.samples import Sample, Sampler, SampleRules
from iph.errors import InputError
from iph.files import read_json, replacing
from iph.training.objective import Objective, ObjectiveWeights, objective
from iph.training.validate import hold_out, mean_objective, objective_batch, validate, validation_batch

Found = TypeVar("Found")
FIXED = ("rules", "weights", "schedule", "weight_decay", "seed", "start")  # settings that a run cannot change half-way


@dataclass(frozen=True)
class TrainingSettings:
    """One run. ``minutes`` of wall time or ``images`` seen, whichever is given, set the length and the decay.

    ``schedule``: "cosine" warms up over ``warm_up`` steps and falls to zero; "constant" is ``rate`` throughout. The
    optimizer is AdamW, or Adam where ``weight_decay`` is 0. ``average`` keeps that share of the averaged weights at a
    step, 0 none; ``clip`` bounds the gradient's norm, None does not. ``loaders`` is the number of processes that draw
    samples; ``start`` says which weights the network had at first.
    """

    out: Path
    rules: SampleRules = field(default_factory=SampleRules)
    weights: ObjectiveWeights = field(default_factory=ObjectiveWeights)
    minutes: float | None = None
    images: int | None = None
    batch: int = 48
    rate: float = 2e-3
    schedule: str = "cosine"
    warm_up: int = 200
    clip: float | None = 1.0
    average: float = 0.998
    weight_decay: float = 0.01
    seed: int = 0
    check_every: int = 500
    validation_images: int = 512
    loaders: int = 1
    start: str = ""


class _Stream(IterableDataset):
    """Samples number ``start``, ``start + step``, … of a run: the same ones whoever draws them."""

    def __init__(self, sampler: Sampler | CompositeSampler, seed: int, start: int, step: int) -> None:
        self.sampler, self.seed, self.start, self.step = sampler, seed, start, step

    def __iter__(self) -> Iterator[Sample]:
        worker = get_worker_info()
        lane, lanes = (worker.id, worker.num_workers) if worker else (0, 1)
        number = self.start + lane * self.step
        while True:
            yield self.sampler.draw((self.seed, number))
            number += lanes * self.step


def train(
    network: nn.Module,
    photos: PackedPhotos | Composites,
    settings: TrainingSettings,
    film_luts: Sequence[Cube] = (),
    objective: Objective = objective,
) -> dict[str, float]:
    """Train ``network`` in place, resuming from ``settings.out`` if it holds a run; returns the last validation.

    Any module that is called like ``Network`` and has its ``settings()`` can be trained by its own ``objective``.
    """
    training_photos, held_out = hold_out(photos)
    accelerator = this_process()
    torch.manual_seed(settings.seed)
    settings.out.mkdir(parents=True, exist_ok=True)
    everywhere(lambda: accelerator.is_main_process and _describe(network, settings, accelerator))
    checks = validation_batch(held_out, settings.rules, settings.validation_images)
    drawn = objective_batch(held_out, settings.rules, settings.validation_images)
    network.to(accelerator.device, memory_format=torch.channels_last)
    averaged = copy.deepcopy(network).requires_grad_(False)
    if settings.weight_decay:
        optimizer = torch.optim.AdamW(network.parameters(), lr=settings.rate, weight_decay=settings.weight_decay)
    else:
        optimizer = torch.optim.Adam(network.parameters(), lr=settings.rate)
    state = everywhere(lambda: _resume(settings.out, network, averaged, optimizer))
    shared = f"copy {settings.out} there, or put it on a path that all nodes share"
    require_same(f"step of the run in {settings.out}", state["step"], shared)
    require_same("number of photos", len(photos), "copy the data there, or put them on a path that all nodes share")
    model, optimizer = accelerator.prepare(_Objective(network, objective, settings.weights), optimizer)
    ranks = accelerator.num_processes
    start = state["step"] * settings.batch * ranks + accelerator.process_index
    stream = _Stream(sampler_of(training_photos, settings.rules, film_luts), settings.seed, start, ranks)
    loader = iter(DataLoader(stream, settings.batch, num_workers=settings.loaders, prefetch_factor=4))

    result: dict[str, float] = {}
    began = time.monotonic() - state["seconds"]
    running: dict[str, float] = {}
    while True:
        progress = _progress(settings, state["step"] * settings.batch * ranks, time.monotonic() - began)
        if ranks > 1:  # their clocks differ: all stop at the first one's word
            progress = broadcast_object_list([progress])[0]
        finished = progress >= 1
        if finished or state["step"] % settings.check_every == 0:
            state["seconds"] = time.monotonic() - began
            if accelerator.is_main_process:
                result = validate(averaged, checks, accelerator.device)
                result["held-out loss"] = mean_objective(
                    averaged, drawn, settings.weights, accelerator.device, objective
                )
                _record(settings.out, state, result, running)
                if result["held-out loss"] < state["best"]:
                    state["best"] = result["held-out loss"]
                    save_network(settings.out / "best.safetensors", averaged)
                _save(settings.out, network, averaged, optimizer, state)
        if finished:
            break
        for group in optimizer.param_groups:
            group["lr"] = _rate(settings, state["step"], progress)
        batch = {name: value.to(accelerator.device) for name, value in next(loader).items()}
        with accelerator.autocast():
            loss, running = model(batch)
        accelerator.backward(loss)
        if settings.clip is not None:
            accelerator.clip_grad_norm_(model.parameters(), settings.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        state["step"] += 1
        follow(averaged, network, min(settings.average, state["step"] / (state["step"] + 10)))
    if accelerator.is_main_process:
        save_network(settings.out / "last.safetensors", averaged)
    return result


def this_process() -> Accelerator:
    """This process among those that a launcher (accelerate or torchrun) started, on the CPU where there is no other."""
    return Accelerator(cpu=not torch.accelerator.is_available())


def everywhere(work: Callable[[], Found]) -> Found:
    """What ``work`` finds on this machine's files, the first process before the others. Where one meets an InputError,
    all raise it: alone it would stop, and the others wait for it.
    """
    accelerator = this_process()
    found, trouble = None, ""
    with accelerator.main_process_first():
        try:
            found = work()
        except InputError as error:
            trouble = str(error)
    told = gather_object([(socket.gethostname(), trouble)])
    for node, sentence in told:
        if sentence:
            raise InputError(sentence if accelerator.num_processes == 1 else f"on the node {node}: {sentence}")
    return found


def require_same(what: str, value: object, hint: str) -> None:
    """Raises InputError in every process where they do not all have the same ``value`` of ``what``."""
    this_process()
    (first, wanted), *others = gather_object([(socket.gethostname(), value)])
    for node, other in others:
        if other != wanted:
            raise InputError(
                f"expected the same {what} on every node, but {first} has {wanted} and {node} has {other}; {hint}"
            )


class _Objective(nn.Module):
    """The objective as a module's forward, which is what distributed training synchronises."""

    def __init__(self, network: nn.Module, objective: Objective, weights: ObjectiveWeights) -> None:
        super().__init__()
        self.network, self.objective, self.weights = network, objective, weights

    def forward(self, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        return self.objective(self.network, batch, self.weights)


def _progress(settings: TrainingSettings, images: int, seconds: float) -> float:
    """Share of the run done, from the length that was given."""
    if settings.images is not None:
        return images / settings.images
    return seconds / (60 * settings.minutes)


def _rate(settings: TrainingSettings, step: int, progress: float) -> float:
    """Linear warm-up, then a cosine to zero; or one rate throughout."""
    if settings.schedule == "constant":
        return settings.rate
    return settings.rate * min(1.0, (step + 1) / settings.warm_up) * 0.5 * (1 + math.cos(math.pi * min(progress, 1)))


@torch.no_grad()
def follow(averaged: nn.Module, network: nn.Module, keep: float) -> None:
    for slow, fast in zip(averaged.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - keep)
    for slow, fast in zip(averaged.buffers(), network.buffers(), strict=True):
        slow.copy_(fast)  # statistics of batch normalisation are averages already


def _describe(network: nn.Module, settings: TrainingSettings, accelerator: Accelerator) -> None:
    """Write ``settings.json``. Raises InputError where the folder holds a run of something else."""
    described = {
        "network": network.settings(),
        "training": asdict(settings),
        "processes": accelerator.num_processes,
        "precision": accelerator.mixed_precision,
        "device": str(accelerator.device),
    }
    text = json.dumps(described, default=str, indent=1)
    path = settings.out / "settings.json"
    if path.is_file() and (settings.out / "last.pt").is_file():
        wanted, found = json.loads(text), read_json(path)
        pairs = {"network": (wanted["network"], found["network"])} | {
            name: (wanted["training"][name], found["training"].get(name, wanted["training"][name])) for name in FIXED
        }
        if "paper" in found["training"].get("weights", {}):
            raise InputError(
                f"the run in {settings.out} was begun when α, β and λ weighed other losses than the paper's equations "
                "do; take another folder, with its last.safetensors as the start"
            )
        check_begun(settings.out, pairs)
    with replacing(path) as temporary:
        temporary.write_text(text)


def check_begun(out: Path, pairs: dict[str, tuple[object, object]]) -> None:
    """Raise InputError for settings of a run, wanted and found in its folder, that are not the same."""
    differing = [name for name, (wanted, found) in pairs.items() if wanted != found]
    if differing:
        raise InputError(
            f"expected the {' and '.join(differing)} with which the run in {out} was begun, got others; "
            "take the same, or another folder"
        )


def _resume(out: Path, network: nn.Module, averaged: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, float]:
    path = out / "last.pt"
    if not path.is_file():
        return {"step": 0, "seconds": 0.0, "best": math.inf}
    try:
        saved = torch.load(path, weights_only=True, map_location="cpu")
        network.load_state_dict(saved["network"])
        averaged.load_state_dict(saved["averaged"])
        optimizer.load_state_dict(saved["optimizer"])
    except (RuntimeError, KeyError, ValueError, pickle.UnpicklingError) as error:
        raise InputError(
            f"expected {path} to hold a run of this very network, but it does not fit; take another folder"
        ) from error
    return saved["state"]


def _save(
    out: Path, network: nn.Module, averaged: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, float]
) -> None:
    content = {
        "network": network.state_dict(),
        "averaged": averaged.state_dict(),
        "optimizer": optimizer.state_dict(),
        "state": dict(state),
    }
    with replacing(out / "last.pt") as temporary:
        torch.save(content, temporary)


def _record(out: Path, state: dict[str, float], result: dict[str, float], running: dict[str, float]) -> None:
    row = {"step": state["step"], "seconds": round(state["seconds"], 1)} | result | running
    path = out / "curve.csv"
    columns = list(row)
    if path.is_file():
        with open(path, newline="") as file:
            known = next(csv.reader(file))
        columns = known + [name for name in row if name not in known]
        if columns != known:  # a first row without losses, or a stage with other parts
            with open(path, newline="") as file:
                rows = list(csv.DictReader(file))
            with replacing(path) as temporary, open(temporary, "w", newline="") as file:
                writer = csv.DictWriter(file, columns)
                writer.writeheader()
                writer.writerows(rows)
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, columns)
        if file.tell() == 0:
            writer.writeheader()
        writer.writerow(row)
    print("  ".join(f"{name} {value:.5g}" for name, value in row.items()), flush=True)
