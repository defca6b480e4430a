"""What an administrator may set by environment: every setting of the demo, with its default and what it means.

``IPH_SESSIONS=20`` sets ``sessions``, and so on for every field of ``Settings``. Lists are parted by commas; yes and no
are 1 and 0. ``python -m demo.settings`` prints the README's table of them.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from iph.errors import InputError


def _setting(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True)
class Settings:
    hosts: tuple[str, ...] = _setting((), "names that this server answers to, * for any; else its own")
    proxies: tuple[str, ...] = _setting((), "proxies in front, as addresses or networks, * for any: they say who asks")
    proxy_hops: int = _setting(1, "such proxies one behind the other")
    frames: tuple[str, ...] = _setting((), "sites that may show a page of this server inside theirs")
    metrics: str = _setting("", "address:port of its own for the figures (Prometheus); else none")
    metrics_token: str = _setting("", "word that /metrics on the visitors' port asks for, as a Bearer token; else none")
    log_json: bool = _setting(False, "say everything as JSON, one object a line, with a line for every request")
    free_bytes: int = _setting(256 << 20, "free disk for pictures below which /readyz says no")

    api: bool = _setting(True, "offer the named API")
    mcp: bool = _setting(True, "offer the same functions as MCP tools")

    connections: int = _setting(1000, "open at a time, in all")
    connections_per_client: int = _setting(200, "and from one address: that of a classroom, perhaps")
    dashboards: int = _setting(300, "pages of the dashboard that are open at a time, in all")
    dashboards_per_client: int = _setting(60, "and from one address")
    head_seconds: float = _setting(20, "until a connection has said what it wants")
    chunk_seconds: float = _setting(30, "until the next part of a request is there")
    body_seconds: float = _setting(600, "until all of it is")

    sessions: int = _setting(60, "visitors whose work is kept, in all")
    sessions_per_client: int = _setting(12, "and from one address")
    left_seconds: float = _setting(600, "until the work of a page that was left is deleted")
    idle_seconds: float = _setting(3600, "until work that nobody touches is deleted")

    temporary_bytes: int = _setting(4 << 30, "disk for visitors' pictures, in all")
    temporary_bytes_per_client: int = _setting(1 << 30, "and from one address")
    file_seconds: float = _setting(600, "until files given to or by the API and MCP are deleted")
    sweep_seconds: float = _setting(15, "between two looks at what is to be deleted and how much there is")

    requests_per_second: float = _setting(4, "from one address, in the long run; an upload counts as four")
    requests_at_once: float = _setting(120, "from one address, at first and after a pause")
    uploads: int = _setting(16, "on their way at a time, in all")
    uploads_per_client: int = _setting(4, "and from one address")

    page_at_once: int = _setting(4, "events of studio pages that are done at a time")
    page_events: int = _setting(40, "that are done or wait, in all")
    page_events_per_client: int = _setting(16, "and from one address")
    page_seconds: float = _setting(90, "until a page is told that its event takes too long")

    api_at_once: int = _setting(1, "calls of the named API that are done at a time")
    api_calls: int = _setting(40, "that are done or wait, in all")
    api_calls_per_client: int = _setting(12, "and from one address")
    api_seconds: float = _setting(180, "until a caller is told that it takes too long")

    mcp_at_once: int = _setting(1, "calls of MCP tools that are done at a time")
    mcp_calls: int = _setting(20, "that are done or wait, in all")
    mcp_calls_per_client: int = _setting(4, "and from one address")
    mcp_seconds: float = _setting(180, "until a caller is told that it takes too long")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """The defaults, and what the environment says instead. Raises InputError at what makes no sense."""
        said = {}
        for one in fields(cls):
            if text := environment.get(variable(one.name), "").strip():
                said[one.name] = _read(variable(one.name), text, one.type)
        return cls(**said)


def variable(name: str) -> str:
    """The environment variable that sets a field."""
    return f"IPH_{name.upper()}"


def _read(name: str, text: str, kind: type) -> Any:
    """What a text of the environment says, for a field of this type."""
    if kind in (int, float):
        return _positive(name, text, kind)
    if kind is bool:
        if text not in ("0", "1"):
            raise InputError(f"expected 1 or 0 in {name}, got {text!r}")
        return text == "1"
    if kind is str:
        return text
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


def _positive(name: str, text: str, kind: type) -> float:
    try:
        number = kind(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise InputError(f"expected a positive {'number' if kind is float else 'whole number'} in {name}, got {text!r}")
    return number


def _plain(default: Any) -> str:
    """A default as the environment would say it."""
    if isinstance(default, bool):
        return str(int(default))
    return ",".join(default) if isinstance(default, tuple) else str(default)


def table() -> str:
    """All settings as Markdown."""
    cells = [(f"`{variable(one.name)}`", _plain(one.default), one.metadata["meaning"]) for one in fields(Settings)]
    rows = ["| variable | default | what it is |", "| --- | --- | --- |", *(f"| {' | '.join(row)} |" for row in cells)]
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
