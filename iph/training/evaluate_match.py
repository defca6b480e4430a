"""Judges the network that starts from the semantic match, on test photos that nothing is trained on.

    python -m iph.training.evaluate_match --photos PHOTOS [--weights RUN/average.safetensors] [--peer PEER/…]
        [--out report.json]

Five parts. Recoloured: foreground MSE over the composite's, people and anything, with the right and with another
sample's reference. Kept back: the same under changes of light that training never draws. Belief: ``Belief-Open``, the
error over that with the whole background as reference, and how far skin's hue lies from the truth's. Pasted: people
beside people of other photos, where nobody knows the truth: distance to the attended reference, of all cells and of
those whose colour may be believed, structure, local contrast, clipped pixels, skin's hue. Drift: what becomes of photos
that needed nothing, told that the foreground belongs there and that it was pasted.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from iph.checkpoint import load_network
from iph.data.augment import Look
from iph.data.match_samples import MatchRules, MatchSampler
from iph.data.pack import PackedPhotos, pack
from iph.data.samples import SampleRules
from iph.errors import InputError
from iph.files import replacing
from iph.match.closed_form import cell_colors, match, matched_frame, see
from iph.match.lab import rgb_to_lab
from iph.match.network import load_match_network
from iph.match.tone import percentiles
from iph.training.belief import BASELINE, belief_samples
from iph.training.kinds import skin_pixels
from iph.training.validate import stack

Batch = dict[str, Tensor]
Method = Callable[[Batch], Tensor]
"""A batch with ``composite``, ``foreground``, ``reference_image``, ``reference_photo``, ``reference``, ``photo``,
``scene`` and ``pasted`` to the harmonized frame (B, 3, S, S)."""

SIZE = 128
COUNT, PASTED_COUNT = 256, 128
CHUNK = 32
WINDOW = 7  # pixels, side of the square of local contrast
SAME_DYE = 8.0  # a* and b*: a cell that should come so near to what it attends to can be held against it
PLAIN = SampleRules(
    size=SIZE, whole_look=0.0, unchanged=0.0, arbitrary=0.0, strength=(1.0, 1.0), crop=(0.9, 1.0)
)  # single changes of typical strength
ONE_CHANGE = MatchRules(
    base=PLAIN,
    pasted=0.0,
    transfer=0.0,
    several=0.0,
    light=0.0,
    together=0.0,
    pairs=0.0,
    unlike=0.0,
    inexact=0.0,
    changed_guest=0.0,
    margin=None,
)


def batches(folder: Path, photos: PackedPhotos) -> dict[str, Batch]:
    """The seeded test samples by name: ``people``, ``anything``, ``kept back`` and ``pasted``."""
    people = MatchSampler(photos, replace(ONE_CHANGE, people=1.0, base=replace(PLAIN, stage=3)))
    anything = MatchSampler(photos, replace(ONE_CHANGE, people=0.0))
    kept = _KeptBack(photos, replace(ONE_CHANGE, people=0.5))
    samplers = {"people": people, "anything": anything, "kept back": kept}
    return {name: _drawn(sampler, COUNT) for name, sampler in samplers.items()} | {"pasted": pasted_pairs(photos)}


def pasted_pairs(photos: PackedPhotos, size: int = SIZE, count: int = PASTED_COUNT) -> Batch:
    """People beside people of other photos: the same ``count`` of the same photos every time."""
    return _drawn(MatchSampler(photos, replace(ONE_CHANGE, pasted=1.0, base=replace(PLAIN, size=size))), count)


def _drawn(sampler: MatchSampler, count: int) -> Batch:
    return stack([sampler.draw((7, number)) for number in range(count)])


class _KeptBack(MatchSampler):
    """Changes that training never draws: split toning, a colour for the shadows and another for the highlights."""

    def _recoloured(self, rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
        dark, bright = rng.normal(0, 14, (2, 2)).astype(np.float32)
        lift, slope = np.float32(rng.normal(0, 8)), np.float32(np.exp(rng.normal(0, 0.25)))

        def change(picture: np.ndarray) -> np.ndarray:
            lab = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2LAB)
            light = lab[..., :1] / 100
            lab[..., 1:] += dark * (1 - light) + bright * light
            lab[..., 0] = 50 + slope * (lab[..., 0] - 50) + lift
            return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)

        return Look("split toning", change).apply(image)


def run(method: Method, batch: Batch, other: Tensor | None = None, pasted: float = 0.0) -> Tensor:
    """The method's frames; ``other`` (B,) takes the reference from these samples' photos instead of the own one."""
    results = []
    for start in range(0, len(batch["composite"]), CHUNK):
        part = {name: value[start : start + CHUNK] for name, value in batch.items()}
        if other is not None:
            names = ("reference_image", "reference_photo", "reference")
            part |= {name: batch[name][other[start : start + CHUNK]] for name in names}
            part["scene"] = torch.ones_like(part["scene"])
        part["pasted"] = torch.full((len(part["composite"]),), pasted)
        with torch.inference_mode():
            results.append(method(part).clamp(0, 1))
    return torch.cat(results)


def foreground_errors(result: Tensor, batch: Batch) -> Tensor:
    """Each sample's mean squared error over the foreground, (B,)."""
    squared = (result - batch["target"]).square().mean(1, keepdim=True) * batch["foreground"]
    return squared.sum((1, 2, 3)) / batch["foreground"].sum((1, 2, 3)).clamp_min(1)


def recoloured(method: Method, batch: Batch) -> tuple[float, float]:
    """Mean foreground MSE over the composite's, with the right and with the next sample's reference."""
    before = foreground_errors(batch["composite"], batch).mean()
    other = (torch.arange(len(batch["composite"])) + 1) % len(batch["composite"])
    right, wrong = run(method, batch), run(method, batch, other)
    return tuple(float(foreground_errors(result, batch).mean() / before) for result in (right, wrong))


def drift(method: Method, batch: Batch, pasted: float = 0.0) -> float:
    """Foreground MSE, 0 to 255 scale, of what a method makes of the photos as they were: they needed nothing."""
    seen = torch.nn.functional.interpolate(batch["target"], batch["photo"].shape[-2:], mode="bilinear")
    true = batch | {"composite": batch["target"], "photo": seen}
    true |= {"reference_image": batch["target"], "reference_photo": seen}
    return float(foreground_errors(run(method, true, pasted=pasted), true).mean()) * 255**2


def hue_error(result: Tensor, truth: Tensor, skin: Tensor) -> Tensor:
    """Degrees between the mean a*, b* of skin in two pictures, (B,); NaN where there is no skin."""
    first, second = ((rgb_to_lab(image)[:, 1:] * skin).sum((2, 3)) for image in (result, truth))  # (B, 2)
    angle = torch.atan2(first[:, 1], first[:, 0]) - torch.atan2(second[:, 1], second[:, 0])
    degrees = torch.rad2deg(torch.atan2(angle.sin(), angle.cos())).abs()
    return torch.where(skin.sum((1, 2, 3)) >= 40, degrees, torch.nan)


def believing(method: Method, batch: Batch, kinds: list[str]) -> dict[str, float]:
    """Belief-Open: MSE over the composite's, right and over that with the background, and degrees of skin's hue."""
    result = run(method, batch)
    errors, hues = foreground_errors(result, batch), hue_error(result, batch["target"], batch["skin"])
    before = foreground_errors(batch["composite"], batch)
    baseline = torch.tensor([kind == BASELINE for kind in kinds])
    place = torch.cumsum(baseline.long(), 0) - 1  # each composite's own row among the baselines
    report = {
        "ratio": errors[~baseline].sum() / before[~baseline].sum(),
        "to background": errors[~baseline].sum() / errors[baseline][place][~baseline].sum(),
        "skin": hues[~baseline].nanmedian(),
        "skin mean": hues[~baseline].nanmean(),
        "skin, background": hues[baseline].nanmedian(),
    }
    return {name: float(value) for name, value in report.items()}


def unpaired(method: Method, batch: Batch) -> dict[str, float]:
    """Pasted people: L* and a*b* distance to the attended reference; structure, local contrast over the composite's and
    the share of pixels that were clipped; degrees of skin's hue to the composite's, a*b* to the reference's skin."""
    result = run(method, batch, pasted=1.0)
    after = torch.where(batch["foreground"] > 0, result, batch["composite"])
    lab, before = rgb_to_lab(after), rgb_to_lab(batch["composite"])
    light, chroma, believable = [], [], []
    for start in range(0, len(result), CHUNK):
        part = slice(start, start + CHUNK)
        foreground, reference = batch["foreground"][part], batch["reference"][part]
        picture = see(batch["composite"][part], batch["photo"][part])
        found = match(picture, foreground, picture, reference, 1 - foreground)
        seen = (found.attention * found.weight[..., None]).sum(1).unflatten(1, (1, 16, 16))
        seen = torch.nn.functional.interpolate(seen, reference.shape[-2:], mode="bilinear").clamp_min(0) + 1e-9
        goal = percentiles(picture.lab[:, 0], (seen * reference)[:, 0])
        light.append((percentiles(lab[part, 0], foreground[:, 0]) - goal).abs().mean(1))
        distance = (cell_colors(lab[part], foreground)[0] - found.attended)[..., 1:].norm(dim=-1)
        chroma.append((distance * found.weight).sum(1) / found.weight.sum(1))
        same = found.weight * found.alike * (found.wanted - found.attended)[..., 1:].norm(dim=-1).lt(SAME_DYE)
        believable.append(torch.stack([(distance * same).sum(), same.sum()]))
    structure = structure_term(before[:, :1], lab[:, :1], batch["foreground"])
    contrasts = [_inside(local_deviation(image[:, :1]), batch["foreground"]) for image in (before, lab)]
    at_the_end = [
        ((image <= 0.5 / 255) | (image >= 254.5 / 255)).any(1, keepdim=True) for image in (batch["composite"], after)
    ]
    clipped = _inside((at_the_end[1] & ~at_the_end[0]).float(), batch["foreground"])
    skin = torch.from_numpy(np.stack([skin_pixels(to_bytes(image)) for image in batch["composite"]])[:, None])
    own, others = skin * batch["foreground"], skin * batch["reference"]
    hues, seen = hue_error(after, batch["composite"], own), _mean_hue_distance(lab, own, before, others)
    return {
        "L*": float(torch.cat(light).mean()),
        "ab": float(torch.cat(chroma).mean()),
        "ab believed": float(torch.stack(believable)[:, 0].sum() / torch.stack(believable)[:, 1].sum()),
        "structure": float(structure.mean()),
        "contrast": float((contrasts[1] / contrasts[0]).mean()),
        "clipped": float(clipped.mean()),
        "skin turned": float(hues.nanmedian()),
        "skin to skin": float(seen.nanmean()),
    }


def structure_term(before: Tensor, after: Tensor, mask: Tensor) -> Tensor:
    """SSIM's third factor (Wang et al. 2004) on L* (B, 1, S, S), averaged over the mask, (B,): what was kept of the
    content, whatever became of lightness and contrast."""
    steady = 0.03**2 * 100**2 / 2
    both = _around(before * after) - _around(before) * _around(after)
    deviations = [local_deviation(x) for x in (before, after)]
    return _inside((both + steady) / (deviations[0] * deviations[1] + steady), mask)


def local_deviation(image: Tensor) -> Tensor:
    """Standard deviation around each pixel of (B, 1, S, S), of that shape."""
    return (_around(image * image) - _around(image).square()).clamp_min(0).sqrt()


def _around(values: Tensor) -> Tensor:
    return torch.nn.functional.avg_pool2d(values, WINDOW, 1, WINDOW // 2, count_include_pad=False)


def _inside(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of (B, 1, S, S) over a mask, (B,)."""
    return (values * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp_min(1)


def _mean_hue_distance(lab: Tensor, mask: Tensor, other: Tensor, other_mask: Tensor) -> Tensor:
    """Distance (B,) of the mean a*, b* under two masks; NaN where either is empty."""
    means = [
        (image[:, 1:] * inside).sum((2, 3)) / inside.sum((2, 3)).clamp_min(1)
        for image, inside in ((lab, mask), (other, other_mask))
    ]
    enough = (mask.sum((1, 2, 3)) >= 40) & (other_mask.sum((1, 2, 3)) >= 40)
    return torch.where(enough, (means[0] - means[1]).norm(dim=1), torch.nan)


def to_bytes(image: Tensor) -> np.ndarray:
    """A picture (3, S, S) in [0, 1] as (S, S, 3) uint8."""
    return np.rint(image.permute(1, 2, 0).numpy() * 255).astype(np.uint8)


def composite_alone(batch: Batch) -> Tensor:
    """Changes nothing."""
    return batch["composite"]


def network_alone(name: str) -> Method:
    """A shipped network without the match."""
    network = load_network(name)
    return lambda batch: network(
        batch["composite"], batch["foreground"], batch["reference_image"], batch["reference"]
    ).float()


def match_alone(batch: Batch) -> Tensor:
    """The semantic match at its usual shares."""
    picture = see(batch["composite"], batch["photo"])
    other = see(batch["reference_image"], batch["reference_photo"])
    found = match(picture, batch["foreground"], other, batch["reference"], batch["scene"])
    return batch["composite"] + batch["foreground"] * (matched_frame(found) - batch["composite"])


def match_network(path: Path, peer: bool = False) -> Method:
    """A trained network of this form. ``peer``: whatever is pointed at, it sees all of the scene, and that alone."""
    network = load_match_network(path)

    def method(batch: Batch) -> Tensor:
        if peer:
            scene = 1 - batch["foreground"]
            own = {"reference_image": batch["composite"], "reference_photo": batch["photo"]}
            batch = batch | own | {"reference": scene, "scene": scene}
        picture = see(batch["composite"], batch["photo"])
        other = see(batch["reference_image"], batch["reference_photo"])
        return network(picture, batch["foreground"], other, batch["reference"], batch["scene"], batch["pasted"])

    return method


def report(methods: Mapping[str, Method], samples: dict[str, Batch], belief: tuple[list[str], Batch]) -> dict:
    """Every method's figures; a line of each is printed when it is there."""
    rows = {}
    for name, method in methods.items():
        row = {kind: recoloured(method, samples[kind]) for kind in ("people", "anything", "kept back")}
        row["drift"] = [drift(method, samples["people"], pasted) for pasted in (0.0, 1.0)]
        row |= {"belief": believing(method, belief[1], belief[0]), "pasted": unpaired(method, samples["pasted"])}
        rows[name] = row
        print(_line(name, row), flush=True)
    return rows


def _line(name: str, row: dict) -> str:
    parts = [f"{kind} {row[kind][0]:.3f} ({row[kind][1]:.3f})" for kind in ("people", "anything", "kept back")]
    parts.append("drift {:.0f}, as pasted {:.0f}".format(*row["drift"]))
    for kind in ("belief", "pasted"):
        parts.append(f"{kind}: " + " ".join(f"{key} {value:.3g}" for key, value in row[kind].items()))
    return f"{name:12s} " + " | ".join(parts)


def belief_batch(folder: Path) -> tuple[list[str], Batch]:
    """Kinds of reference and the stacked samples of Belief-Open."""
    kinds, drawn = zip(*belief_samples(folder, SIZE), strict=True)
    return list(kinds), stack(list(drawn))


def compared(weights: Sequence[Path], peers: Sequence[Path]) -> dict[str, Method]:
    """What is laid side by side: four anchors, and trained weights by their path. InputError where they are none."""
    anchors = {"composite": composite_alone, "match": match_alone}
    anchors |= {name: network_alone(name) for name in ("small", "small-portrait")}
    anchors |= {str(path): match_network(path) for path in weights}
    return anchors | {f"{path}, no reference": match_network(path, peer=True) for path in peers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, help="a folder of photos with a test split")
    parser.add_argument("--weights", type=Path, action="append", default=[], help="trained weights, .safetensors")
    parser.add_argument(
        "--peer", type=Path, action="append", default=[], help="those of `iph train --stage match-scene`, no reference"
    )
    parser.add_argument("--cache", type=Path, default=Path("runs/pack-test-192"), help="where photos are packed")
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    args = parser.parse_args()
    torch.set_num_threads(1)
    try:
        methods = compared(args.weights, args.peer)
        samples = batches(args.photos, pack(args.photos, "test", 192, args.cache))
        rows = report(methods, samples, belief_batch(args.photos))
        if args.out:
            with replacing(args.out) as temporary:
                temporary.write_text(json.dumps(rows, indent=1))
    except InputError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
