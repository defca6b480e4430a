"""Go on training the selfie segmenter on photos whose people are marked by hand.

    python -m iph.training.people.train --portraits MORE --photos PHOTOS --out runs/people --minutes 30

It starts from MediaPipe's weights; the mean of the weights over time is taken, and of the way from the first weights to
that mean a share (WiSE-FT, Wortsman et al. 2022): who stands far off is learnt early on that way, and portraits of
another kind are forgotten late. One thread, float32 (bfloat16 is slower here). Stopped and started again it goes on
where it was; the schedule follows the processor minutes spent. Writes ``OUT/people.safetensors`` (float16) and
``OUT/log.csv``.
"""

import argparse
import copy
import math
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor

from iph.checkpoint import load_tensors
from iph.errors import InputError
from iph.files import replacing
from iph.masks.selfie import SelfieNet
from iph.training.people.samples import Marked, load, sample
from iph.training.train_segmentation import append_row, read_run, write_run

BATCH = 16
RATE = 4e-4
DECAY = 1e-3
AVERAGE = 0.998
SHARE = 0.2
SAVE_EVERY = 60  # seconds
REPORT_EVERY = 50  # steps


def loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy and soft Dice, both (B, 1, H, W)."""
    cross = F.binary_cross_entropy_with_logits(logits, truth)
    found = logits.sigmoid()
    both = (found * truth).sum((1, 2, 3))
    dice = 1 - (2 * both + 1) / (found.sum((1, 2, 3)) + truth.sum((1, 2, 3)) + 1)
    return cross + 0.5 * dice.mean()


def train(portraits: list[Marked], photos: list[Marked], out: Path, minutes: float, seed: int = 0) -> Path:
    """Train until so many minutes of processor time are spent, over however many runs. Returns the weights' path."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    out.mkdir(parents=True, exist_ok=True)
    network = SelfieNet().to(memory_format=torch.channels_last)
    network.load_state_dict(load_tensors("selfie")[0])
    average = copy.deepcopy(network)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    checkpoint, step, spent = out / "checkpoint.pt", 0, 0.0
    if checkpoint.exists():
        step, spent = read_run(checkpoint, network, average, optimizer)
    rng = np.random.default_rng([seed, step])
    budget, before, saved, total = minutes * 60, time.process_time(), spent, 0.0
    while spent < budget:
        rate = RATE * min(1, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * spent / budget))
        for group in optimizer.param_groups:
            group["lr"] = rate
        pictures, truth = zip(*(sample(rng, portraits, photos) for _ in range(BATCH)), strict=True)
        seen = torch.from_numpy(np.stack(pictures)).float() / 255
        wrong = loss(network(seen.contiguous(memory_format=torch.channels_last)), torch.from_numpy(np.stack(truth)))
        optimizer.zero_grad(set_to_none=True)
        wrong.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step, total = step + 1, total + wrong.item()
        keep = min(AVERAGE, (1 + step) / (10 + step))
        for mean, new in zip(average.parameters(), network.parameters(), strict=True):
            mean.data.lerp_(new.data, 1 - keep)
        now = time.process_time()
        spent, before = spent + now - before, now
        if step % REPORT_EVERY == 0:
            append_row(out / "log.csv", {"step": step, "seconds": round(spent), "loss": f"{total / REPORT_EVERY:.4f}"})
            total = 0.0
        if spent - saved > SAVE_EVERY or spent >= budget:
            write_run(checkpoint, network, average, optimizer, step, spent)
            export(average, out / "people.safetensors")
            saved = spent
    return out / "people.safetensors"


def export(network: SelfieNet, path: Path) -> None:
    """Write the weights ``SHARE`` of the way to those of a network, as float16."""
    start, end = load_tensors("selfie")[0], network.state_dict()
    tensors = {name: value.lerp(end[name], SHARE).half().contiguous() for name, value in start.items()}
    with replacing(path) as temporary:
        temporary.write_bytes(save(tensors))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--portraits", type=Path, required=True, help="folder with portraits, and photos with several")
    parser.add_argument("--photos", type=Path, required=True, help="folder with photos of people and things")
    parser.add_argument("--out", type=Path, default=Path("runs/people"), help="where checkpoint, log and weights go")
    parser.add_argument("--minutes", type=float, default=30, help="processor time, over all runs together")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    try:
        photos = load(args.photos, portraits=False) + load(args.portraits, portraits=False)
        train(load(args.portraits, portraits=True), photos, args.out, args.minutes, args.seed)
    except InputError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
