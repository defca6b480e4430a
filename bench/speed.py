"""Size and speed of every method side by side: parameters, MACs, and milliseconds at 256², 1 and 8 megapixels.

Times are medians of whole calls on one composite, as a user would wait, with all threads of this machine; the first
call, which loads and warms up, is not counted. A GPU is used by no method of this benchmark's own, so none is timed.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from bench.complexity import macs
from bench.datasets.catalogue import open_dataset
from bench.datasets.pictures import Picture, load
from bench.errors import InputError
from bench.methods import Method
from bench.render import Table

SIZES = {"256²": (256, 256), "1 MP": (1152, 864), "8 MP": (3264, 2448)}  # width, height
SHORTEST = 3  # calls a size
BUDGET = 4.0  # seconds a size after which no further call is made


@dataclass(frozen=True)
class Speed:
    """One method: milliseconds by size, NaN where it failed, with the sentence."""

    method: Method
    milliseconds: dict[str, float]
    failure: str | None = None


def measure(methods: Iterable[Method], sizes: Iterable[str] = tuple(SIZES)) -> Iterable[Speed]:
    """Time each method that can run here on the first composite of the sample."""
    picture = load(open_dataset("sample").entries[0])
    scaled = {name: _scaled(picture, SIZES[name]) for name in sizes}
    for method in methods:
        if (reason := method.missing()) is not None:
            yield Speed(method, {}, reason)
            continue
        try:
            run = method.make()
            run(*scaled[next(iter(scaled))])
            yield Speed(method, {name: _median_milliseconds(run, inputs) for name, inputs in scaled.items()})
        except (InputError, cv2.error, RuntimeError, MemoryError) as error:
            yield Speed(method, {}, str(error))


def macs_of(method: Method) -> int | None:
    """Multiply-accumulates of one pass at 256², counted on the network itself; None for what has none here."""
    import torch

    from bench import networks
    from bench.methods.ours import weights_file
    from iph.checkpoint import load_network

    image, mask = torch.rand(1, 3, 256, 256), torch.zeros(1, 1, 256, 256)
    mask[..., 64:192, 64:192] = 1
    if method.weights is None:
        return None
    if method.weights == "dovenet":
        return macs(networks.DoveNet(), torch.cat([image, mask], dim=1))
    if method.weights == "rainnet":
        return macs(networks.RainNet(), image, mask)
    if method.weights.startswith("bargainnet"):
        return macs(networks.BargainNet(), image, mask, 1 - mask)
    path = weights_file(method.weights, method.source)
    return macs(load_network(path), image, mask, image, 1 - mask) if path.is_file() else None


def table(speeds: Iterable[Speed]) -> Table:
    """The speeds side by side."""
    import torch

    rows = []
    notes = [f"median of whole calls, CPU, {torch.get_num_threads()} threads"]
    for speed in speeds:
        count = speed.method.parameters
        numbers = [f"{speed.milliseconds[s]:.0f}" if s in speed.milliseconds else "–" for s in SIZES]
        operations = macs_of(speed.method)
        giga = f"{operations / 1e9:.1f}" if operations else "–"
        rows.append([speed.method.title, f"{count / 1e6:.2f}" if count else "–", giga, *numbers])
        if speed.failure:
            notes.append(f"{speed.method.name}: {speed.failure}")
    columns = ["method", "parameters (M)", "GMACs at 256²", *(f"ms at {size}" for size in SIZES)]
    return Table("Size and speed", columns, rows, notes)


def _scaled(picture: Picture, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    image = cv2.resize(picture.composite, size, interpolation=cv2.INTER_LINEAR)

    def mask(region: np.ndarray) -> np.ndarray:
        return cv2.resize(region.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)

    return image, mask(picture.foreground), None if picture.reference is None else mask(picture.reference)


def _median_milliseconds(run, inputs: tuple) -> float:
    times: list[float] = []
    while len(times) < SHORTEST or (sum(times) < BUDGET / 4 and len(times) < 50):
        start = time.perf_counter()
        run(*inputs)
        times.append(time.perf_counter() - start)
        if sum(times) > BUDGET:
            break
    return float(np.median(times)) * 1000
