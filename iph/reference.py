"""What the look is read from: a region of the same photo, of another picture, or several of them with weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from iph.errors import InputError
from iph.masks.forms import check_pair
from iph.pixels import proxy
from iph.views import read_mask


@dataclass(frozen=True, eq=False)
class Reference:
    """One region. ``mask`` (H, W) in any form of ``iph.masks.as_mask``, None for the whole of ``image``;
    ``image`` (h, w, 3) is another picture, None for the composite itself; ``weight`` counts among several."""

    mask: np.ndarray | None = None
    image: np.ndarray | None = None
    weight: float = 1.0


class Composite(Protocol):
    """What a region of the composite is checked against: its size, its proxy and the foreground on the proxy."""

    image: np.ndarray
    small_image: np.ndarray
    small_foreground: np.ndarray


References = np.ndarray | Reference | Sequence[Reference]


def as_references(
    reference: References | None, reference_image: np.ndarray | None, composite: Composite
) -> list[Reference]:
    """One or several references, checked and small: each the proxy of its picture and a mask (h, w) float32 on it.
    Their weights sum to 1.

    In the composite itself a reference gives way to the foreground. Raises InputError for what cannot be used.
    """
    if reference is None and reference_image is None:
        raise InputError("expected a reference region, a reference picture, or both, got neither")
    if reference is None or isinstance(reference, np.ndarray):
        reference = Reference(reference, reference_image)
    elif reference_image is not None:
        raise InputError("expected the reference picture inside the Reference, got one beside it as well")
    listed = [reference] if isinstance(reference, Reference) else list(reference)
    if not listed:
        raise InputError("expected at least one reference, got an empty list")
    weights = [float(one.weight) for one in listed]
    if not all(np.isfinite(w) and w >= 0 for w in weights) or sum(weights) == 0:
        raise InputError(f"expected weights of at least 0, not all of them 0, got {weights}")
    shares = [weight / sum(weights) for weight in weights]
    return [_checked(one, share, composite) for one, share in zip(listed, shares, strict=True)]


def _checked(one: Reference, weight: float, composite: Composite) -> Reference:
    if one.image is not None:
        small = proxy(as_picture(one.image, "reference picture"))
        if one.mask is None:
            return Reference(np.ones(small.shape[:2], np.float32), small, weight)
        return Reference(
            read_mask(one.mask, one.image.shape, small.shape, "reference", allow_full=True)[1], small, weight
        )
    if one.mask is None:
        raise InputError("expected a reference region in the composite, got none")
    small = composite.small_image
    mask = read_mask(one.mask, composite.image.shape, small.shape, "reference", allow_full=True)[1]
    return Reference(check_pair(composite.small_foreground, mask)[1], small, weight)


def as_picture(image: np.ndarray, name: str = "image") -> np.ndarray:
    """``image`` if it is (H, W, 3) uint8, uint16 or float32 in [0, 1]; InputError says what came instead."""
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        shape = getattr(image, "shape", type(image).__name__)
        raise InputError(f"expected the {name} as an array of shape (H, W, 3), got {shape}")
    if image.dtype not in (np.uint8, np.uint16, np.float32):
        raise InputError(f"expected the {name} as uint8, uint16 or float32, got {image.dtype}")
    if image.dtype == np.float32:
        low, high = float(image.min()), float(image.max())  # NaN makes both comparisons false
        if not (low >= 0 and high <= 1):
            raise InputError(f"expected float values of the {name} from 0 to 1, got {low:g} to {high:g}")
    return image
