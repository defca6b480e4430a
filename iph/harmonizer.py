"""Harmonize a photo: load a network, open a composite once, try references often (paper Sec. 4).

The network sees a small picture. What it did there is fitted with a colour mapping, and the mapping is applied to the
photo at its own size, inside the foreground only.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from iph.adjustments import NEUTRAL, Adjustments
from iph.errors import InputError
from iph.mapping import ColorMapping, check_amount
from iph.masks.forms import as_mask
from iph.match.look import MatchFunctions, MatchLook
from iph.match.overlay import overlays
from iph.pixels import as_picture, is_grey
from iph.reference import References, as_references, visible_proxy
from iph.runtime.graphs import Graph
from iph.runtime.shipped import check_torch, locate
from iph.views import read_mask

if TYPE_CHECKING:  # torch takes seconds to import, and what ships does without
    from iph.network import Network, StyleEncoder
    from iph.style_look import StyleLook


@dataclass(frozen=True)
class Setting:
    """What ships under a name: the networks or the weights in torch, whether the foreground is told to be pasted, and
    the weights' ψ."""

    networks: MatchFunctions | str | Path
    pasted: bool
    psi: str | None = None


REMEMBERED = 16  # harmonizers, those of files among them
MATCH = MatchFunctions(Graph("semantics"), Graph("match", rearranged=False), Graph("psi-match"))
SETTINGS = {
    "portrait": Setting(MATCH, True),
    "general": Setting(MATCH, False),
    "small-portrait": Setting("small-portrait", True, "psi-small-portrait"),
    "small": Setting("small", False, "psi-small"),
}


@dataclass(frozen=True, eq=False)
class Result:
    """A harmonized photo: ``image`` has the input's shape and dtype, and its very pixels outside the foreground.

    ``mapping`` is the colour change that was applied, in sRGB: ``.apply(image)``, ``.save_cube("look.cube")``; either
    takes the ``icc`` of a picture with another profile.
    """

    image: np.ndarray
    mapping: ColorMapping


class Harmonizer:
    """Loaded networks: those of a match, or one of style codes with ``psi``, ψ, the second style encoder of eq. 7.

    ``pasted``: the foreground came from another photo, so that its light is another; False where it belongs to the
    photo and only its colours were changed. Networks of style codes are not told.
    """

    def __init__(
        self, network: "MatchFunctions | Network", psi: "StyleEncoder | None" = None, pasted: bool = True
    ) -> None:
        self.network, self.psi, self.pasted = network, psi, pasted

    def look(self, image: np.ndarray, foreground: np.ndarray) -> "StyleLook | MatchLook":
        """What the network makes of a proxy ``image`` (h, w, 3) and its ``foreground`` (h, w) float32."""
        if isinstance(self.network, MatchFunctions):
            return MatchLook(self.network, self.pasted, image, foreground)
        from iph.style_look import StyleLook

        return StyleLook(self.network, self.psi, image, foreground)

    def open(
        self,
        image: np.ndarray,
        foreground: np.ndarray,
        *,
        alpha: np.ndarray | None = None,
        icc: bytes | None = None,
    ) -> "Session":
        """A session on one composite: ``image`` (H, W, 3) uint8, uint16 or float32 in [0, 1]; ``foreground`` (H, W)
        bool, 0/255 or [0, 1].

        alpha: (H, W), any such dtype, where the picture is visible: what lies under 0 has no say and does not change.
        icc: the RGB profile whose numbers ``image`` holds, None for sRGB. Raises InputError for what cannot be used.
        """
        image = as_picture(image)
        small, visible = visible_proxy(image, alpha, icc)
        foreground, small_foreground = read_mask(foreground, image.shape, small.shape, "foreground")
        if visible is not None:
            foreground = np.where(alpha > 0, foreground, np.zeros(1, foreground.dtype))
            small_foreground = as_mask(np.where(visible > 0, small_foreground, 0), small.shape, "visible foreground")
        return Session(self, image, small, foreground, small_foreground, visible, icc)


class Session:
    """One open composite. ``fit_mapping`` runs the network, ``render`` applies its answer; ``harmonize`` does both.

    Networks see ``small_image``, the proxy in sRGB with nothing hidden in it, and answer with a mapping in sRGB;
    ``small_alpha`` (h, w) float32 says where it is visible, None for all of it.
    """

    def __init__(
        self,
        harmonizer: Harmonizer,
        image: np.ndarray,
        small_image: np.ndarray,
        foreground: np.ndarray,
        small_foreground: np.ndarray,
        small_alpha: np.ndarray | None = None,
        icc: bytes | None = None,
    ) -> None:
        self.harmonizer = harmonizer
        self.small_alpha, self.icc = small_alpha, icc
        self.image, self.small_image = image, small_image
        self.foreground, self.small_foreground = foreground, small_foreground
        self._look = harmonizer.look(small_image, small_foreground)

    @cached_property
    def is_grey(self) -> bool:
        """Whether the composite has no colours: then it gets none, and only its brightness is changed."""
        return is_grey(self.small_image)

    def harmonize(
        self,
        reference: References | None = None,
        *,
        reference_image: np.ndarray | None = None,
        strength: float = 1.0,
        luminance: float = 1.0,
        chroma: float = 1.0,
        r1: float = 1.0,
        r2: float = 1.0,
        adjustments: Adjustments = NEUTRAL,
    ) -> Result:
        """The composite in the look of ``reference``: a mask (H, W), a ``Reference`` or a list of them with weights.

        reference_image: (h, w, 3) in sRGB, read the look from this picture; its mask is ``reference``, None for all
        of it. One with a profile or an alpha channel goes into a ``Reference``.
        strength, luminance, chroma: how much of the change, and of its two parts, from 0 to 2.
        r1, r2: of eq. 7, γ = r1 · φ(reference) + (1 − r2) · ψ(reference). Both 1: plain harmonization; the smaller r2,
        the more of the reference's own colours. ``portrait`` and ``general`` then also follow the match beyond what it
        believes (ours; ``iph.match.look``).
        adjustments: what is adjusted by hand after that, as a photographer says it.
        """
        mapping = self.fit_mapping(reference, reference_image=reference_image, r1=r1, r2=r2)
        mapping = self.adjusted(mapping, adjustments)
        return self.render(mapping, strength=strength, luminance=luminance, chroma=chroma)

    def fit_mapping(
        self,
        reference: References | None = None,
        *,
        reference_image: np.ndarray | None = None,
        r1: float = 1.0,
        r2: float = 1.0,
    ) -> ColorMapping:
        """The colour mapping towards a reference at full strength; arguments as in ``harmonize``."""
        check_amount("r1", r1)
        check_amount("r2", r2)
        mapping = self._look.fit(as_references(reference, reference_image, self), r1, r2)
        return mapping.in_grey() if self.is_grey else mapping

    def adjusted(self, mapping: ColorMapping, adjustments: Adjustments) -> ColorMapping:
        """A mapping with adjustments by hand; a photo without colours gets none."""
        return mapping.adjusted(adjustments.in_grey() if self.is_grey else adjustments)

    def matched(
        self, reference: References | None = None, *, reference_image: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """What was matched with what, to be laid over: one reference as in ``harmonize``.

        Two overlays (h, w, 4) uint8 with straight alpha, one over the composite's proxy, one over that of the
        reference's picture: of one colour is what was matched. Raises InputError for a network without a match.
        """
        if not isinstance(self._look, MatchLook):
            raise InputError("expected a network that matches the foreground with the reference, got one that does not")
        listed = as_references(reference, reference_image, self)
        if len(listed) != 1:
            raise InputError(f"expected one reference to show what was matched, got {len(listed)}")
        found, other = self._look.matched(listed[0])
        return overlays(found, self._look.foreground, other)

    def render(
        self, mapping: ColorMapping, *, strength: float = 1.0, luminance: float = 1.0, chroma: float = 1.0
    ) -> Result:
        """Apply a mapping to the foreground of the open photo, at its own size."""
        mapping = mapping.blended(strength, luminance, chroma)
        return Result(mapping.apply(self.image, self.foreground, self.icc), mapping)


def load(model: str | Path = "portrait", pasted: bool | None = None) -> Harmonizer:
    """The harmonizer of a shipped name or a .safetensors path.

    ``portrait``, the default, is told that the foreground was pasted from another photo; ``general``, the same
    weights, that it belongs to this one: it looks at all of the photo unless the reference has the like of nearly all
    of it, so that pointing decides little.
    ``small`` and ``small-portrait`` are the networks of style codes without the match. Weights at a path are told that
    it was pasted. ``pasted`` says otherwise.

    Raises InputError for an unknown name, a missing or an altered file.
    """
    if model in SETTINGS:
        return _made(SETTINGS[model], pasted, None)
    path = locate(model, SETTINGS)
    return _made(Setting(path, True), pasted, path.stat().st_mtime_ns)


@lru_cache(REMEMBERED)
def _made(setting: Setting, pasted: bool | None, written: int | None) -> Harmonizer:
    """What ``load`` returns; ``written``: when the file was, for it may be written anew."""
    told = setting.pasted if pasted is None else pasted
    if isinstance(setting.networks, MatchFunctions):
        for graph in (setting.networks.read, setting.networks.answer):
            graph.check()
        return Harmonizer(setting.networks, None, told)
    check_torch(f"the model {str(setting.networks)!r}")
    from iph.checkpoint import load_harmonizer, load_network
    from iph.match import functions, network

    if network.is_match(setting.networks):
        return Harmonizer(functions.functions(network.load_match_network(setting.networks)), None, told)
    psi = load_network(setting.psi) if setting.psi else None
    return Harmonizer(load_harmonizer(setting.networks), psi, told)


def harmonize(
    image: np.ndarray,
    foreground: np.ndarray,
    reference: References | None = None,
    *,
    model: str | Path = "portrait",
    alpha: np.ndarray | None = None,
    icc: bytes | None = None,
    **options,
) -> Result:
    """Harmonize one photo: ``image``, ``foreground``, ``alpha`` and ``icc`` as in ``Harmonizer.open``, others as in
    ``Session.harmonize``.

    The result's image has the input's shape and dtype, and outside the foreground it is bit-identical to the input.
    """
    return load(model).open(image, foreground, alpha=alpha, icc=icc).harmonize(reference, **options)
