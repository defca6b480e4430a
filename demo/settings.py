"""What an administrator may set by environment: every limit of the demo, with its default and what it means.

``IPH_SESSIONS=20`` sets ``sessions``, and so on for every field of ``Settings``. ``python -m demo.settings`` prints the
README's table of them.
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
    sessions: int = _limit(60, "visitors whose work is kept, in all")
    sessions_per_client: int = _limit(12, "and from one address")
    left_seconds: float = _limit(600, "until the work of a page that was left is deleted")
    idle_seconds: float = _limit(3600, "until work that nobody touches is deleted")

    temporary_bytes: int = _limit(4 << 30, "disk for visitors' pictures, in all")
    temporary_bytes_per_client: int = _limit(1 << 30, "and from one address")
    file_seconds: float = _limit(3600, "until files given to or by the API and MCP are deleted")
    sweep_seconds: float = _limit(15, "between two looks at what is to be deleted and how much there is")

    requests_per_second: float = _limit(4, "from one address, in the long run; an upload counts as four")
    requests_at_once: float = _limit(120, "from one address, at first and after a pause")
    uploads: int = _limit(16, "on their way at a time, in all")
    uploads_per_client: int = _limit(4, "and from one address")

    page_at_once: int = _limit(4, "events of studio pages that are done at a time")
    page_events: int = _limit(40, "that are done or wait, in all")
    page_events_per_client: int = _limit(16, "and from one address")
    page_seconds: float = _limit(90, "until a page is told that its event takes too long")

    api_at_once: int = _limit(1, "calls of the named API that are done at a time")
    api_calls: int = _limit(40, "that are done or wait, in all")
    api_calls_per_client: int = _limit(12, "and from one address")
    api_seconds: float = _limit(180, "until a caller is told that it takes too long")

    mcp_at_once: int = _limit(1, "calls of MCP tools that are done at a time")
    mcp_calls: int = _limit(20, "that are done or wait, in all")
    mcp_calls_per_client: int = _limit(4, "and from one address")
    mcp_seconds: float = _limit(180, "until a caller is told that it takes too long")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """The defaults, and what the environment says instead. Raises InputError at anything but a positive number."""
        said = {}
        for one in fields(cls):
            if text := environment.get(variable(one.name), "").strip():
                said[one.name] = _positive(variable(one.name), text, one.type)
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


def table() -> str:
    """All settings as Markdown."""
    rows = [f"| `{variable(one.name)}` | {one.default} | {one.metadata['meaning']} |" for one in fields(Settings)]
    return "\n".join(["| variable | default | what it is |", "| --- | --- | --- |", *rows])


if __name__ == "__main__":
    print(table())
