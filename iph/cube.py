"""3D colour lookup tables in the ``.cube`` format (Adobe/IRIDAS Cube LUT Specification 1.0).

Tables are ``(N, N, N, 3)``, indexed ``[red, green, blue]``; in the file red runs fastest.
"""

import io
import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np

from iph.errors import InputError
from iph.files import read_small, replacing

DIGITS = 7  # after the point
LARGEST = 129  # points a side; the specification allows 256, which is a file of half a gigabyte
MOST_BYTES = 128 << 20
LONGEST_LINE = 4096


@dataclass(frozen=True, eq=False)
class Cube:
    """A lookup table (N, N, N, 3) float32, the colours ``low`` and ``high`` (3,) of its corners, and its title."""

    table: np.ndarray
    low: np.ndarray
    high: np.ndarray
    title: str = ""


def lattice(size: int) -> np.ndarray:
    """The table (N, N, N, 3) float64 that changes nothing: its own coordinates in [0, 1]."""
    steps = np.linspace(0.0, 1.0, size)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)


def apply_cube(image: np.ndarray, cube: Cube) -> np.ndarray:
    """``image`` (…, 3) float through the table, trilinear, as float32; colours outside its domain take its border's.

    How it rounds is part of the open benchmark sets, which are built with it bit for bit.
    """
    last = cube.table.shape[0] - 1
    position = np.clip((image - cube.low) / (cube.high - cube.low), 0, 1).reshape(-1, 3) * last  # (K, 3)
    base = np.minimum(position.astype(np.int32), last - 1)
    weight = (position - base).astype(np.float32)
    red, green, blue = (weight[:, i, None] for i in range(3))  # (K, 1)
    table = cube.table.reshape(-1, 3)  # (N³, 3)
    strides = np.array([(last + 1) ** 2, last + 1, 1])
    corner = base @ strides

    def along_blue(start: np.ndarray) -> np.ndarray:
        first = table.take(start, axis=0)
        return first + blue * (table.take(start + 1, axis=0) - first)

    def along_green(start: np.ndarray) -> np.ndarray:
        first = along_blue(start)
        return first + green * (along_blue(start + strides[1]) - first)

    first = along_green(corner)
    return (first + red * (along_green(corner + strides[0]) - first)).reshape(image.shape)


def write_cube(path: str | os.PathLike, table: np.ndarray, title: str, space: str = "sRGB") -> None:
    """Write a table (N, N, N, 3) of the domain [0, 1], as Photoshop, Affinity, Resolve and darktable read it.

    ``space`` names the colours that its numbers are, in and out: programs show the title, people read the comment.
    """
    title, space = ("".join(c for c in text if c.isascii() and c.isprintable() and c != '"') for text in (title, space))
    rows = table.transpose(2, 1, 0, 3).reshape(-1, 3)  # (b, g, r, 3): red fastest -> (N³, 3)
    with replacing(path) as temporary, open(temporary, "w", encoding="ascii", newline="\n") as file:
        file.write(f"# For pictures in {space}: its numbers as they are stored, in and out\n")
        file.write(f'TITLE "{title}"\nLUT_3D_SIZE {table.shape[0]}\n')
        file.write("DOMAIN_MIN 0.0 0.0 0.0\nDOMAIN_MAX 1.0 1.0 1.0\n")
        file.write(_as_text(rows))


def _as_text(rows: np.ndarray) -> str:
    """Rows (K, 3) of colours in [0, 1], each as ``0.1234567 0.1234567 0.1234567``: digit by digit, all rows at once,
    which takes a tenth of the time that formatting takes."""
    left = np.rint(rows * 10.0**DIGITS).astype(np.int32)  # (K, 3)
    text = np.empty((*rows.shape, DIGITS + 3), np.uint8)
    for place in (*range(DIGITS + 1, 1, -1), 0):
        left, digit = np.divmod(left, 10)
        text[..., place] = digit + ord("0")
    text[..., 1], text[..., -1], text[:, -1, -1] = ord("."), ord(" "), ord("\n")
    return text.tobytes().decode()


def read_cube(path: str | os.PathLike) -> Cube:
    """Read a 3D ``.cube`` file. Raises InputError, with the line where there is one, on anything that is not."""
    path = Path(path)
    content = read_small(path, MOST_BYTES, ".cube file")

    size, title, low, high = 0, "", np.zeros(3), np.ones(3)
    colors = array("d")  # three numbers a row: as text and lists they would be ten times the file
    number = last_row = 0
    for number, line in enumerate(_lines(path, content), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        match words[0]:
            case "TITLE":
                title = line.split(None, 1)[-1].strip().strip('"')
            case "LUT_3D_SIZE":
                size = _size(path, number, words[1:])
            case "LUT_1D_SIZE":
                raise InputError(f"{path.name}, line {number}: expected a 3D table, got a 1D one")
            case "DOMAIN_MIN":
                low = np.array(_numbers(path, number, words[1:], 3))
            case "DOMAIN_MAX":
                high = np.array(_numbers(path, number, words[1:], 3))
            case "LUT_3D_INPUT_RANGE":  # DaVinci Resolve's own form of the domain
                low, high = np.repeat(_numbers(path, number, words[1:], 2), 3).reshape(2, 3)
            case word if not word[0].isalpha() or word.lower() in ("nan", "inf"):
                if not size:
                    raise InputError(f"{path.name}, line {number}: expected a line LUT_3D_SIZE before the colours")
                colors.extend(_numbers(path, number, words, 3))
                last_row = number
                if len(colors) > 3 * size**3:
                    break
            # Other keywords are left alone, as the specification asks.
    if not size:
        raise InputError(f"{path.name}: expected a line LUT_3D_SIZE, got none in {number} lines")
    if not (low < high).all():
        raise InputError(f"{path.name}: expected DOMAIN_MIN below DOMAIN_MAX, got {low.tolist()} and {high.tolist()}")
    if len(colors) != 3 * size**3:
        where = f", line {last_row}" if colors else ""
        count = len(colors) // 3
        raise InputError(f"{path.name}{where}: expected {size}³ = {size**3} rows of colours, got {count}")
    table = np.frombuffer(colors).reshape(size, size, size, 3)  # (b, g, r, 3)
    return Cube(table.transpose(2, 1, 0, 3).astype(np.float32, order="C"), low, high, title)


def _lines(path: Path, content: bytes) -> Iterator[str]:
    """The lines of the file, one at a time."""
    with io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", errors="replace") as text:  # any end of line
        while line := text.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE:
                raise InputError(f"{path.name}: expected lines of less than {LONGEST_LINE} letters, got a longer one")
            yield line


def _numbers(path: Path, line: int, words: list[str], count: int) -> list[float]:
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if len(values) != count or not all(map(isfinite, values)):
        raise InputError(f"{path.name}, line {line}: expected {count} numbers, got {len(words)} other words or numbers")
    return values


def _size(path: Path, line: int, words: list[str]) -> int:
    if len(words) != 1 or not words[0].isdecimal() or len(words[0]) > 9 or not 2 <= int(words[0]) <= LARGEST:
        raise InputError(f"{path.name}, line {line}: expected a table size from 2 to {LARGEST}, got another one")
    return int(words[0])
