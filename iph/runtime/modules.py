"""Modules of torch as functions from arrays to arrays, as ``iph.runtime.graphs`` has them of the shipped networks."""

import numpy as np
import torch
from torch import nn

from iph.runtime.graphs import Function


def function(module: nn.Module) -> Function:
    """A module that takes tensors by name and returns a tuple of them, called with arrays.

    Gradients are off by ``no_grad``: under inference mode, PyTorch's counter of operations forgets what autocast does.
    """

    @torch.no_grad()
    def called(**inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in inputs.items()}
        return tuple(output.float().numpy() for output in module(**tensors))

    return called
