"""3D look-up tables for augmentation: seeded procedural ones, and film looks read from ``.cube`` files (Appendix)."""

from pathlib import Path

import numpy as np

from iph.cube import read_cube
from iph.errors import InputError

SIZE = 9  # a smooth table needs no more; trilinear interpolation fills the rest


def identity(size: int = SIZE) -> np.ndarray:
    """The table that changes nothing: (size, size, size, 3) float32, ``table[b, g, r] = (r, g, b)`` in [0, 1]."""
    axis = np.linspace(0, 1, size, dtype=np.float32)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    return np.stack([red, green, blue], axis=-1)


def procedural(rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """A random smooth look: tone curves, channel mixing and a low-frequency colour twist.

    ``strength`` scales the distance from identity. Returns a table as ``identity`` does.
    """
    table = identity()
    toned = _random_curves(rng, table)
    mixed = toned @ _random_mixing(rng)
    twisted = mixed + _random_twist(rng)
    return np.clip(table + strength * (twisted - table), 0, 1).astype(np.float32)


def load_folder(folder: str | Path) -> list[np.ndarray]:
    """Every ``.cube`` file below ``folder``, sorted by path. Raises InputError when there is none."""
    paths = sorted(Path(folder).rglob("*.cube"))
    if not paths:
        raise InputError(f"expected .cube files below {folder}, found none")
    return [read_cube(path).table for path in paths]


def _random_curves(rng: np.random.Generator, table: np.ndarray) -> np.ndarray:
    """One monotone tone curve a channel: a shared gamma and contrast, and a little of each channel's own."""
    gamma = np.exp(rng.normal(0, 0.30) + rng.normal(0, 0.12, 3))
    contrast = rng.normal(0, 0.5)
    curved = table**gamma
    s_curve = curved * curved * (3 - 2 * curved)
    lifted = rng.uniform(0, 0.08, 3)
    return lifted + (1 - lifted - rng.uniform(0, 0.08, 3)) * (curved + contrast * (s_curve - curved))


def _random_mixing(rng: np.random.Generator) -> np.ndarray:
    """A colour matrix that keeps grey grey but for a slight white-balance shift: saturation and cross-talk, (3, 3)."""
    saturation = np.exp(rng.normal(0, 0.35))
    grey = np.full((3, 3), 1 / 3)
    matrix = grey + saturation * (np.eye(3) - grey) + rng.normal(0, 0.04, (3, 3))
    return matrix * np.exp(rng.normal(0, 0.10, 3))


def _random_twist(rng: np.random.Generator) -> np.ndarray:
    """Smooth noise over the colour cube: a 3x3x3 lattice grown to the table's size, (SIZE, SIZE, SIZE, 3)."""
    return _grow(rng.normal(0, 0.05, (3, 3, 3, 3)).astype(np.float32))


def _grow(lattice: np.ndarray) -> np.ndarray:
    """Linear growth of a (3, 3, 3, C) lattice to (SIZE, SIZE, SIZE, C), one axis after the other."""
    steps = np.linspace(0, 2, SIZE)
    low = np.minimum(steps.astype(int), 1)
    weight = (steps - low).astype(np.float32)
    for axis in range(3):
        shape = [1, 1, 1, 1]
        shape[axis] = SIZE
        share = weight.reshape(shape)
        lattice = np.take(lattice, low, axis) * (1 - share) + np.take(lattice, low + 1, axis) * share
    return lattice
