"""Changes of light as real composites show them: another white point and exposure, or another photo's colours whole.

Images are (H, W, 3) float32 in [0, 1], sRGB-encoded.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from iph.data.augment import Look
from iph.data.pack import PackedPhotos
from iph.data.regions import large_enough

GAMMA = 2.2


def random_light(rng: np.random.Generator, strength: float = 1.0) -> Look:
    """Gains of the three channels in linear light (a white point, an exposure), and the saturation that goes along."""
    tint = rng.normal(0, 0.22, 3)
    exposure = rng.normal(0, 0.55)
    gains = np.exp(strength * (tint - tint.mean() + exposure)).astype(np.float32)
    saturation = np.float32(np.exp(strength * rng.normal(0, 0.25)))
    return Look("light", _light(gains, saturation))


def _light(gains: np.ndarray, saturation: np.float32) -> Callable[[np.ndarray], np.ndarray]:
    def change(image: np.ndarray) -> np.ndarray:
        lit = np.maximum(image, 0) ** np.float32(GAMMA) * gains
        lit = (lit / (1 + np.maximum(lit - 0.8, 0))) ** np.float32(1 / GAMMA)  # a soft shoulder: film does not clip
        grey = lit.mean(-1, keepdims=True)
        return grey + saturation * (lit - grey)

    return change


@dataclass(frozen=True)
class ColourStatistics:
    """L*a*b* means (K, 3) and covariances (K, 3, 3) of the instances of a collection, and which are people (K,)."""

    means: np.ndarray
    covariances: np.ndarray
    people: np.ndarray

    @classmethod
    def of(cls, photos: PackedPhotos, most: int = 1500) -> "ColourStatistics":
        """Of the instances of ``most`` evenly spaced photos."""
        means, covariances, people = [], [], []
        for number in range(0, len(photos), max(1, len(photos) // most)):
            lab = cv2.cvtColor(photos.images[number].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
            for k, person in enumerate(photos.persons[number]):
                mask = (photos.instances[number] >> k & 1).astype(bool)
                if large_enough(mask):
                    means.append(lab[mask].mean(0))
                    covariances.append(np.cov(lab[mask].T))
                    people.append(person)
        return cls(np.array(means), np.array(covariances), np.array(people))

    def transferred(
        self, rng: np.random.Generator, image: np.ndarray, mask: np.ndarray, person: bool, share: float
    ) -> np.ndarray:
        """``image`` with the colours under ``mask`` a share of the way to those of a random instance of its kind.

        Either the whole covariance is moved (linear Monge-Kantorovich map, Pitié and Kokaram 2007) or each channel.
        """
        lab = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2LAB)
        values = lab[mask]
        pool = np.flatnonzero(self.people == person)
        if len(values) < 50 or not len(pool):
            return image
        chosen = pool[rng.integers(len(pool))]
        mean, covariance = values.mean(0), np.cov(values.T)
        if rng.random() < 0.5:
            matrix = _monge(covariance, self.covariances[chosen])
        else:
            ratio = np.diag(self.covariances[chosen]) / np.maximum(np.diag(covariance), 1)
            matrix = np.diag(np.clip(np.sqrt(ratio), 0.4, 2.5))
        lab[mask] = values + share * ((values - mean) @ matrix.T + self.means[chosen] - values)
        return np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)


def _monge(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The symmetric matrix (3, 3) that takes one covariance to another."""
    root = _root(before + np.eye(3))
    inverse = np.linalg.inv(root)
    return inverse @ _root(root @ (after + np.eye(3)) @ root) @ inverse


def _root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 1e-6))) @ vectors.T
