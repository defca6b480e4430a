"""The options that say where the pasted subject is, and where its new look is read from, turned into masks."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from iph import masks
from iph.commands.folders import same_named
from iph.errors import InputError
from iph.images.imagefile import read_photo
from iph.images.photo import Photo
from iph.masks.forms import HALF, as_levels, as_unit, top_of
from iph.reference import Reference

Box = tuple[float, float, float, float]
Click = tuple[float, float]


@dataclass(frozen=True)
class Foreground:
    """At most one of a mask, a box around the subject, a click on it; otherwise the photo's own alpha channel."""

    mask: Path | None = None
    two_color: Path | None = None
    box: Box | None = None
    click: Click | None = None

    def given(self) -> list[str]:
        """The options that were used. Raises InputError for more than one."""
        options = {
            "--foreground": self.mask,
            "--two-color": self.two_color,
            "--foreground-box": self.box,
            "--foreground-click": self.click,
        }
        used = [name for name, value in options.items() if value is not None]
        if len(used) > 1:
            raise InputError(f"expected the foreground in one way, got {' and '.join(used)}")
        return used

    def read(self, photo: Photo, path: Path) -> np.ndarray:
        """The mask (H, W) in ``photo``, which was read from ``path``: bool, 0/255 or float32 in [0, 1]."""
        shape = photo.pixels.shape
        if self.mask is not None:
            return masks.levels_from_photo(read_photo(same_named(self.mask, path)), shape, "foreground")
        if self.two_color is not None:
            return masks.pair_from_photo(read_photo(same_named(self.two_color, path)), shape)[0]
        if self.box is not None:
            return photo.visible_part(masks.from_box(photo.appearance, self.box))
        if self.click is not None:
            return photo.visible_part(masks.from_click(photo.appearance, self.click))
        if photo.alpha is None:
            raise InputError(
                f"expected a foreground: --foreground, --foreground-box, --foreground-click, --two-color, or an alpha "
                f"channel, which {path.name} does not have"
            )
        return masks.from_alpha(photo.alpha)


@dataclass(frozen=True)
class Pointing:
    """Any number of references. With ``image`` its masks, box and click are in that picture; alone it counts whole."""

    masks: tuple[Path, ...] = ()
    box: Box | None = None
    click: Click | None = None
    image: Path | None = None
    auto: bool = False
    two_color: Path | None = None
    weights: tuple[float, ...] = ()

    def check(self) -> None:
        """Raise InputError for options that do not go together, or for none at all."""
        if self.image is not None and (self.auto or self.two_color is not None):
            other = "--auto" if self.auto else "--two-color"
            raise InputError(f"expected one picture to read the look from, got --reference-image and {other}")
        count = len(self.masks) + sum(one is not None for one in (self.box, self.click, self.two_color)) + self.auto
        if count == 0 and self.image is None:
            raise InputError(
                "expected a reference: --reference, --reference-box, --reference-click, --reference-image, "
                "--two-color or --auto"
            )
        if self.weights and len(self.weights) != max(count, 1):
            raise InputError(f"expected a --weight for each of {max(count, 1)} references, got {len(self.weights)}")

    def read(self, photo: Photo, path: Path, foreground: np.ndarray) -> list[Reference]:
        """The references, in the order of the command's help: masks, two-colour mask, box, click, automatic."""
        other = None if self.image is None else read_photo(same_named(self.image, path))
        looked_at = photo if other is None else other
        shape = looked_at.pixels.shape
        regions = [
            masks.levels_from_photo(read_photo(same_named(mask, path)), shape, "reference", allow_full=True)
            for mask in self.masks
        ]
        if self.two_color is not None:
            regions.append(masks.pair_from_photo(read_photo(same_named(self.two_color, path)), shape)[1])
        if self.box is not None:
            regions.append(masks.from_box_region(shape, self.box))
        if self.click is not None:
            regions.append(masks.from_click(looked_at.appearance, self.click))
        if self.auto:
            hidden = foreground if photo.is_opaque else np.maximum(as_unit(foreground), photo.alpha == 0)
            regions.append(masks.automatic_reference(photo.appearance, hidden))
        weights = self.weights or (1.0,) * max(len(regions), 1)
        picture = {} if other is None else {"image": other.pixels, "alpha": other.alpha, "icc": other.icc}
        return [Reference(mask, weight=w, **picture) for mask, w in zip(regions or [None], weights, strict=True)]


def recorded(references: list[Reference]) -> np.ndarray | None:
    """All regions as one mask, in the 8 bits of a recipe; None where a whole picture was the reference."""
    layers = [reference.mask for reference in references if reference.mask is not None]
    if len(layers) < 2:
        return as_levels(layers[0]) if layers else None
    return as_levels(np.maximum.reduce([as_unit(layer) for layer in layers]))


def share(mask: np.ndarray) -> float:
    """How much of its picture a mask covers, in [0, 1]."""
    return round(float((mask >= HALF * top_of(mask)).mean()), 4)
