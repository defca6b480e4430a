"""One composite out of one photo: a foreground, a reference and a drawn look (paper Sec. 3 and Appendix).

The paper takes one random instance as foreground and another as reference. What it leaves open is decided here:
instances below 1 % or above 80 % of the frame are no foreground; a photo with one instance takes a random region of its
background as reference; a photo with none takes a random region as foreground too, so that no photo is lost.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iph.cube import Cube
from iph.data.augment import Look, random_look
from iph.data.regions import background_region, large_enough, random_region

MOST_SHARE = 0.8  # a foreground above this share of the frame leaves no background to fit into


@dataclass(frozen=True)
class Composed:
    """Images (H, W, 3) uint8, masks (H, W) bool, the look's name, and what the composite is called in a breakdown.

    ``compose`` says by ``subset`` what the reference is: ``instance`` (another one), ``background`` (a region of it)
    or ``region`` (no instance at all: foreground and reference are regions).
    """

    composite: np.ndarray
    target: np.ndarray
    foreground: np.ndarray
    reference: np.ndarray
    look: str
    subset: str = ""

    def checksum(self) -> str:
        """16 hex digits of the composite's pixels."""
        return hashlib.sha256(f"{self.composite.shape}".encode() + self.composite.tobytes()).hexdigest()[:16]


def draw_composite(
    image: np.ndarray, instances: Sequence[np.ndarray], rng: np.random.Generator, film_luts: Sequence[Cube] = ()
) -> Composed:
    """Change one instance of ``image`` (H, W, 3) uint8. ``instances`` are (H, W) bool; ``rng`` decides everything."""
    usable = [mask for mask in instances if large_enough(mask)]
    candidates = [k for k, mask in enumerate(usable) if mask.mean() <= MOST_SHARE]
    if candidates:
        chosen = candidates[rng.integers(len(candidates))]
        foreground = usable.pop(chosen)
    else:
        foreground = random_region(rng, image.shape[:2])
    clear = [mask & ~foreground for mask in usable]
    clear = [mask for mask in clear if large_enough(mask)]
    if candidates and clear:
        reference, subset = clear[rng.integers(len(clear))], "instance"
    else:
        reference, subset = background_region(rng, foreground), "background" if candidates else "region"
    return put_look(random_look(rng, film_luts), image, foreground, reference, subset)


def put_look(look: Look, photo: np.ndarray, foreground: np.ndarray, reference: np.ndarray, subset: str) -> Composed:
    """``look`` on the ``foreground`` (H, W) bool of ``photo`` (H, W, 3) uint8, which is the target."""
    changed = look.apply(photo.astype(np.float32) / 255, foreground)
    return Composed(np.rint(changed * 255).astype(np.uint8), photo, foreground, reference, look.name, subset)
