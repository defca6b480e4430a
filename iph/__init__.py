"""Interactive Portrait Harmonization: make a pasted person look shot with the photo (Valanarasu et al. 2022).

Names are imported when they are first used (PEP 562): ``iph --help`` needs none of them.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iph.errors import InputError
    from iph.harmonizer import Harmonizer, Result, Session, harmonize, load
    from iph.mapping import ColorMapping
    from iph.masks.cutout import cutout
    from iph.reference import Reference

__all__ = [
    "ColorMapping",
    "Harmonizer",
    "InputError",
    "Reference",
    "Result",
    "Session",
    "cutout",
    "harmonize",
    "load",
]
_HOMES = {"ColorMapping": "mapping", "InputError": "errors", "Reference": "reference", "cutout": "masks.cutout"}


def __getattr__(name: str) -> Any:
    if name in __all__:
        value = getattr(import_module(f"iph.{_HOMES.get(name, 'harmonizer')}"), name)
    elif not name.startswith("_") and find_spec(f"iph.{name}"):
        value = import_module(f"iph.{name}")
    else:
        raise AttributeError(f"module 'iph' has no attribute {name!r}")
    globals()[name] = value  # from now on without asking
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
