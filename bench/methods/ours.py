"""This project's own networks: the two that ship, and the ablation of the paper's Table 3.

The ablation's weights do not ship. Each is one file, ``iph/<name>.safetensors`` in the weights folder, as
``python -m iph train`` writes it.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import safe_open

from bench import weights
from bench.methods.registry import Harmonize, Method
from iph.errors import InputError

NOT_LEARNT = ("running_mean", "running_var", "num_batches_tracked")  # BatchNorm's statistics


def build(method: Method) -> Harmonize:
    """The network of ``method`` as a harmonizer at the composite's own size."""
    import iph  # here, because the table of methods needs no torch

    harmonizer = iph.load(_model(method))

    def harmonize(
        composite: NDArray[np.uint8], foreground: ArrayLike, reference: ArrayLike | None = None
    ) -> NDArray[np.uint8]:
        if reference is None:
            raise InputError("expected a reference mask for a method that looks at the reference, but got none")
        return harmonizer.open(composite, np.asarray(foreground)).harmonize(np.asarray(reference)).image

    return harmonize


def lacks(method: Method) -> str | None:
    """Why the weights of ``method`` cannot be used, or None."""
    path = weights_file(method.weights, method.source)
    if path.is_file():
        return None
    return (
        f"weights missing: train this configuration (python -m iph train --help) and put its best.safetensors at {path}"
    )


def checksum(method: Method) -> str:
    """SHA-256 of the weights of ``method``."""
    return weights.sha256(weights_file(method.weights, method.source))


def weights_file(name: str, source: Path | None = None) -> Path:
    """Where the weights called ``name`` are: ``source``, among the shipped ones, or in the weights folder."""
    shipped = _shipped_folder() / f"{name}.safetensors"
    return source or (shipped if shipped.is_file() else weights.folder() / "iph" / f"{name}.safetensors")


def _model(method: Method) -> str | Path:
    path = weights_file(method.weights, method.source)
    return method.weights if path.parent == _shipped_folder() else path


@cache
def _shipped_folder() -> Path:
    return Path(find_spec("iph").origin).parent / "weights"


def parameters(name: str, source: Path | None = None) -> int | None:
    """How many numbers the weights have learnt, from their file's header; None where the file is absent."""
    path = weights_file(name, source)
    if not path.is_file():
        return None
    with safe_open(path, framework="numpy") as file:
        learnt = [key for key in file.keys() if not key.endswith(NOT_LEARNT)]
        return sum(int(np.prod(file.get_slice(key).get_shape())) for key in learnt)
