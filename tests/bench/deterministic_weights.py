"""Deterministic weights, so that two implementations of one network can be compared without a checkpoint.

``fill_state(module)`` gives every tensor of ``module.state_dict()`` values that depend only on its key and shape.
Load the same keys into another implementation, run both on ``probe_inputs(seed)``, and the outputs must agree.
``golden/*.npz`` holds the outputs of the original DoveNet, BargainNet and RainNet code under these weights.
"""

import zlib

import numpy as np
import torch


def filled(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """Values for one state-dict tensor: float32, the tensor's own shape (BatchNorm counters excepted)."""
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    if key.endswith("running_var"):
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    if key.endswith("running_mean"):
        return rng.normal(0, 0.1, shape).astype(np.float32)
    if len(shape) >= 2:  # convolution and linear weights: keep activations at unit scale
        fan_in = int(np.prod(shape[1:]))
        return (rng.standard_normal(shape) * np.sqrt(2.0 / fan_in)).astype(np.float32)
    if key.endswith("bias") or key.endswith("beta"):
        return rng.normal(0, 0.1, shape).astype(np.float32)
    return rng.uniform(0.5, 1.5, shape).astype(np.float32)  # norm gains, scalars


def fill_state(module: torch.nn.Module) -> None:
    """Overwrite every tensor of ``module`` in place with ``filled`` values; integer counters become 1."""
    state = module.state_dict()
    for key, value in state.items():
        if value.is_floating_point():
            state[key] = torch.from_numpy(filled(key, tuple(value.shape))).to(value.dtype)
        else:
            state[key] = torch.ones_like(value)
    module.load_state_dict(state, strict=True)


def probe_inputs(seed: int, size: int = 256) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A composite (1, 3, size, size) in [-1, 1], and masks of foreground and reference (1, 1, size, size) in {0, 1}."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:size, 0:size] / size
    base = np.stack([np.sin(6 * xx + 3 * yy), np.cos(5 * yy), np.sin(9 * xx * yy)])
    image = np.clip(0.7 * base + 0.15 * rng.standard_normal(base.shape), -1, 1).astype(np.float32)
    cy, cx, r = rng.uniform(0.3, 0.7, 3) * [1, 1, 0.5]
    fg = (((yy - cy) ** 2 + (xx - cx) ** 2) < r**2).astype(np.float32)
    ref = np.zeros_like(fg)
    y0, x0 = (rng.uniform(0.05, 0.5, 2) * size).astype(int)
    ref[y0 : y0 + size // 3, x0 : x0 + size // 3] = 1
    ref *= 1 - fg
    return (
        torch.from_numpy(image)[None],
        torch.from_numpy(fg)[None, None],
        torch.from_numpy(ref.astype(np.float32))[None, None],
    )
