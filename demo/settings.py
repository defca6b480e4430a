"""What an administrator may set by environment: every limit of the demo, with its default and what it means.

``IPH_SESSIONS=20`` sets ``sessions``, and so on for every field of ``Settings``.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from iph.errors import InputError


def _limit(default: float, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True)
class Settings:
    sessions: int = _limit(60, "studio pages with work, in all")
    sessions_per_client: int = _limit(12, "studio pages with work for each client address")
    left_seconds: float = _limit(600, "after which the work of a page that was left is deleted")
    idle_seconds: float = _limit(3600, "after which work that nobody touched is deleted")
    sweep_seconds: float = _limit(15, "between two looks for what is to be deleted")

    page_at_once: int = _limit(4, "studio events done at the same time")
    page_most: int = _limit(40, "studio events done and waiting, in all")
    page_per_client: int = _limit(16, "studio events done and waiting for each client address")
    page_seconds: float = _limit(90, "after which a page is told that its event takes too long")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """The defaults, and what the environment says instead. Raises InputError at anything but a positive number."""
        said = {}
        for one in fields(cls):
            name = variable(one.name)
            if text := environment.get(name, "").strip():
                said[one.name] = _positive(name, text, type(one.default))
        return cls(**said)


def variable(name: str) -> str:
    """The environment variable that sets a field."""
    return f"IPH_{name.upper()}"


def _positive(name: str, text: str, kind: type) -> float:
    try:
        number = kind(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise InputError(f"expected a positive {'number' if kind is float else 'whole number'} in {name}, got {text!r}")
    return number
