"""Validation on photos held out of the training split: the same seeded composites at every check."""

import zlib
from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from iph.data.manifest_samples import Composites, sampler_of
from iph.data.pack import PackedPhotos
from iph.data.samples import SampleRules
from iph.errors import InputError
from iph.training.objective import Batch, Objective, ObjectiveWeights, objective

Photos = TypeVar("Photos", PackedPhotos, Composites)
HELD_OUT = 0.05  # share of the training photos


def hold_out(photos: Photos) -> tuple[Photos, Photos]:
    """(training, validation) photos. A photo's id alone decides, so the split outlives additions to the folder.

    InputError where one of the two would be empty.
    """
    chance = np.array([zlib.crc32(name.encode()) / 2**32 for name in photos.ids])
    training, held_out = np.nonzero(chance >= HELD_OUT)[0], np.nonzero(chance < HELD_OUT)[0]
    if not len(training) or not len(held_out):
        raise InputError(f"expected enough photos to hold one in twenty out for validation, got {len(photos)}")
    return photos.subset(training), photos.subset(held_out)


def validation_batch(photos: PackedPhotos | Composites, rules: SampleRules, count: int) -> Batch:
    """``count`` composites of instances, no change of the whole photo, as one stacked batch on the CPU."""
    plain = replace(rules, whole_look=0.0, arbitrary=0.0, unchanged=0.0, unpaired=0.0, strength=(1.0, 1.0))
    sampler = sampler_of(photos, plain)
    return stack([sampler.draw((7, number)) for number in range(count)])


def objective_batch(photos: PackedPhotos | Composites, rules: SampleRules, count: int) -> Batch:
    """``count`` samples as training draws them, people pasted from other photos included."""
    sampler = sampler_of(photos, rules)
    return stack([sampler.draw((8, number)) for number in range(count)])


def stack(samples: list[dict[str, np.ndarray]]) -> Batch:
    """Samples as tensors with a batch axis in front."""
    return {name: torch.from_numpy(np.stack([sample[name] for sample in samples])) for name in samples[0]}


@torch.no_grad()
def validate(network: nn.Module, batch: Batch, device: torch.device, chunk: int = 64) -> dict[str, float]:
    """Mean foreground MSE (images in [0, 1]) of composite and result, right reference and another photo's.

    Returns ``composite``, ``harmonized``, ``wrong reference`` and ``ratio`` (harmonized over composite).
    """
    network.eval()
    errors: dict[str, list[np.ndarray]] = {"composite": [], "harmonized": [], "wrong reference": []}
    total = len(batch["composite"])
    for start in range(0, total, chunk):
        part = {name: value[start : start + chunk].to(device) for name, value in batch.items()}
        other = torch.arange(start + 1, start + 1 + len(part["composite"])) % total
        wrong = {name: batch[name][other].to(device) for name in ("reference_image", "reference")}
        frame, mask = part["composite"], part["foreground"]
        right_result = network(frame, mask, part["reference_image"], part["reference"])
        wrong_result = network(frame, mask, wrong["reference_image"], wrong["reference"])
        for name, result in (("composite", frame), ("harmonized", right_result), ("wrong reference", wrong_result)):
            errors[name].append(_foreground_mse(result, part["target"], mask))
    network.train()
    means = {name: float(np.concatenate(values).mean()) for name, values in errors.items()}
    return means | {"ratio": means["harmonized"] / means["composite"]}


@torch.no_grad()
def mean_objective(
    network: nn.Module,
    batch: Batch,
    weights: ObjectiveWeights,
    device: torch.device,
    objective: Objective = objective,
    chunk: int = 64,
) -> float:
    """The training loss on held-out samples: what the best weights of a run are chosen by."""
    network.eval()
    total = len(batch["composite"])
    summed = 0.0
    for start in range(0, total, chunk):
        part = {name: value[start : start + chunk].to(device) for name, value in batch.items()}
        summed += float(objective(network, part, weights)[0]) * len(part["composite"])
    network.train()
    return summed / total


def _foreground_mse(result: torch.Tensor, target: torch.Tensor, mask: torch.Tensor) -> np.ndarray:
    squared = (result.clamp(0, 1) - target).square().mean(1, keepdim=True)
    return ((squared * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp_min(1)).cpu().numpy()
