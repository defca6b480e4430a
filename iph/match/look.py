"""From regions to a colour mapping with the network that starts from the match: what a session asks of it.

A photo is opened once: shrunk, read by the encoder, mirrored; a region of the same photo costs no second reading. The
network answers twice, and the mean of both errs less than one: a foreground is seen from near and, mirrored, from
farther off; of a reference its whole photo is seen, for what is around it tells the light as well (docs/match.md).

Arrays go in and come out: the networks are the shipped graphs, or torch's (``iph.match.functions``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from iph.errors import InputError
from iph.mapping import ColorMapping
from iph.pixels import FULL_SCALE
from iph.reference import Reference
from iph.runtime.graphs import Function
from iph.views import WHOLE, Window, around, shrink, shrink_mask

WORKING_SIZE = 128  # side of the square that the network of the match sees
SIDE = 192  # of the photo that the encoder sees
CELLS = 16  # a side
NEAR, FAR = 1.5, 3.2  # sides of what is seen of a foreground, in sides of its box


@dataclass(frozen=True)
class MatchFunctions:
    """The networks of a look; S is ``WORKING_SIZE``, N = ``CELLS`` squared.

    ``read``: a ``photo`` (1, 3, 192, 192) in [0, 1] to ``features`` (1, N, 152) and ``kinds`` (1, N, 3).
    ``answer``: as ``iph.match.functions.Answer``. ``psi``: ψ of eq. 7, an ``image`` (B, 3, S, S) and its ``mask`` to a
    code (B, D), or None. ``code``: D.
    """

    read: Function
    answer: Function
    psi: Function | None = None
    code: int = 64


@dataclass(frozen=True)
class Seen:
    """A batch of pictures as the networks read them: ``image`` (B, 3, S, S), ``features`` and ``kinds`` (B, N, …)."""

    image: np.ndarray
    features: np.ndarray
    kinds: np.ndarray

    def mirrored(self) -> "Seen":
        """The mirrored pictures, without another pass of the encoder: their cells, mirrored."""
        cells = (
            part.reshape(len(part), CELLS, CELLS, -1)[:, :, ::-1].reshape(part.shape)  # (B, N, C), columns reversed
            for part in (self.features, self.kinds)
        )
        return Seen(self.image[..., ::-1], *cells)


@dataclass(frozen=True)
class View:
    """A region of a photo as the network sees it, both ways: ``seen`` of 2 pictures, ``mask`` and ``scene``
    (2, 1, S, S); ``scene`` is what of the picture may tell its light. ``region`` (h, w) is the mask on the proxy,
    ``window`` what of that is seen in the first picture."""

    seen: Seen
    mask: np.ndarray
    scene: np.ndarray
    region: np.ndarray
    window: Window


@dataclass(frozen=True)
class Answer:
    """What was made of a view and its mirror image: ``picture`` (2, 3, S, S) in [0, 1]; and what was matched for it:
    the ``attention`` (2, N, N) of its cells to the reference's, and how ``alike`` what they attend to is (2, N)."""

    picture: np.ndarray
    attention: np.ndarray
    alike: np.ndarray


class Photo:
    """A proxy ``image`` (h, w, 3) and, where it is the composite, its ``foreground`` (h, w) float32, None elsewhere;
    ``read`` as in ``MatchFunctions``."""

    def __init__(self, read: Function, image: np.ndarray, foreground: np.ndarray | None = None) -> None:
        self.read, self.image, self.foreground = read, image, foreground

    def view(self, mask: np.ndarray) -> View:
        """The network's view of a reference ``mask`` (h, w) float32 in [0, 1], all of its photo around it."""
        region = _region(mask)
        scene = np.ones_like(region) if self.foreground is None else 1 - _region(self.foreground)
        if not scene.any():  # a foreground that leaves next to nothing
            scene = region
        both = (np.concatenate([part, part[..., ::-1]]) for part in (region, scene))
        return View(self._seen(WHOLE, WHOLE), *both, mask, WHOLE)

    def foreground_view(self) -> View:
        """The network's view of the foreground, from near and from farther off."""
        near, far = (around(self.foreground, margin) for margin in (NEAR, FAR))
        masks = np.concatenate([_region(self.foreground[near]), _region(self.foreground[far])[..., ::-1]])
        return View(self._seen(near, far), masks, np.ones_like(masks), self.foreground, near)

    def _seen(self, near: Window, far: Window) -> Seen:
        """A part of the photo, and the mirror image of another one."""
        both = self._part(near), self._part(far).mirrored()
        return Seen(*(np.concatenate([getattr(way, part.name) for way in both]) for part in fields(Seen)))

    def _part(self, window: Window) -> Seen:
        return self._whole if window is WHOLE else _read(self.read, self.image[window])

    @cached_property
    def _whole(self) -> Seen:
        return _read(self.read, self.image)


class MatchLook:
    """One composite as ``networks`` see it, ``pasted`` or not; ``image`` (h, w, 3) and ``foreground`` (h, w) float32
    are a proxy's."""

    def __init__(self, networks: MatchFunctions, pasted: bool, image: np.ndarray, foreground: np.ndarray) -> None:
        self.networks, self.pasted = networks, pasted
        self.photo = Photo(networks.read, image, foreground)

    @cached_property
    def foreground(self) -> View:
        """The composite's foreground."""
        return self.photo.foreground_view()

    def fit(self, references: Sequence[Reference], r1: float = 1.0, r2: float = 1.0) -> ColorMapping:
        """The mapping towards references (``iph.reference.as_references``) at full strength; r1, r2 of eq. 7.

        The smaller r2, the less is asked whether the match may be believed: at 0 the foreground goes all the way to
        the colours that its cells attend to.
        """
        answers = (self._answer(self._view(one), r1, r2).picture * np.float32(one.weight) for one in references)
        return fitted(self.foreground, sum(answers))

    def matched(self, reference: Reference) -> tuple[Answer, View]:
        """What of a reference was matched with the foreground, and the reference as it was seen."""
        other = self._view(reference)
        return self._answer(other), other

    def _view(self, reference: Reference) -> View:
        photo = self.photo if reference.image is None else Photo(self.networks.read, reference.image)
        return photo.view(reference.mask)

    def _answer(self, other: View, r1: float = 1.0, r2: float = 1.0) -> Answer:
        code = np.zeros((2, self.networks.code), np.float32)
        if r2 != 1:
            if self.networks.psi is None:
                raise InputError(f"expected r2 to be 1 for weights without a colour-transfer encoder (ψ), got {r2:g}")
            code = np.float32(1 - r2) * self.networks.psi(image=other.seen.image, mask=other.mask)[0]
        told = {"pasted": np.full(2, self.pasted, np.float32), "code": code}
        shares = {"r1": np.array(r1, np.float32), "transfer": np.array(1 - r2, np.float32)}
        return Answer(*self.networks.answer(**pair(self.foreground, other), **told, **shares))


def pair(own: View, other: View) -> dict[str, np.ndarray]:
    """A foreground and a reference by the names of ``iph.match.functions.Answer``."""
    return {
        "image": own.seen.image,
        "features": own.seen.features,
        "kinds": own.seen.kinds,
        "foreground": own.mask,
        "other_image": other.seen.image,
        "other_features": other.seen.features,
        "other_kinds": other.seen.kinds,
        "reference": other.mask,
        "scene": other.scene,
    }


def fitted(foreground: View, answer: np.ndarray) -> ColorMapping:
    """The mapping from a view to what was made of its two pictures, (2, 3, S, S): the mean of either's."""
    one, other = (
        ColorMapping.fit(seen.transpose(1, 2, 0), made.transpose(1, 2, 0), mask[0] > 0.5)
        for seen, made, mask in zip(foreground.seen.image, answer, foreground.mask, strict=True)
    )
    return ColorMapping(
        (one.change + other.change) / 2, np.minimum(one.low, other.low), np.maximum(one.high, other.high)
    )


def _read(read: Function, image: np.ndarray) -> Seen:
    return Seen(_planes(shrink(image, WORKING_SIZE)), *read(photo=_planes(shrink(image, SIDE))))


def _region(mask: np.ndarray) -> np.ndarray:
    return shrink_mask(mask, WORKING_SIZE)[None, None]


def _planes(image: np.ndarray) -> np.ndarray:
    """(S, S, 3) of any dtype as (1, 3, S, S) float32 in [0, 1]."""
    planes = np.ascontiguousarray(image.transpose(2, 0, 1), np.float32) / np.float32(FULL_SCALE[image.dtype])
    return planes[None]
