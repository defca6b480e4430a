"""The appearance changes that make a composite out of a photo (paper Sec. 3 and Appendix).

One change is drawn at random for an image: brightness, contrast, hue jitter, gamma, a 3D LUT, or a local change
(a smooth random mask blended in with soft light, dodge, grain merge or grain extract). The paper gives no strengths;
``TYPICAL`` is near the paper's difficulty (25.22 dB over the frame). Hue jitter changes saturation too, and
LUTs are drawn by ourselves unless film looks are given: the paper has those of Jiang et al. (2021).
All images are (H, W, 3) float32 in [0, 1], sRGB-encoded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from iph.cube import Cube, apply_cube
from iph.data import luts

TYPICAL = 1.5  # 25.0 dB on 300 composites of training photos (1.0 gives 28.2, 2.0 22.9); IntHarmony-Open has 26.83
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Look:
    """One drawn change: its name in the appendix and the function that applies it to a whole image."""

    name: str
    change: Callable[[np.ndarray], np.ndarray]

    def apply(self, image: np.ndarray, foreground: np.ndarray | None = None) -> np.ndarray:
        """The changed image, clipped to [0, 1]; with ``foreground`` (H, W) in [0, 1], changed only there."""
        changed = np.clip(self.change(image), 0, 1).astype(np.float32, copy=False)
        if foreground is None:
            return changed
        alpha = foreground.astype(np.float32, copy=False)[..., None]
        return image + alpha * (changed - image)


def random_look(rng: np.random.Generator, film_luts: Sequence[Cube] = (), strength: float = 1.0) -> Look:
    """One augmentation, drawn uniformly from the appendix's list. ``strength`` scales how far it goes."""
    return _draw(LOOKS, rng, film_luts, strength)


def random_global_look(rng: np.random.Generator, film_luts: Sequence[Cube] = (), strength: float = 1.0) -> Look:
    """As ``random_look`` without the local ones: the look of a whole photo, target and composite alike."""
    return _draw([name for name in LOOKS if name not in BLENDS], rng, film_luts, strength)


def _draw(names: Sequence[str], rng: np.random.Generator, film_luts: Sequence[Cube], strength: float) -> Look:
    name = list(names)[rng.integers(len(names))]
    strength = strength * TYPICAL
    if name in BLENDS:
        return Look(name, _local(rng, BLENDS[name], strength))
    if name == "lut":
        return Look(name, _lut(rng, film_luts, strength))
    return Look(name, _GLOBAL[name](rng, strength))


def _away_from_zero(rng: np.random.Generator, low: float, high: float) -> float:
    """A signed number of size ``low`` to ``high``: an invisible change teaches nothing."""
    return float(rng.uniform(low, high) * rng.choice((-1, 1)))


def _brightness(rng: np.random.Generator, strength: float) -> Callable:
    factor = np.float32(np.exp(strength * _away_from_zero(rng, 0.15, 0.65)))
    return lambda image: image * factor


def _contrast(rng: np.random.Generator, strength: float) -> Callable:
    factor = np.float32(np.exp(strength * _away_from_zero(rng, 0.2, 0.8)))

    def change(image: np.ndarray) -> np.ndarray:
        mean = np.float32((image @ LUMA).mean())
        return mean + factor * (image - mean)

    return change


def _hue(rng: np.random.Generator, strength: float) -> Callable:
    degrees = strength * _away_from_zero(rng, 8, 45)
    saturation = np.float32(np.exp(strength * rng.normal(0, 0.35)))

    def change(image: np.ndarray) -> np.ndarray:
        hsv = cv2.cvtColor(np.ascontiguousarray(image, np.float32), cv2.COLOR_RGB2HSV)  # hue in degrees for float32
        hsv[..., 0] = (hsv[..., 0] + degrees) % 360
        hsv[..., 1] = np.minimum(hsv[..., 1] * saturation, 1)
        return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)

    return change


def _gamma(rng: np.random.Generator, strength: float) -> Callable:
    exponent = np.float32(np.exp(strength * _away_from_zero(rng, 0.2, 0.75)))
    return lambda image: np.maximum(image, 0) ** exponent


def _lut(rng: np.random.Generator, film_luts: Sequence[Cube], strength: float) -> Callable:
    if film_luts and rng.random() < 0.5:
        table = film_luts[rng.integers(len(film_luts))]
    else:
        table = luts.procedural(rng, strength)
    return lambda image: apply_cube(image, table)


def _soft_light(image: np.ndarray, layer: np.ndarray) -> np.ndarray:
    return image * (image + 2 * layer * (1 - image))


def _dodge(image: np.ndarray, layer: np.ndarray) -> np.ndarray:
    return image / np.maximum(1 - layer, 0.25)


def _grain_merge(image: np.ndarray, layer: np.ndarray) -> np.ndarray:
    return image + layer - 0.5


def _grain_extract(image: np.ndarray, layer: np.ndarray) -> np.ndarray:
    return image - layer + 0.5


def _local(rng: np.random.Generator, blend: Callable, strength: float) -> Callable:
    """Blend a tinted smooth layer in: light that falls on part of the subject."""
    seed = int(rng.integers(2**32))
    reach = np.float32(strength * rng.uniform(0.4, 1.0))

    def change(image: np.ndarray) -> np.ndarray:
        layer = smooth_layer(np.random.default_rng(seed), image.shape[:2])
        layer = layer * 0.6 if blend is _dodge else layer  # dodge divides: the same layer would burn out
        if blend in (_grain_merge, _grain_extract):
            layer = 0.5 + 0.5 * (layer - 0.5)
        return image + reach * (np.clip(blend(image, layer), 0, 1) - image)

    return change


def smooth_layer(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A smooth tinted random field, (H, W, 3) float32 in [0, 1]: a coarse 4x4 lattice grown with cubic steps.

    The lattice is drawn before it is grown, so one seed gives the same light at every resolution.
    """
    light = rng.uniform(0, 1, (4, 4, 1)) + rng.normal(0, 0.12, (1, 1, 3))
    field = cv2.resize(light.astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.clip(field, 0, 1)


_GLOBAL: dict[str, Callable] = {"brightness": _brightness, "contrast": _contrast, "hue": _hue, "gamma": _gamma}
BLENDS: dict[str, Callable] = {
    "soft light": _soft_light,
    "dodge": _dodge,
    "grain merge": _grain_merge,
    "grain extract": _grain_extract,
}
LOOKS: tuple[str, ...] = (*_GLOBAL, "lut", *BLENDS)
