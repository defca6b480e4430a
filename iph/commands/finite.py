"""Commands whose numbers are numbers: ``nan`` and ``inf`` pass the ranges of a command line's options."""

from collections.abc import Iterator
from math import isfinite

import typer
from typer.core import TyperCommand

from iph.errors import InputError


class FiniteCommand(TyperCommand):
    """A command that refuses options which are no finite number, before it does anything."""

    def invoke(self, ctx: typer.Context) -> object:
        for option in self.params:
            for value in _floats(ctx.params.get(option.name)):
                if not isfinite(value):
                    raise InputError(f"expected a finite number as {option.opts[0]}, got {value}")
        return super().invoke(ctx)


def _floats(value: object) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _floats(one)
