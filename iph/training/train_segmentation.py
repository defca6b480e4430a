"""Train one of the two networks that take prompts on the `train` split, prompts of every kind together.

    python -m iph.training.train_segmentation --photos DIR [DIR ...] --out runs/seg --minutes 45
    python -m iph.training.train_segmentation --network prompted-people --photos DIR [DIR ...] --out runs/people

Either starts from the weights that find people, or from those of ``--start``. ``--resume RUN/resume.safetensors`` takes
up weights, average and time spent from that small file alone; only the optimizer begins anew.

One process, as many threads as OMP_NUM_THREADS says (else one) and one that draws samples, bfloat16 where the processor
has it; stopped and started again it goes on where it was. The schedule follows the processor minutes spent, so that it
always ends with small steps and the largest crops, however busy the machine is. Writes the network's `.safetensors`
(fp16, the running average of the weights) and `log.csv` to OUT.
"""

import argparse
import copy
import csv
import json
import math
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor, nn

from iph.checkpoint import load_tensors
from iph.errors import InputError
from iph.files import replacing
from iph.masks.network import PromptNet, read
from iph.masks.prompted_people import PromptedPeople
from iph.runtime.precision import quick_autocast
from iph.training.segmentation_data import Photos, pack, sample, trained_on

BATCH = 16
RATE = 2e-3
UNASKED = 3  # every so many steps the subjects are asked for as well, without a prompt
DECAY = 0.02
AVERAGE = 0.998
SAVE_EVERY = 120  # seconds
REPORT_EVERY = 100  # steps
COUNTS = {"mask": 1.0, "person": 0.5, "centre": 1.0}  # how much each loss does


@dataclass(frozen=True)
class Plan:
    """How a network is trained.

    ``onward``: names of what begins trained, and its share of the rate. ``sizes``: from a share of the time on, crops
    of a side. ``people_only``: it is asked for people alone, and never without a prompt.
    """

    network: type[PromptNet] | type[PromptedPeople]
    onward: tuple[str, ...]
    share: float
    sizes: tuple[tuple[float, int], ...]
    people_only: bool

    def side(self, spent: float) -> int:
        """The side of crops once that share of the time is spent."""
        return [side for start, side in self.sizes if spent >= start][-1]


PLANS = {
    "segmentation": Plan(PromptNet, ("prompted.stem", "prompted.blocks"), 0.3, ((0.0, 160), (0.4, 224)), False),
    "prompted-people": Plan(PromptedPeople, PromptedPeople.BEFORE, 0.25, ((0.0, 192), (0.6, 256)), True),
}


def losses(logits: Tensor, target: Tensor, weight: Tensor) -> dict[str, Tensor]:
    """Loss of each output. All (B, P, 3, h, w), or 1 for the mask alone; weight 0 where the truth is not known."""
    cross = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight
    cross = cross.sum((3, 4)) / (weight.sum((3, 4)) + 1)  # (B, P, 3)
    share = weight.mean((3, 4))  # how far each map is trusted and seen
    probability = logits[:, :, 0].sigmoid()
    held = weight[:, :, 0]
    both = (probability * target[:, :, 0] * held).sum((2, 3))
    dice = 1 - (2 * both + 1) / (((probability + target[:, :, 0]) * held).sum((2, 3)) + 1)  # (B, P)
    parts = [((cross[:, :, 0] + dice) * share[:, :, 0]).sum() / (share[:, :, 0].sum() + 1e-3)]
    # People and middles are the same whatever is asked for: learnt by the first prompt.
    parts += ((cross[:, 0] * share[:, 0]).sum(0) / (share[:, 0].sum(0) + 1e-3))[1:].unbind()
    return dict(zip(COUNTS, parts, strict=False))


def batch(rng: np.random.Generator, photos: Photos, size: int, people_only: bool = False) -> list[Tensor]:
    samples = [sample(rng, photos, size, people_only) for _ in range(BATCH)]
    return [torch.from_numpy(np.stack([s[k] for s in samples])) for k in ("image", "prompts", "target", "weight")]


@torch.inference_mode()
def held_out_iou(network: nn.Module, photos: Photos, plan: Plan, batches: int) -> dict[str, float]:
    """Mean IoU on simulated samples of held-out photos: of what a prompt asks for, and without one, of all subjects."""
    rng = np.random.default_rng(0)
    found: dict[str, list[float]] = {"prompted": []} if plan.people_only else {"prompted": [], "subjects": []}
    for _ in range(batches):
        image, prompts, target, weight = batch(rng, photos, plan.sizes[-1][1], plan.people_only)
        mask = network(image.float() / 255, prompts)[:, :, 0] > 0
        truth, known = target[:, :, 0] > 0.5, weight[:, :, 0] > 0
        iou = (mask & truth & known).sum((2, 3)) / ((mask | truth) & known).sum((2, 3)).clamp(min=1)
        trusted = weight[:, :, 0].amax((2, 3)) > 0.3
        for name, which in (("subjects", slice(0, 1)), ("prompted", slice(1, None))):
            if name in found:
                found[name] += iou[:, which][trusted[:, which]].tolist()
    return {name: float(np.mean(values)) for name, values in found.items()}


def export(parts: dict[str, nn.Module], path: Path, **settings: float) -> None:
    """Write fp16 weights of one network (""), or of several of a kind by the beginning of their names."""
    tensors = {
        start + name: tensor.half().contiguous()
        for start, network in parts.items()
        for name, tensor in network.state_dict().items()
        if "num_batches" not in name
    }
    told = {"network": type(next(iter(parts.values()))).__name__} | settings
    with replacing(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={"settings": json.dumps(told)}))


def begin(kind: type[nn.Module], start: Path | str | None = None) -> nn.Module:
    """A network to be trained: with the weights that find people, the rest random; or with those of ``start``."""
    network = kind()
    if start is None:
        finding = network.people if kind is PromptNet else network
        finding.load_state_dict(finding.state_dict() | load_tensors("people")[0])  # what is added is as it is
    else:
        network.load_state_dict(read(start, kind)[0], strict=False)  # what it has not is as above
    return network.to(memory_format=torch.channels_last).train()


def take_up(path: Path, network: nn.Module, average: nn.Module) -> tuple[int, float]:
    """Weights and average from a small resume file. Returns step and seconds spent."""
    tensors, told = read(path, type(network))
    for start, part in (("network.", network), ("average.", average)):
        own = {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
        part.load_state_dict(own, strict=False)  # strict but for batch counts, not stored
    return int(told["step"]), float(told["spent"])


def groups(network: nn.Module, plan: Plan) -> list[dict]:
    """What is trained, with the share of the rate that each takes.

    Depthwise filters of the encoder that sees the prompt stay as they are: their gradients alone take a quarter of a
    step (oneDNN, bfloat16).
    """
    if isinstance(network, PromptNet):
        for block in network.prompted.blocks:
            block.deep.requires_grad_(False)
    parts = {True: [], False: []}
    for name, part in network.named_parameters():
        if part.requires_grad:
            parts[name.startswith(plan.onward)].append(part)
    return [{"params": parts[False], "share": 1.0}, {"params": parts[True], "share": plan.share}]


def average_into(average: nn.Module, network: nn.Module, step: int) -> None:
    keep = min(AVERAGE, (1 + step) / (10 + step))
    for mean, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(new, 1 - keep)


def train(
    folders: Sequence[Path],
    out: Path,
    minutes: float,
    seed: int = 0,
    resume: Path | None = None,
    start: Path | str | None = None,
    rate: float = RATE,
    kind: str = "segmentation",
) -> Path:
    """Train one of ``PLANS`` by its name until `minutes` of processor time have been spent, over however many runs.

    Returns the weights' path.
    """
    plan, weights = PLANS[kind], out / f"{kind}.safetensors"
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
    cv2.setNumThreads(1)
    packed = out / "photos.npz"
    if not packed.exists():
        pack(folders, packed)
    seen, aside = Photos(packed, held_out=False), Photos(packed, held_out=True)
    if seen.names != trained_on(folders)["id"].tolist():
        raise InputError(f"{packed} holds other photos than {', '.join(map(str, folders))}: delete it")
    if plan.people_only and not seen.with_people:
        raise InputError(f"expected photos of people to train on in {', '.join(map(str, folders))}, found none")
    torch.manual_seed(seed)
    network = begin(plan.network, start)
    average = copy.deepcopy(network).eval()
    optimizer = torch.optim.AdamW(groups(network, plan), rate, weight_decay=DECAY)
    checkpoint, step, spent = out / "checkpoint.pt", 0, 0.0
    if checkpoint.exists():
        step, spent = read_run(checkpoint, network, average, optimizer)
    elif resume is not None:
        step, spent = take_up(resume, network, average)
    rng = np.random.default_rng([seed, step])
    budget, before, saved = minutes * 60, time.process_time(), spent
    sums: dict[str, float] = {}
    drawing = ThreadPoolExecutor(1)  # beside the step, which leaves Python alone
    drawn = drawing.submit(batch, rng, seen, plan.side(spent / budget), plan.people_only)
    while spent < budget:
        share = spent / budget
        now_rate = rate * min(1, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * share))
        for group in optimizer.param_groups:
            group["lr"] = now_rate * group["share"]
        image, *maps = drawn.result()
        drawn = drawing.submit(batch, rng, seen, plan.side(share), plan.people_only)
        unasked = not plan.people_only and step % UNASKED == 0
        prompts, target, weight = maps if unasked else (part[:, 1:] for part in maps)
        image = (image.float() / 255).contiguous(memory_format=torch.channels_last)
        with quick_autocast("cpu"):
            logits = network(image, prompts)
        parts = losses(logits.float(), *(part[:, :, : logits.shape[2]] for part in (target, weight)))
        optimizer.zero_grad(set_to_none=True)
        sum(COUNTS[name] * part for name, part in parts.items()).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimizer.step()
        step += 1
        average_into(average, network, step)
        for name, part in parts.items():
            sums[name] = sums.get(name, 0.0) + part.item()
        now = time.process_time()
        spent, before = spent + now - before, now
        if step % REPORT_EVERY == 0:
            row = {"step": step, "seconds": round(spent), "size": image.shape[-1], "rate": f"{now_rate:.2e}"}
            append_row(out / "log.csv", row | {name: f"{v / REPORT_EVERY:.4f}" for name, v in sums.items()})
            sums = {}
        if spent - saved > SAVE_EVERY or spent >= budget:
            write_run(checkpoint, network, average, optimizer, step, spent)
            export({"": average}, weights)
            export({"network.": network, "average.": average}, out / "resume.safetensors", step=step, spent=spent)
            saved = spent
    drawing.shutdown()
    if aside.with_people if plan.people_only else len(aside.chosen):
        print(f"{step} steps; held-out IoU: {held_out_iou(average, aside, plan, batches=4)}", flush=True)
    return weights


def write_run(
    path: Path, network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, step: int, spent: float
) -> None:
    """Everything there is of a run, whole or not at all; ``spent`` seconds."""
    state = {"network": network.state_dict(), "average": average.state_dict()}
    state |= {"optimizer": optimizer.state_dict(), "step": step, "spent": spent}
    torch.save(state, path.with_suffix(".part"))
    os.replace(path.with_suffix(".part"), path)


def read_run(path: Path, network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, float]:
    """Load what ``write_run`` wrote; returns step and seconds spent."""
    state = torch.load(path, weights_only=True)
    for name, part in (("network", network), ("average", average), ("optimizer", optimizer)):
        part.load_state_dict(state[name])
    return state["step"], state["spent"]


def append_row(path: Path, row: dict) -> None:
    """A row of a run's log, printed as well; its heading first in a new file."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)
    print(row, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--photos", type=Path, nargs="+", required=True, help="folders: index.csv, split.csv, images/, masks/"
    )
    parser.add_argument(
        "--out", type=Path, help="where checkpoint, log and weights go [default: runs/ and the network's name]"
    )
    parser.add_argument("--minutes", type=float, default=45, help="processor time, over all runs together")
    parser.add_argument("--network", choices=PLANS, default="segmentation", help="which network is trained")
    parser.add_argument("--resume", type=Path, help="a resume.safetensors of a run whose folder is not here")
    parser.add_argument("--start", help="weights of that network to begin from, with a schedule of the run's own")
    parser.add_argument("--rate", type=float, default=RATE, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    out = args.out or Path("runs") / args.network
    try:
        train(args.photos, out, args.minutes, args.seed, args.resume, args.start, args.rate, args.network)
    except InputError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
