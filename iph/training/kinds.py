"""Trains the reading of kinds: which of skin, the rest of a person, and anything else a cell of the encoder shows.

    python -m iph.training.kinds --photos PHOTOS [--photos MORE] --out runs/kinds.safetensors

A multinomial logistic regression on the encoder's features, three times 152 weights. People are known by their masks;
skin among them by the colour of the unchanged photo (Chai and Ngan 1999), while the encoder sees its colours changed,
so that what is learnt is not the colour. ``iph.match.closed_form`` asks whether two cells may exchange their colours.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional as F

from iph.data.augment import random_look
from iph.data.pack import PackedPhotos, pack_for_runs
from iph.errors import InputError
from iph.files import replacing
from iph.semantics import encoder, grid

KINDS = ("skin", "rest of a person", "anything else")
CELLS = 16
SIDE = 192
SURE = 0.7  # share of a cell that one kind covers at least, to be learnt from
SKIN_CR, SKIN_CB = (133, 173), (77, 127)
WEIGHT_DECAY = 1e-4
PHOTOS_AT_ONCE = 24


def skin_pixels(image: np.ndarray) -> np.ndarray:
    """Pixels of the colour of skin in everyday light, (H, W) bool, of (H, W, 3) uint8 (Chai and Ngan 1999)."""
    _, cr, cb = cv2.split(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2YCrCb))
    return (cr >= SKIN_CR[0]) & (cr <= SKIN_CR[1]) & (cb >= SKIN_CB[0]) & (cb <= SKIN_CB[1])


def person_pixels(photos: PackedPhotos, number: int) -> np.ndarray:
    """All people of a packed photo, (S, S) bool."""
    bits = sum(1 << k for k, person in enumerate(photos.persons[number]) if person)
    return (photos.instances[number] & bits) > 0


def examples(photos: PackedPhotos, numbers: Sequence[int], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Features (K, 152) and kinds (K,) of the cells that one kind covers."""
    features, kinds = [], []
    for start in range(0, len(numbers), PHOTOS_AT_ONCE):
        seen, shares = [], []
        for number in numbers[start : start + PHOTOS_AT_ONCE]:
            image, person = photos.images[number], person_pixels(photos, number)
            skin = skin_pixels(image) & person
            layers = np.stack([skin, person & ~skin, ~person]).astype(np.float32)  # (3, S, S)
            shares.append(F.adaptive_avg_pool2d(torch.from_numpy(layers), CELLS).flatten(1))
            look = random_look(rng, strength=rng.uniform(0, 1))
            changed = look.apply(cv2.resize(image, (SIDE, SIDE)).astype(np.float32) / 255)
            seen.append(torch.from_numpy(changed.transpose(2, 0, 1).copy()))
        cells = grid(encoder()(torch.stack(seen)), CELLS).flatten(2)  # (B, 152, N)
        most, kind = torch.stack(shares).max(1)  # (B, 3, N) -> (B, N)
        sure = most >= SURE
        features.append(cells.transpose(1, 2)[sure])
        kinds.append(kind[sure])
    return torch.cat(features), torch.cat(kinds)


def fit(features: Tensor, kinds: Tensor) -> dict[str, Tensor]:
    """Weights (3, 152) and bias (3,) of the regression; every kind counts the same."""
    mean, deviation = features.mean(0), features.std(0)
    layer = torch.nn.Linear(features.shape[1], len(KINDS))
    counts = torch.bincount(kinds, minlength=len(KINDS)).float()
    if not counts.all():
        raise InputError(f"expected cells of every kind ({', '.join(KINDS)}), got {counts.int().tolist()} of them")
    normed = (features - mean) / deviation
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(layer(normed), kinds, counts.sum() / counts)
        value = value + WEIGHT_DECAY * layer.weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    weight = layer.weight.detach() / deviation
    return {"weight": weight, "bias": layer.bias.detach() - weight @ mean}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, action="append", required=True, help="a folder of photos with masks")
    parser.add_argument("--count", type=int, default=1200, help="photos with people to take out of each folder")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    try:
        found = []
        for folder in args.photos:
            photos = pack_for_runs(folder, 128, args.out)
            people = [n for n, flags in enumerate(photos.persons) if any(flags)]
            chosen = rng.choice(people, min(args.count, len(people)), replace=False)
            found.append(examples(photos, chosen.tolist(), rng))
        features, kinds = (torch.cat(parts) for parts in zip(*found, strict=True))
        kept_back = torch.arange(len(kinds)) >= len(kinds) * 9 // 10  # the last photos: one at most is on both sides
        tensors = fit(features[~kept_back], kinds[~kept_back])
        guessed = (features[kept_back] @ tensors["weight"].T + tensors["bias"]).argmax(1)
        for number, name in enumerate(KINDS):
            right = (guessed == number)[kinds[kept_back] == number].float().mean()
            print(f"{name}: {right:.1%} of held-out cells")
        with replacing(args.out) as temporary:
            temporary.write_bytes(save({name: value.contiguous() for name, value in tensors.items()}))
    except InputError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
