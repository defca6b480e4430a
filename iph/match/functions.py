"""The networks of a look as modules of torch: what is exported, and what answers for weights that do not ship.

Shapes as in ``iph.match.look``: B pictures, S their side, N cells.
"""

from torch import Tensor, nn

from iph.match import closed_form
from iph.match.closed_form import Seen
from iph.match.lab import rgb_to_lab
from iph.match.look import MatchFunctions
from iph.match.network import MatchNetwork
from iph.network import StyleEncoder
from iph.runtime.modules import function
from iph.runtime.precision import quick_autocast
from iph.semantics import Encoder, encoder


class Reading(nn.Module):
    """A ``photo`` (B, 3, 192, 192) to the encoder's features (B, N, 152) and the kinds (B, N, 3) that they tell."""

    def __init__(self, network: Encoder) -> None:
        super().__init__()
        self.network = network

    def forward(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        return closed_form.read(self.network, photo)


class Answer(nn.Module):
    """The harmonized frame (B, 3, S, S) in [0, 1], the match's attention (B, N, N) and how alike it is (B, N).

    ``pasted`` (B,) as in ``MatchNetwork``. The reference's code is ``r1`` times φ's, and ``code`` (B, D) is added;
    ``transfer`` as in ``iph.match.closed_form.match``; both are numbers. ``autocast``: with half the digits, where
    that is quicker and near enough.
    """

    def __init__(self, network: MatchNetwork, autocast: bool = False) -> None:
        super().__init__()
        self.network, self.autocast = network, autocast

    def forward(
        self,
        image: Tensor,
        features: Tensor,
        kinds: Tensor,
        foreground: Tensor,
        other_image: Tensor,
        other_features: Tensor,
        other_kinds: Tensor,
        reference: Tensor,
        scene: Tensor,
        pasted: Tensor,
        code: Tensor,
        r1: Tensor,
        transfer: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        own, other = _seen(image, features, kinds, other_image, other_features, other_kinds)
        with quick_autocast("cpu", self.autocast):
            frame, parts = self.network.parts(own, foreground, other, reference, scene, pasted, r1, code, transfer)
        return frame.clamp(0, 1), parts.attention, parts.alike


class ClosedForm(nn.Module):
    """The frame (B, 3, S, S) in [0, 1] of the match by itself, at its usual shares; inputs as of ``Answer``."""

    def forward(self, foreground: Tensor, reference: Tensor, scene: Tensor, **pictures: Tensor) -> tuple[Tensor]:
        own, other = _seen(**pictures)
        found = closed_form.match(own, foreground, other, reference, scene)
        return (closed_form.matched_frame(found).clamp(0, 1),)


class Code(nn.Module):
    """ψ as a module that returns a tuple: the code (B, D) of a region ``mask`` (B, 1, S, S) of an ``image``."""

    def __init__(self, psi: StyleEncoder) -> None:
        super().__init__()
        self.psi = psi

    def forward(self, image: Tensor, mask: Tensor) -> tuple[Tensor]:
        return (self.psi(image, mask),)


def functions(network: MatchNetwork, psi: StyleEncoder | None = None) -> MatchFunctions:
    """A network of torch as a look asks it: with half the digits, as it is measured."""
    return MatchFunctions(
        function(Reading(encoder())),
        function(Answer(network, autocast=True)),
        psi and function(Code(psi)),
        network.config.base.code,
    )


def _seen(
    image: Tensor, features: Tensor, kinds: Tensor, other_image: Tensor, other_features: Tensor, other_kinds: Tensor
) -> tuple[Seen, Seen]:
    own = Seen(image, rgb_to_lab(image), features, kinds)
    return own, Seen(other_image, rgb_to_lab(other_image), other_features, other_kinds)
