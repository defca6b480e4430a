"""The commands and their one way to end: a sentence on stderr instead of a traceback, and a documented exit code."""

import io
import os
import sys
import traceback

import typer

from iph.commands.build import build_app
from iph.commands.cutout import cutout
from iph.commands.export import export
from iph.commands.finite import FiniteCommand
from iph.commands.harmonize import harmonize
from iph.commands.info import info
from iph.commands.train import train
from iph.errors import InputError

FINE, BAD_INPUT, FAULT = 0, 2, 3

ABOUT = """Make a pasted person look shot with the photo (Interactive Portrait Harmonization, Valanarasu et al. 2022).

\b
Start with:
  iph harmonize photo.jpg --foreground mask.png --auto -o result.jpg

Exit codes: 0 all went well; 1 some files of a folder failed, the others are done; 2 wrong usage or input that cannot
be used; 3 a fault of the program. Errors are one sentence on stderr; IPH_DEBUG=1 in the environment shows where
they come from.
"""

app = typer.Typer(help=ABOUT, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command(cls=FiniteCommand)(harmonize)
app.command(cls=FiniteCommand)(cutout)
app.add_typer(build_app, name="build")
app.command(cls=FiniteCommand)(train)
app.command(cls=FiniteCommand)(info)
app.command()(export)


@app.callback(invoke_without_command=True)
def _help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line, of this process or as given, and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file's name need not be text
    try:
        code = app(arguments, standalone_mode=False) or FINE
    except (InputError, typer.TyperException) as error:
        code = BAD_INPUT
        _say(error, error.format_message() if isinstance(error, typer.TyperException) else str(error))
    except MemoryError as error:
        code = BAD_INPUT
        _say(error, "there is not enough memory for this picture")
    except Exception as error:
        named = error.filename if isinstance(error, OSError) else None
        if named is not None:
            code = BAD_INPUT
            _say(error, f"expected a file or folder that can be used, got {str(named)!r}: {error.strerror}")
        else:
            code = FAULT
            _say(error, f"a fault of the program, please report it ({type(error).__name__}: {error})")
    sys.exit(code)


def _say(error: BaseException, sentence: str) -> None:
    if os.environ.get("IPH_DEBUG") == "1":
        traceback.print_exception(error)
    print(f"iph: {' '.join(sentence.split())}", file=sys.stderr)
