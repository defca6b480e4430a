"""Methods from the names a person types."""

from collections.abc import Iterable
from pathlib import Path

from bench.methods import own
from bench.methods.all_methods import METHODS
from bench.methods.registry import Method
from iph.errors import InputError, unknown

GROUPS = {
    "all": {"direct composite", "classical", "generic", "interactive"},
    "classical": {"direct composite", "classical"},
    "generic": {"generic"},
    "interactive": {"interactive"},
}


def resolve(names: Iterable[str]) -> list[Method]:
    """Methods for names, groups (``all``, ``classical``, ``generic``, ``interactive``) and one's own, each once.

    ``name=WEIGHTS`` is the method with the weights in a file or folder, ``name=CODE.py`` a new one as ``own.py`` says.
    A wrong name raises ``InputError`` with the nearest right one, and so do two files under one name.
    """
    found: dict[str, Method] = {}
    for name in names:
        for method in _expand(name):
            source = found.setdefault(method.name, method).source
            if source != method.source:
                raise InputError(
                    f"expected every name for one file, but {method.name!r} would be {source} and {method.source}"
                )
    return list(found.values())


def _expand(name: str) -> list[Method]:
    if name in GROUPS:
        return [method for method in METHODS.values() if method.kind in GROUPS[name]]
    name, given, path = name.partition("=")
    if path.endswith(".py"):
        if name in ("", *METHODS, *GROUPS):
            raise InputError(f"expected a new name for the method in {path}, but got {name!r}")
        return [own.method(name, Path(path))]
    if name not in METHODS:
        raise unknown("method", name, [*METHODS, *GROUPS])
    return [METHODS[name].with_weights(Path(path)) if given else METHODS[name]]
