"""``iph cutout``: a photo or a folder of photos in, people with a transparent background out."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from iph.errors import InputError

TRANSPARENT = {".png", ".tif", ".tiff", ".webp"}


def cutout(
    source: Annotated[Path, typer.Argument(metavar="PHOTO", help="A photo, or a folder of them.")],
    out: Annotated[
        Path, typer.Option("--output", "-o", help="The result (PNG, TIFF, or WebP of 8 bits), or a folder for it.")
    ],
    click: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="X Y", help="Whoever or whatever is under this point (pixels)."),
    ] = None,
    box: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option(metavar="X0 Y0 X1 Y1", help="Whoever or whatever is in this box (pixels)."),
    ] = None,
    everybody: Annotated[bool, typer.Option("--everybody", help="All people of the photo.")] = False,
    expand: Annotated[
        float, typer.Option(metavar="PX", help="Move the edge outwards by so many pixels, or inwards if negative.")
    ] = 0.0,
    smooth: Annotated[float, typer.Option(metavar="PX", help="Even out what is finer than so many pixels.")] = 0.0,
    feather: Annotated[float, typer.Option(metavar="PX", help="Soften the edge by so many pixels.")] = 0.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that exist.")] = False,
) -> int:
    """Cut a person out: transparent around them, at the photo's own size, the old background out of their hair.

    \b
    Whoever stands out most:
      iph cutout photo.jpg -o person.png

    \b
    A folder; bad files are reported, the rest is done:
      iph cutout photos/ -o people/

    Exit codes: 0 all went well; 1 some photos of a folder failed, the others are done; 2 wrong usage or input that
    cannot be used.
    """
    # Not before they are needed: --help has no use for them.
    from iph.commands.folders import why_not
    from iph.images.imagefile import read_photo, write_photo
    from iph.masks.cutout import cutout as cut_out
    from iph.masks.edge_adjust import EdgeAdjustment

    if everybody and (click is not None or box is not None):  # before any photo of a folder is read
        raise InputError("expected --everybody, or --click or --box, got both")
    edge = EdgeAdjustment(expand, feather, smooth)
    jobs = _jobs(source, out, overwrite)
    failed = 0
    for photo_path, result in jobs:
        try:
            photo = read_photo(photo_path)
            found = cut_out(photo.pixels, click, box, everybody, alpha=photo.alpha, icc=photo.icc, edge=edge)
            photo = replace(photo, pixels=found.pixels, alpha=found.alpha)  # whose pixels are needed no more
            write_photo(photo, result)
        except Exception as error:  # too large for the memory, perhaps: the others are done all the same
            if not source.is_dir():
                raise
            failed += 1
            print(f"iph: {photo_path.name}: {why_not(error)}", file=sys.stderr)
            continue
        note = f" ({found.note})" if found.note else ""
        print(f"{result}: {found.pixels.shape[1]} x {found.pixels.shape[0]}{note}")
    return int(failed > 0)


def _jobs(source: Path, out: Path, overwrite: bool) -> list[tuple[Path, Path]]:
    """Each photo and where its cut-out goes. Raises InputError before anything is done."""
    from iph.commands.folders import plan, stem

    if not source.is_dir() and not out.is_dir():
        if out.suffix.lower() not in TRANSPARENT:
            raise InputError(f"expected a file that holds transparency (.png, .tif or .webp), got {out.name!r}")
        plan(source, out, None, None, overwrite)
        return [(source, out)]
    sources = [task.source for task in plan(source, out, None, None, True)]
    jobs = [(path, out / f"{stem(path)}.png") for path in sources]
    if len({result for _, result in jobs}) < len(jobs):
        raise InputError(f"expected photos of different names in {source}, but two would become one result")
    there = [result for _, result in jobs if result.exists()]
    if there and not overwrite:
        raise InputError(f"expected new files to write, but {there[0]} exists already; --overwrite replaces them")
    return jobs
