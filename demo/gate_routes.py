"""The routes that this server has, mounted apps included: method, path, and how large a body may come there."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

READ = ("GET", "HEAD")


@dataclass(frozen=True)
class Route:
    """``path``: a pattern that the whole decoded path must match. ``body``: the kind of its limit."""

    methods: tuple[str, ...]
    path: str
    body: str = "small"

    @cached_property
    def pattern(self) -> re.Pattern:
        return re.compile(self.path)


def find_route(routes: Iterable[Route], method: str, path: str) -> Route | None:
    """The route that a request is for, None where there is none."""
    if re.search(r"[\x00-\x1f\x7f\\]|//|/\.\.?(?:/|$)", path):  # leads elsewhere, or is meant to
        return None
    return next((route for route in routes if method in route.methods and route.pattern.fullmatch(path)), None)


NAME = r"[\w.~-]+"
FILE = rf"(?:{NAME}/)*{NAME}"
