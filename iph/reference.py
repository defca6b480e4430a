"""What the look is read from: a region of the same photo, of another picture, or several of them with weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iph.errors import InputError
from iph.masks.forms import as_mask, check_pair


@dataclass(frozen=True, eq=False)
class Reference:
    """One region. ``mask`` (H, W) in any form of ``iph.masks.as_mask``, None for the whole of ``image``;
    ``image`` (h, w, 3) is another picture, None for the composite itself; ``weight`` counts among several."""

    mask: np.ndarray | None = None
    image: np.ndarray | None = None
    weight: float = 1.0


References = np.ndarray | Reference | Sequence[Reference]


def as_references(
    reference: References | None, reference_image: np.ndarray | None, image: np.ndarray, foreground: np.ndarray
) -> list[Reference]:
    """One or several references, checked: every one with its picture and a mask (h, w) float32; weights sum to 1.

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
    return [_checked(one, share, image, foreground) for one, share in zip(listed, shares, strict=True)]


def _checked(one: Reference, weight: float, image: np.ndarray, foreground: np.ndarray) -> Reference:
    if one.image is not None:
        picture = as_picture(one.image, "reference picture")
        whole = np.ones(picture.shape[:2], np.float32)
        mask = whole if one.mask is None else as_mask(one.mask, picture.shape, "reference", allow_full=True)
        return Reference(mask, picture, weight)
    if one.mask is None:
        raise InputError("expected a reference region in the composite, got none")
    mask = as_mask(one.mask, image.shape, "reference", allow_full=True)
    return Reference(check_pair(foreground, mask)[1], image, weight)


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
