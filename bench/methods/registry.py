"""What a compared method is: how it is cited, what it looks at, where its weights are, and how to run it."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.methods.method_card import MethodCard
from iph.errors import InputError

Harmonize = Callable[[NDArray[np.uint8], ArrayLike, ArrayLike | None], NDArray[np.uint8]]
"""(composite (H, W, 3) uint8, foreground (H, W) bool, uint8 0-255 or float in [0, 1], reference alike or None)
→ (H, W, 3) uint8."""


@dataclass(frozen=True)
class Method:
    """One row of the table.

    ``weights`` names what has to be loaded, None for a method without any; ``source`` is a file or folder given in
    place of the usual one. ``parameters`` counts what is learnt. ``note`` says how it is run where that is a choice.
    ``published``: the weights are those of a network in ``bench.networks.NETWORKS``. What follows it is what a method
    from elsewhere says of itself (``MethodCard``).
    """

    name: str
    title: str
    citation: str
    year: int
    venue: str
    kind: Literal["direct composite", "classical", "generic", "interactive"]
    looks_at: Literal["nothing", "background", "reference"]
    licence: str
    build: Callable[["Method"], Harmonize]
    lacks: Callable[["Method"], str | None] = lambda method: None
    checksum: Callable[["Method"], str | None] = lambda method: None
    weights: str | None = None
    source: Path | None = None
    parameters: int | None = None
    note: str = ""
    published: bool = False
    authors: tuple[str, ...] = ()
    paper: str = ""
    code: str = ""
    hardware: str = ""
    bibtex: str = ""

    def make(self) -> Harmonize:
        """Load what the method needs; the answer harmonizes one composite at a time. Raises ``InputError``."""
        reason = self.missing()
        if reason is not None:
            raise InputError(f"{self.name}: {reason}")
        return self.build(self)

    def missing(self) -> str | None:
        """None when the method can run here, else "weights missing: …" with what to do."""
        return self.lacks(self)

    def availability(self) -> str:
        """What ``missing`` says, "ready" with the checksum, or "weights damaged: …" where that has changed."""
        try:
            return self.missing() or f"ready, SHA-256 {self.digest()}"
        except InputError as error:
            return f"weights damaged: {error}"

    def digest(self) -> str | None:
        """SHA-256 of the weights in use, None for a method without any."""
        return self.checksum(self)

    def card(self) -> dict:
        """What tables and the dashboard show: the fields of ``MethodCard``."""
        return {name: getattr(self, name) for name in MethodCard.model_fields}

    def with_weights(self, path: Path) -> "Method":
        """The same method with weights from ``path``, as a row of its own name.

        The folder is in the name, because ``iph train`` calls every result best.safetensors; no "/" is, because kept
        pictures lie in a folder of that name.
        """
        if self.weights is None:
            raise InputError(f"expected a method with weights before '=', but {self.name!r} has none")
        if not path.exists():
            raise InputError(f"expected weights for {self.name!r} at {path}, but nothing is there")
        whole = Path(os.path.abspath(path))
        title = f"{self.title} (weights {whole.parent.name}/{whole.name})"
        name = f"{self.name}={whole.parent.name}-{whole.name}"
        return replace(self, name=name, title=title, source=whole, parameters=None)


def card_of(method: Method | None, name: str, note: str = "") -> dict:
    """The card of ``method``, or that of pictures called ``name`` of which nobody said more than ``note``."""
    if method is not None:
        return method.card()
    return {"title": name, "kind": "predictions", "looks_at": "", "venue": "", "note": note}
