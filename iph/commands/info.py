"""``iph info``: the version, and what is in the weight files."""

import json
from typing import Annotated

import typer


def info(
    weights: Annotated[
        list[str] | None, typer.Argument(help="Shipped names or .safetensors files. [default: all that are shipped]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for scripts.")] = False,
) -> int:
    """Show the version and what is in the weight files.

    Of each file its parameters, size, checksum and settings. A shipped file whose content was altered is named and
    makes the exit code 1.
    """
    from iph.commands.about import about, lines  # not before it is needed: torch takes seconds to import

    whole = about(weights)
    print(json.dumps(whole) if as_json else "\n".join(lines(whole)))
    return int(any("error" in one for one in whole["weights"]))
