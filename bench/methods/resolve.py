"""Methods from the names a person types."""

from collections.abc import Iterable
from pathlib import Path

from bench.errors import unknown
from bench.methods.registry import Method
from bench.methods.table import METHODS

GROUPS = {
    "all": {"direct composite", "classical", "generic", "interactive"},
    "classical": {"direct composite", "classical"},
    "generic": {"generic"},
    "interactive": {"interactive"},
}


def resolve(names: Iterable[str]) -> list[Method]:
    """Methods for names, groups (``all``, ``classical``, ``generic``, ``interactive``) and ``name=WEIGHTS``, each once.

    ``name=WEIGHTS`` is the method with the weights in a file or folder, as a row of its own. A wrong name raises
    ``InputError`` with the nearest right one.
    """
    found: dict[str, Method] = {}
    for name in names:
        for method in _expand(name):
            found.setdefault(method.name, method)
    return list(found.values())


def _expand(name: str) -> list[Method]:
    if name in GROUPS:
        return [method for method in METHODS.values() if method.kind in GROUPS[name]]
    name, given, path = name.partition("=")
    if name not in METHODS:
        raise unknown("method", name, [*METHODS, *GROUPS])
    return [METHODS[name].with_weights(Path(path)) if given else METHODS[name]]
