"""What the look is read from: a region of the same photo, of another picture, or several of them with weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Protocol

import numpy as np

from iph.errors import InputError
from iph.images.appearance import small_appearance
from iph.masks.forms import HALF, check_pair
from iph.pixels import as_picture, check_visible
from iph.views import read_mask


@dataclass(frozen=True, eq=False)
class Reference:
    """One region. ``mask`` (H, W) in any form of ``iph.masks.as_mask``, None for the whole of ``image``;
    ``image`` (h, w, 3) is another picture, None for the composite itself; ``weight`` counts among several.
    ``alpha`` (h, w) says where that picture is visible, None for everywhere; ``icc`` is its RGB profile, None for sRGB.
    """

    mask: np.ndarray | None = None
    image: np.ndarray | None = None
    weight: float = 1.0
    alpha: np.ndarray | None = None
    icc: bytes | None = None


class Composite(Protocol):
    """What a region of the composite is checked against: its size, and on the proxy foreground and visibility."""

    image: np.ndarray
    small_image: np.ndarray
    small_foreground: np.ndarray
    small_alpha: np.ndarray | None


References = np.ndarray | Reference | Sequence[Reference]


def as_references(
    reference: References | None, reference_image: np.ndarray | None, composite: Composite
) -> list[Reference]:
    """One or several references, checked and small: each the proxy of its picture, in sRGB (None: the composite's), and
    a mask (h, w) float32 on it. Their weights sum to 1.

    What is transparent belongs to no reference; in the composite itself a reference gives way to the foreground.
    Raises InputError for what cannot be used.
    """
    if reference is None and reference_image is None:
        raise InputError("expected a reference region, a reference picture, or both, got neither")
    if reference is None or isinstance(reference, np.ndarray):
        reference = Reference(reference, reference_image)
    elif reference_image is not None:
        raise InputError("expected the reference picture inside the Reference, got one beside it as well")
    listed = list(reference) if isinstance(reference, list | tuple) else [reference]
    if not listed or not all(isinstance(one, Reference) for one in listed):
        kinds = ", ".join(sorted({type(one).__name__ for one in listed})) or "an empty list"
        raise InputError(f"expected a mask, a Reference or a list of them as reference, got {kinds}")
    weights = [one.weight for one in listed]
    if not all(isinstance(w, Real) and np.isfinite(w) and w >= 0 for w in weights) or sum(weights) == 0:
        raise InputError(f"expected weights of at least 0, not all of them 0, got {weights}")
    shares = [weight / sum(weights) for weight in weights]
    return [_checked(one, share, composite) for one, share in zip(listed, shares, strict=True)]


def _checked(one: Reference, weight: float, composite: Composite) -> Reference:
    if one.image is not None:
        small, visible = visible_proxy(as_picture(one.image, "reference picture"), one.alpha, one.icc)
        mask = np.ones(small.shape[:2], np.float32)
        if one.mask is not None:
            mask = read_mask(one.mask, one.image.shape, small.shape, "reference", allow_full=True)[1]
        return Reference(_visible_part(mask, visible), small, weight)
    if one.mask is None:
        raise InputError("expected a reference region in the composite, got none")
    shape = composite.small_image.shape
    mask = read_mask(one.mask, composite.image.shape, shape, "reference", allow_full=True)[1]
    mask = _visible_part(mask, composite.small_alpha)
    return Reference(check_pair(composite.small_foreground, mask)[1], None, weight)


def _visible_part(mask: np.ndarray, visible: np.ndarray | None) -> np.ndarray:
    """What of a region can be seen, both (h, w) float32; InputError where that is nothing."""
    if visible is None:
        return mask
    part = np.minimum(mask, visible)
    if not (part >= HALF).any():
        raise InputError("expected something visible to read the look from, but that region is transparent")
    return part


def visible_proxy(
    image: np.ndarray, alpha: np.ndarray | None, icc: bytes | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """The proxy in sRGB and where it is visible, as ``iph.images.appearance.small_appearance``, of a checked alpha."""
    check_visible(image, alpha, icc)
    return small_appearance(image, alpha, icc)
