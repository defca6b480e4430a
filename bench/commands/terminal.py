"""What every command does on a terminal: sentences for mistakes, a bar for waiting, lists of names."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from tqdm import tqdm

from iph.errors import InputError

Format = Annotated[str, typer.Option(help="text, markdown, latex, html or csv.")]


@contextmanager
def sentences() -> Iterator[None]:
    """What a person did wrong, or a disk that refuses, is one sentence and exit code 2, never a traceback."""
    try:
        yield
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        where = f" at {error.filename}" if error.filename else ""
        typer.echo(
            f"error: expected files that can be read and written, but: {error.strerror or error}{where}", err=True
        )
        raise typer.Exit(2) from None


def progress(items: Iterable, total: int) -> Iterable:
    """A bar on a terminal's error stream; quiet where nobody looks."""
    return tqdm(items, total=total, unit="image", disable=not sys.stderr.isatty())


def names(given: Iterable[str] | None) -> tuple[str, ...]:
    """What was given with commas or repeated, one by one."""
    return tuple(name for text in given or () for name in text.split(",") if name)
