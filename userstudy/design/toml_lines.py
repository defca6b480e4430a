"""Finds the line of a key in a TOML text. (``tomllib`` keeps no positions, and people need one.)"""

import re

_HEADER = re.compile(r"^\s*\[(\[?)\s*([^\[\]]+?)\s*\]?\]\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\"'.-]+)\s*=")


def line_of(text: str, path: tuple[str | int, ...]) -> int:
    """The line, from 1, where ``path`` is set: ``("pairs", "golden", 1, "item")`` is ``item`` of the second
    ``[[pairs.golden]]``. For a key that is not there, the line of the nearest table around it."""
    best, depth = 1, 0
    for line, inside in _keys(text):
        common = 0
        while common < min(len(path), len(inside)) and path[common] == inside[common]:
            common += 1
        if common > depth:
            best, depth = line, common
    return best


def _keys(text: str):
    """Yields (line, full path) for every header and key, outside multi-line strings."""
    table: tuple[str | int, ...] = ()
    arrays: dict[tuple, int] = {}
    closing = None
    for number, line in enumerate(text.split("\n"), 1):
        if closing:
            if closing in line:
                closing = None
            continue
        if header := _HEADER.match(line):
            table = _split(header[2])
            if header[1]:
                arrays[table] = arrays.get(table, -1) + 1
                table = (*table, arrays[table])
            yield number, table
        elif key := _KEY.match(line):
            yield number, (*table, *_split(key[1]))
            value = line[key.end() :]
            for quotes in ('"""', "'''"):
                if value.count(quotes) % 2:
                    closing = quotes


def _split(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
