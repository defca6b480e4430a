"""Small pictures for the studio's tests: scenes with soft gradients, and a cut-out with a soft edge."""

from pathlib import Path

import cv2
import numpy as np

from iph.images.imagefile import write_photo
from iph.images.photo import Photo


def scene(height: int = 120, width: int = 160, seed: int = 1, dtype=np.uint8) -> np.ndarray:
    """A smooth coloured picture (H, W, 3) without black or white areas."""
    small = np.random.default_rng(seed).integers(40, 216, (5, 7, 3)).astype(np.float32)
    pixels = np.clip(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), 0, 255)
    return np.rint(pixels * (np.iinfo(dtype).max / 255)).astype(dtype)


def disc(height: int, width: int, x: float = 0.5, y: float = 0.5, radius: float = 0.3) -> np.ndarray:
    """A round mask (H, W) uint8 with a soft edge; place and radius in shares of the width and height."""
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot((columns + 0.5) / width - x, (rows + 0.5) / height - y)
    return np.rint(np.clip((radius - distance) * 12 + 0.5, 0, 1) * 255).astype(np.uint8)


def write(path: Path, pixels: np.ndarray, alpha: np.ndarray | None = None) -> Path:
    """Write a picture in the format of its ending."""
    write_photo(Photo(pixels, alpha), path, edited=False)
    return path
