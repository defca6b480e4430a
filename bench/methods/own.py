"""A person's own method out of a Python file, named on the command line: ``--methods grey-world=grey_world.py``.

The file defines ``harmonize(composite, foreground, reference)`` for (H, W, 3) uint8 and two (H, W) bool masks, the last
one None where a data set has no references, and returns (H, W, 3) uint8. It is run as any Python file is. What the
method is called, and by whom, is said in a JSON file of the same name beside it, where there is one
(``bench.methods.method_card``).
"""

import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench import weights
from bench.methods.method_card import read_card
from bench.methods.registry import Harmonize, Method
from iph.errors import InputError


def method(name: str, path: Path) -> Method:
    """The row ``name`` of the function in ``path``; another version of the file is measured anew."""
    if not path.is_file():
        raise InputError(f"expected the code of {name!r} at {path}, found none")
    card = read_card(path.with_suffix(".json"))
    facts = {"title": name, "citation": "", "year": 0, "venue": "", "kind": "interactive", "looks_at": "reference"}
    facts |= {"licence": "", "note": f"code of {path.name}"} | (card.model_dump(exclude_unset=True) if card else {})
    return Method(
        name=name, build=_build, checksum=lambda own: weights.sha256(own.source), source=path.resolve(), **facts
    )


def _build(own: Method) -> Harmonize:
    spec = importlib.util.spec_from_file_location(own.source.stem, own.source)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a stranger's file raises
        raise InputError(f"expected {own.source} to load, but {type(error).__name__}: {error}") from error
    function = getattr(module, "harmonize", None)
    if not callable(function):
        raise InputError(f"expected a function harmonize(composite, foreground, reference) in {own.source}, found none")

    def harmonize(
        composite: NDArray[np.uint8], foreground: ArrayLike, reference: ArrayLike | None = None
    ) -> NDArray[np.uint8]:
        """On copies, so that a function that writes into what it is given spoils no other method's picture."""
        output = function(composite.copy(), np.array(foreground), None if reference is None else np.array(reference))
        if not isinstance(output, np.ndarray):
            raise InputError(f"expected an array from harmonize in {own.source}, but got {type(output).__name__}")
        return output

    return harmonize
