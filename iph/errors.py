"""The one error of ``iph`` and ``bench`` that is meant for a person to read."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """What was given cannot be used. The message is one sentence: what was expected, and what came."""


def unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """The error for a wrong ``name``, with the nearest right one where there is one."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return InputError(f"expected a {kind} among {', '.join(known)}, but got {name!r}{hint}")
