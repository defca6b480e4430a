"""Size and speed of every method side by side: parameters, MACs, and milliseconds at 256², 1 and 8 megapixels.

Times are whole calls on one composite, as a user would wait: the quickest of several, because all that slows one
down is other work of the machine. The first call, which loads and warms up, is not counted. A published network whose
weights are not here is timed with random ones, for they do not change how long it takes. Every method runs on the CPU.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch

from bench.complexity import method_macs, method_parameters
from bench.datasets.catalogue import open_dataset
from bench.datasets.pictures import Picture, load
from bench.methods import Method
from bench.report.render import Table, gathered
from iph.errors import InputError

SIZES = {"256²": (256, 256), "1 MP": (1152, 864), "8 MP": (3264, 2448)}  # width, height
CALLS = 15  # a size, at most
BUDGET = 4.0  # seconds a size after which no further call is made, once there are three


@dataclass(frozen=True)
class Speed:
    """One method: what it is made of and milliseconds by size; without them where it failed, with the sentence."""

    method: Method
    parameters: int | None = None
    macs: int | None = None
    milliseconds: dict[str, float] = field(default_factory=dict)
    random_weights: bool = False
    failure: str | None = None


def measure(methods: Iterable[Method], sizes: Iterable[str] = tuple(SIZES)) -> Iterable[Speed]:
    """Time each method on the first composite of the sample."""
    picture = load(open_dataset("sample").entries[0])
    scaled = {name: _scaled(picture, SIZES[name]) for name in sizes}
    with TemporaryDirectory() as folder:
        for method in methods:
            found = method if method.missing() is None else with_random_weights(method, Path(folder))
            macs = method_macs([found]).get(method.name)
            size = Speed(method, method_parameters(found), macs, random_weights=found is not method)
            if (reason := found.missing()) is not None:
                yield replace(size, failure=reason)
                continue
            try:
                run = found.make()
                run(*scaled[next(iter(scaled))])
                yield replace(
                    size,
                    milliseconds={name: quickest(partial(run, *inputs), most=CALLS) for name, inputs in scaled.items()},
                )
            except (InputError, cv2.error, RuntimeError, MemoryError) as error:
                yield replace(size, failure=str(error))


def with_random_weights(method: Method, folder: Path) -> Method:
    """A published network as it is built, its weights saved below ``folder``; any other method as it is."""
    from bench.networks import NETWORKS, BargainNet
    from bench.weights import WEIGHTS

    if not method.published or method.source is not None:
        return method
    place = folder / method.weights
    if not place.is_dir():
        place.mkdir()
        network = NETWORKS[method.weights]()
        parts = [network.generator, network.style_encoder] if isinstance(network, BargainNet) else [network]
        for file, part in zip(WEIGHTS[method.weights].files, parts, strict=True):
            torch.save(part.state_dict(), place / file)
    return replace(method, source=place)


def table(speeds: Iterable[Speed]) -> Table:
    """The speeds side by side."""
    rows, failures = [], {}
    for speed in speeds:
        numbers = [f"{speed.milliseconds[s]:.0f}" if s in speed.milliseconds else "–" for s in SIZES]
        size = f"{speed.parameters / 1e6:.2f}" if speed.parameters else "–"
        giga = f"{speed.macs / 1e9:.2f}" if speed.macs else "–"
        rows.append([speed.method.title + ("*" if speed.random_weights else ""), size, giga, *numbers])
        if speed.failure:
            failures[speed.method.name] = speed.failure
    columns = ["method", "parameters (M)", "GMACs at 256²", *(f"ms at {size}" for size in SIZES)]
    notes = [
        f"the quickest of up to {CALLS} calls within {BUDGET:g} s, CPU threads: {torch.get_num_threads()}",
        "* timed with random weights: the published ones are not here",
        *gathered(failures),
    ]
    return Table("Size and speed", columns, rows, notes)


def _scaled(picture: Picture, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    image = cv2.resize(picture.composite, size, interpolation=cv2.INTER_LINEAR)

    def mask(region: np.ndarray) -> np.ndarray:
        return cv2.resize(region.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)

    return image, mask(picture.foreground), None if picture.reference is None else mask(picture.reference)


def quickest(task: Callable[[], object], least: int = 3, most: int | None = None) -> float:
    """Milliseconds of the quickest call out of ``least`` and of as many more as fit into ``BUDGET``, ``most`` in all.

    What slows a call down is other work of the machine (as ``timeit`` advises).
    """
    times: list[float] = []
    while len(times) < least or (sum(times) < BUDGET and len(times) != most):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times) * 1000
