"""This project's own networks: those that ship, the match they start from, and the ablation of the paper's Table 3.

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
from bench.methods.regions import given
from bench.methods.registry import Harmonize, Method
from iph.masks.forms import as_weights

NOT_LEARNT = ("running_mean", "running_var", "num_batches_tracked")  # BatchNorm's statistics


def build(method: Method, pasted: bool = False, in_torch: bool = False) -> Harmonize:
    """The network of ``method`` as a harmonizer at the composite's own size, told whether the foreground is pasted.

    in_torch: by torch, which counts what it computes, also where users have a graph.
    """
    import iph  # here, because the table of methods needs no torch

    harmonizer = iph.load(weights_file(method.weights, method.source) if in_torch else _model(method), pasted)

    def harmonize(
        composite: NDArray[np.uint8], foreground: ArrayLike, reference: ArrayLike | None = None
    ) -> NDArray[np.uint8]:
        if reference is None and method.looks_at == "background":
            reference = np.ones(composite.shape[:2], bool)  # the frame of a network that never looks at it
        return harmonizer.open(composite, np.asarray(foreground)).harmonize(np.asarray(given(reference))).image

    return harmonize


def semantic_match(method: Method) -> Harmonize:
    """The closed form that the network starts from, at its usual shares."""
    from iph.harmonizer import MATCH
    from iph.match.functions import ClosedForm
    from iph.match.look import Photo, fitted, pair
    from iph.runtime.modules import function

    matched_frame = function(ClosedForm())

    def harmonize(
        composite: NDArray[np.uint8], foreground: ArrayLike, reference: ArrayLike | None = None
    ) -> NDArray[np.uint8]:
        inside, other = (as_weights(mask).astype(np.float32) for mask in (foreground, given(reference)))
        photo = Photo(MATCH.read, composite, inside)
        own = photo.foreground_view()
        (frame,) = matched_frame(**pair(own, photo.view(other)))
        return fitted(own, frame).apply(composite, inside)

    return harmonize


def lacks(method: Method) -> str | None:
    """Why the weights of ``method`` cannot be used, or None."""
    path = weights_file(method.weights, method.source)
    if path.is_file():
        return None
    return (
        f"weights missing: train this configuration (python -m iph train --help) and put its best.safetensors "
        f"at {weights.shown(path)}"
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
    if path.parent != _shipped_folder():
        return path
    return "general" if method.weights == "match" else method.weights  # by that name the graph runs that users have


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
