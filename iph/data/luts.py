"""3D look-up tables for augmentation: seeded procedural ones, and film looks read from ``.cube`` files (Appendix)."""

from pathlib import Path

import numpy as np

from iph.cube import Cube, lattice, read_cube
from iph.errors import InputError
from iph.files import listed

SIZE = 9  # a smooth table needs no more; trilinear interpolation fills the rest


def procedural(rng: np.random.Generator, strength: float = 1.0) -> Cube:
    """A random smooth look: tone curves, channel mixing and a low-frequency colour twist.

    ``strength`` scales the distance from identity.
    """
    unchanged = lattice(SIZE)
    mixed = _random_curves(rng, unchanged) @ _random_mixing(rng)
    twisted = mixed + _grow(rng.normal(0, 0.05, (3, 3, 3, 3)))
    table = np.clip(unchanged + strength * (twisted - unchanged), 0, 1)
    return Cube(table.astype(np.float32), np.zeros(3), np.ones(3), "procedural")


def load_folder(folder: str | Path) -> list[Cube]:
    """Every ``.cube`` file below ``folder``, sorted by path. Raises InputError when there is none."""
    paths = listed(folder, (".cube",), below=True)
    if not paths:
        raise InputError(f"expected .cube files below {folder}, found none")
    return [read_cube(path) for path in paths]


def _random_curves(rng: np.random.Generator, table: np.ndarray) -> np.ndarray:
    """One tone curve a channel: a shared gamma and contrast, and a little of each channel's own."""
    gamma = np.exp(rng.normal(0, 0.30) + rng.normal(0, 0.12, 3))
    contrast = rng.normal(0, 0.5)
    curved = table**gamma
    s_curve = curved * curved * (3 - 2 * curved)
    black, white = rng.uniform(0, 0.08, (2, 3))
    return black + (1 - black - white) * (curved + contrast * (s_curve - curved))


def _random_mixing(rng: np.random.Generator) -> np.ndarray:
    """A colour matrix (3, 3): saturation, a little cross-talk and a white-balance shift."""
    saturation = np.exp(rng.normal(0, 0.35))
    grey = np.full((3, 3), 1 / 3)
    matrix = grey + saturation * (np.eye(3) - grey) + rng.normal(0, 0.04, (3, 3))
    return matrix * np.exp(rng.normal(0, 0.10, 3))


def _grow(coarse: np.ndarray) -> np.ndarray:
    """Linear growth of a (3, 3, 3, C) lattice to (SIZE, SIZE, SIZE, C), one axis after the other."""
    steps = np.linspace(0, 2, SIZE)
    low = np.minimum(steps.astype(int), 1)
    for axis in range(3):
        share = (steps - low).reshape([SIZE if a == axis else 1 for a in range(4)])
        coarse = np.take(coarse, low, axis) * (1 - share) + np.take(coarse, low + 1, axis) * share
    return coarse
