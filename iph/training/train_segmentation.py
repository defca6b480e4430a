"""Train the subject-segmentation network on the `train` split, prompts of every kind together.

    python -m iph.training.train_segmentation --photos DIR [DIR ...] --out runs/seg --minutes 45

It starts from the weights that find people, or from those of ``--start``. ``--resume RUN/resume.safetensors`` takes up
weights, average and time spent from that small file alone; only the optimizer begins anew.

One process, as many threads as OMP_NUM_THREADS says (else one) and one that draws samples, bfloat16 where the processor
has it; stopped and started again it goes on where it was. The schedule follows the processor minutes spent, so that it
always ends with small steps and the largest crops, however busy the machine is. Writes `OUT/segmentation.safetensors`
(fp16, the running average of the weights) and `OUT/log.csv`.
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
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor, nn

from iph.checkpoint import load_tensors
from iph.files import replacing
from iph.masks.network import PromptNet, read
from iph.runtime.precision import quick_autocast
from iph.training.segmentation_data import Photos, pack, sample

BATCH = 16
RATE = 2e-3
ONWARD = 0.15  # of the rate, for the encoder that sees the prompt: it was trained on ImageNet
UNASKED = 3  # every so many steps the subjects are asked for as well, without a prompt
DECAY = 0.02
AVERAGE = 0.998
SIZES = ((0.0, 128), (0.45, 160), (0.75, 224))  # from this share of the time on, crops of this side
SAVE_EVERY = 120  # seconds
REPORT_EVERY = 100  # steps


def losses(logits: Tensor, target: Tensor, weight: Tensor) -> dict[str, Tensor]:
    """Loss of each output. All (B, P, 3, h, w); weight 0 where the truth is not known."""
    cross = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight
    cross = cross.sum((3, 4)) / (weight.sum((3, 4)) + 1)  # (B, P, 3)
    share = weight.mean((3, 4))  # how far each map is trusted and seen
    probability = logits[:, :, 0].sigmoid()
    held = weight[:, :, 0]
    both = (probability * target[:, :, 0] * held).sum((2, 3))
    dice = 1 - (2 * both + 1) / (((probability + target[:, :, 0]) * held).sum((2, 3)) + 1)  # (B, P)
    mask = ((cross[:, :, 0] + dice) * share[:, :, 0]).sum() / (share[:, :, 0].sum() + 1e-3)
    first = share[:, 0].sum(0) + 1e-3  # people and middles are learnt without a prompt
    person = (cross[:, 0, 1] * share[:, 0, 1]).sum() / first[1]
    centre = (cross[:, 0, 2] * share[:, 0, 2]).sum() / first[2]
    return {"mask": mask, "person": person, "centre": centre}


def batch(rng: np.random.Generator, photos: Photos, size: int) -> list[Tensor]:
    samples = [sample(rng, photos, size) for _ in range(BATCH)]
    return [torch.from_numpy(np.stack([s[k] for s in samples])) for k in ("image", "prompts", "target", "weight")]


@torch.inference_mode()
def held_out_iou(network: PromptNet, photos: Photos, size: int, batches: int) -> dict[str, float]:
    """Mean IoU on simulated samples of held-out photos: of all subjects, and of what a prompt asks for."""
    rng = np.random.default_rng(0)
    found: dict[str, list[float]] = {"subjects": [], "prompted": []}
    for _ in range(batches):
        image, prompts, target, weight = batch(rng, photos, size)
        mask = network(image.float() / 255, prompts)[:, :, 0] > 0
        truth, known = target[:, :, 0] > 0.5, weight[:, :, 0] > 0
        iou = (mask & truth & known).sum((2, 3)) / ((mask | truth) & known).sum((2, 3)).clamp(min=1)
        trusted = weight[:, :, 0].amax((2, 3)) > 0.3
        found["subjects"] += iou[:, 0][trusted[:, 0]].tolist()
        found["prompted"] += iou[:, 1:][trusted[:, 1:]].tolist()
    return {name: float(np.mean(values)) for name, values in found.items()}


def export(parts: dict[str, PromptNet], path: Path, **settings: float) -> None:
    """Write fp16 weights of one network (""), or of several by the beginning of their names."""
    tensors = {
        start + name: tensor.half().contiguous()
        for start, network in parts.items()
        for name, tensor in network.state_dict().items()
        if "num_batches" not in name
    }
    told = {"network": PromptNet.__name__} | settings
    with replacing(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={"settings": json.dumps(told)}))


def begin(start: Path | str | None = None) -> PromptNet:
    """A network to be trained: with the weights that find people, the rest random; or with those of ``start``."""
    network = PromptNet()
    if start is None:
        network.people.load_state_dict(load_tensors("people")[0])
    else:
        network.load_state_dict(read(start)[0], strict=False)  # what it has not is as above
    return network.to(memory_format=torch.channels_last).train()


def take_up(path: Path, network: PromptNet, average: PromptNet) -> tuple[int, float]:
    """Weights and average from a small resume file. Returns step and seconds spent."""
    tensors, told = read(path)
    for start, part in (("network.", network), ("average.", average)):
        own = {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
        part.load_state_dict(own, strict=False)  # strict but for batch counts, not stored
    return int(told["step"]), float(told["spent"])


def groups(network: PromptNet) -> list[dict]:
    """What is trained, with the share of the rate that each takes.

    Depthwise filters of the encoder that sees the prompt stay as they are: their gradients alone take a quarter of a
    step (oneDNN, bfloat16).
    """
    for block in network.prompted.blocks:
        block.deep.requires_grad_(False)
    parts = {True: [], False: []}
    for name, part in network.named_parameters():
        if part.requires_grad:
            parts[name.startswith(("prompted.stem", "prompted.blocks"))].append(part)
    return [{"params": parts[False], "share": 1.0}, {"params": parts[True], "share": ONWARD}]


def average_into(average: PromptNet, network: PromptNet, step: int) -> None:
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
) -> Path:
    """Train until `minutes` of processor time have been spent, over however many runs. Returns the weights' path."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
    cv2.setNumThreads(1)
    packed = out / "photos.npz"
    if not packed.exists():
        pack(folders, packed)
    seen, aside = Photos(packed, held_out=False), Photos(packed, held_out=True)
    torch.manual_seed(seed)
    network = begin(start)
    average = copy.deepcopy(network).eval()
    optimizer = torch.optim.AdamW(groups(network), rate, weight_decay=DECAY)
    checkpoint, step, spent = out / "checkpoint.pt", 0, 0.0
    if checkpoint.exists():
        step, spent = read_run(checkpoint, network, average, optimizer)
    elif resume is not None:
        step, spent = take_up(resume, network, average)
    rng = np.random.default_rng([seed, step])
    budget, before, saved = minutes * 60, time.process_time(), spent
    sums: dict[str, float] = {}
    drawing = ThreadPoolExecutor(1)  # beside the step, which leaves Python alone
    drawn = drawing.submit(batch, rng, seen, _side(spent / budget))
    while spent < budget:
        share = spent / budget
        now_rate = rate * min(1, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * share))
        for group in optimizer.param_groups:
            group["lr"] = now_rate * group["share"]
        image, *maps = drawn.result()
        drawn = drawing.submit(batch, rng, seen, _side(share))
        prompts, target, weight = maps if step % UNASKED == 0 else (part[:, 1:] for part in maps)
        image = (image.float() / 255).contiguous(memory_format=torch.channels_last)
        with quick_autocast("cpu"):
            logits = network(image, prompts)
        parts = losses(logits.float(), target, weight)
        optimizer.zero_grad(set_to_none=True)
        (parts["mask"] + 0.5 * parts["person"] + parts["centre"]).backward()
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
            export({"": average}, out / "segmentation.safetensors")
            export({"network.": network, "average.": average}, out / "resume.safetensors", step=step, spent=spent)
            saved = spent
    drawing.shutdown()
    if len(aside.chosen):
        print(f"{step} steps; held-out IoU: {held_out_iou(average, aside, SIZES[-1][1], batches=4)}", flush=True)
    return out / "segmentation.safetensors"


def _side(share: float) -> int:
    """The side of crops once that share of the time is spent."""
    return [side for start, side in SIZES if share >= start][-1]


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
    parser.add_argument("--out", type=Path, default=Path("runs/seg"), help="where checkpoint, log and weights go")
    parser.add_argument("--minutes", type=float, default=45, help="processor time, over all runs together")
    parser.add_argument("--resume", type=Path, help="a resume.safetensors of a run whose folder is not here")
    parser.add_argument("--start", help="weights of this network to begin from, with a schedule of the run's own")
    parser.add_argument("--rate", type=float, default=RATE, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    train(args.photos, args.out, args.minutes, args.seed, args.resume, args.start, args.rate)


if __name__ == "__main__":
    main()
