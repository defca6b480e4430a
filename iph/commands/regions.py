"""The options that say where the pasted subject is, and where its new look is read from, turned into masks."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from iph import masks
from iph.commands.folders import same_named
from iph.errors import InputError
from iph.images.imagefile import read_photo
from iph.images.photo import Photo
from iph.masks.forms import HALF
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
        """The mask (H, W) float32 in [0, 1] in ``photo``, which was read from ``path``."""
        pixels = photo.pixels
        if self.mask is not None:
            return masks.from_photo(read_photo(same_named(self.mask, path)), pixels.shape, "foreground")
        if self.two_color is not None:
            return masks.pair_from_photo(read_photo(same_named(self.two_color, path)), pixels.shape)[0]
        if self.box is not None:
            return masks.from_box(pixels, self.box)
        if self.click is not None:
            return masks.from_click(pixels, self.click)
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
        picture, visible = None, None
        if self.image is not None:
            other = read_photo(same_named(self.image, path)).converted_to(photo.icc)
            picture, visible = other.pixels, _visible(other)
        pixels = photo.pixels if picture is None else picture
        regions = [
            masks.from_photo(read_photo(same_named(mask, path)), pixels.shape, "reference", allow_full=True)
            for mask in self.masks
        ]
        if self.two_color is not None:
            regions.append(masks.pair_from_photo(read_photo(same_named(self.two_color, path)), pixels.shape)[1])
        if self.box is not None:
            regions.append(masks.from_box_region(pixels.shape, self.box))
        if self.click is not None:
            regions.append(masks.from_click(pixels, self.click))
        if self.auto:
            regions.append(masks.automatic_reference(pixels, foreground))
        if visible is not None:  # what is transparent has no look, whatever colours the file has there
            regions = [np.minimum(region, visible) for region in regions] or [visible]
            if any((region < HALF).all() for region in regions):
                raise InputError(f"expected something visible to read the look from, but {self.image.name} is clear")
        weights = self.weights or (1.0,) * max(len(regions), 1)
        return [Reference(mask, picture, weight) for mask, weight in zip(regions or [None], weights, strict=True)]


def _visible(photo: Photo) -> np.ndarray | None:
    """The alpha (H, W) float32 in [0, 1] of a picture; None where it is opaque or has none."""
    if photo.alpha is None:
        return None
    full = np.iinfo(photo.alpha.dtype).max
    return None if photo.alpha.min() == full else photo.alpha.astype(np.float32) / np.float32(full)


def recorded(references: list[Reference]) -> np.ndarray | None:
    """All regions as one mask, for a recipe; None where a whole picture was the reference."""
    layers = [reference.mask for reference in references if reference.mask is not None]
    return np.maximum.reduce(layers) if layers else None


def share(mask: np.ndarray) -> float:
    """How much of its picture a mask covers, in [0, 1]."""
    return round(float((mask >= HALF).mean()), 4)
