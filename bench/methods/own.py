"""A person's own method out of a Python file, named on the command line: ``--methods grey-world=grey_world.py``.

The file defines ``harmonize(composite, foreground, reference)`` for (H, W, 3) uint8 and two (H, W) bool masks, the last
one None where a data set has no references, and returns (H, W, 3) uint8. It is run as a program without arguments is,
and may import modules that lie beside it. What the method is called, and by whom, is said in a JSON file of the same
name beside it, where there is one (``bench.methods.method_card``).
"""

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

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
    facts |= {"licence": "", "note": f"code of {path.name}"} | (card.facts() if card else {})
    return Method(name=name, build=_build, checksum=lambda own: _digest(own.source), source=path.resolve(), **facts)


def _digest(path: Path) -> str:
    """SHA-256 of the file, and of the modules beside it where it imports some."""
    sums = [weights.sha256(file) for file in _sources(path, {})]
    return sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()


def _sources(path: Path, known: dict[Path, None]) -> list[Path]:
    """``path`` and every module beside it that it imports, directly or through another."""
    known[path] = None
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # said when it is loaded
        return list(known)
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        for name in names:
            beside = path.parent.joinpath(*name.split("."))
            for file in (beside.with_suffix(".py"), beside / "__init__.py"):
                if file.is_file() and file not in known:
                    _sources(file, known)
    return list(known)


@contextmanager
def _as_a_program(path: Path, own: dict[str, ModuleType]) -> Iterator[None]:
    """The interpreter as ``python path`` finds it: modules beside it importable, no arguments of ours.

    ``own`` are its modules: two files may each have a ``helper.py`` beside them.
    """
    folder, arguments, before = str(path.parent), sys.argv, {name.partition(".")[0] for name in sys.modules}
    sys.path.insert(0, folder)
    sys.argv = [str(path)]
    sys.modules.update(own)
    try:
        yield
    finally:
        sys.argv = arguments
        sys.path.remove(folder)
        for name in list(sys.modules):
            top = name.partition(".")[0]
            if top not in before and ((path.parent / f"{top}.py").is_file() or (path.parent / top).is_dir()):
                own[name] = sys.modules.pop(name)


def _build(own: Method) -> Harmonize:
    spec = importlib.util.spec_from_file_location(own.source.stem, own.source)
    module = importlib.util.module_from_spec(spec)
    modules = {own.source.stem: module}
    try:
        with _as_a_program(own.source, modules):
            spec.loader.exec_module(module)
    except SystemExit as error:
        raise InputError(
            f"expected {own.source} to define harmonize and go on, but it ended the program (code {error.code}), as "
            f"one that wants arguments does"
        ) from error
    except Exception as error:  # whatever a stranger's file raises
        raise InputError(f"expected {own.source} to load, but {type(error).__name__}: {error}") from error
    function = getattr(module, "harmonize", None)
    if not callable(function):
        raise InputError(f"expected a function harmonize(composite, foreground, reference) in {own.source}, found none")

    def run(*given: NDArray) -> object:
        with _as_a_program(own.source, modules):
            return function(*given)

    return checked(run, f"harmonize in {own.source}")


def checked(function: Callable[..., object], called: str) -> Harmonize:
    """A stranger's function as a method: on copies, so that one that writes into what it is given spoils no other
    method's picture. Its answer must be an array; ``called`` is its name in the sentence where it is not."""

    def harmonize(
        composite: NDArray[np.uint8], foreground: ArrayLike, reference: ArrayLike | None = None
    ) -> NDArray[np.uint8]:
        given = composite.copy(), np.array(foreground), None if reference is None else np.array(reference)
        try:
            output = function(*given)
        except SystemExit as error:
            sentence = f"expected {called} to return, but it ended the program (code {error.code})"
            raise InputError(sentence) from error
        if not isinstance(output, np.ndarray):
            raise InputError(f"expected an array from {called}, but got {type(output).__name__}")
        return output

    return harmonize
