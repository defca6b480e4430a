"""Measure how near a person pasted from another photo comes to the look of the person beside: no truth is known there.

    python -m iph.training.evaluate_pairs --photos DIR

The pairs are seeded ones of the `test` split, half of them with a look of the appendix on the pasted person. The
distance is that of training (``iph.losses.look_matching_loss``): the mean over the channels of the differences of 10th
percentile, mean and 90th percentile.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from iph import losses
from iph.checkpoint import load_harmonizer
from iph.data.pack import PackedPhotos, pack, packed_side
from iph.data.samples import Sampler, SampleRules
from iph.errors import InputError
from iph.network import Config
from iph.training.validate import stack

PAIRS = 256
SIZE = Config.size  # that of the networks that ship


@torch.inference_mode()
def look_distances(photos: PackedPhotos, models: Sequence[str | Path], pairs: int = PAIRS) -> dict[str, float]:
    """The mean distance of ``composite`` and of each model's answer; InputError for a model that cannot be loaded."""
    sampler = Sampler(photos, SampleRules(size=SIZE, unpaired=1.0))
    batch = stack([sampler.draw((9, number)) for number in range(pairs)])
    seen = [batch[name] for name in ("composite", "foreground", "reference_image", "reference")]
    answers = {"composite": batch["composite"]} | {str(model): load_harmonizer(model)(*seen) for model in models}
    return {name: float(losses.look_matching_loss(answer.clamp(0, 1), *seen[1:])) for name, answer in answers.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, help="folder with index.csv, split.csv, images/, masks/")
    parser.add_argument("--model", nargs="+", default=["small", "small-portrait"], help="shipped names or .safetensors")
    args = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as cache:
            found = look_distances(pack(args.photos, "test", packed_side(SIZE), cache), args.model)
    except InputError as error:
        parser.error(str(error))
    for name, distance in found.items():
        print(f"{name}: {distance:.3f}")


if __name__ == "__main__":
    main()
