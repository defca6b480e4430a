"""``bench datasets`` and ``bench build-open``: what is here to be measured, and how it is made."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.terminal import progress, sentences
from iph.errors import InputError, unknown


def datasets(
    folder: Annotated[str | None, typer.Argument(help="A folder, or with --root a name, to check.")] = None,
    root: Annotated[Path | None, typer.Option(help="Folder of the named data set.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Look at sizes only, decode no picture.")] = False,
) -> None:
    """What each data set is and where to get it; with FOLDER, one report about what lies there."""
    from bench.datasets.catalogue import CATALOGUE, open_dataset
    from bench.datasets.check import check, describe

    with sentences():
        if folder is None:
            for name, source in CATALOGUE.items():
                typer.echo("\n".join(describe(name, source)))
            return
        report = check(open_dataset(folder, root), read_all=not quick)
        typer.echo("\n".join(report.lines()))
    if not report.sound:
        raise typer.Exit(1)


def build_open(
    out: Annotated[Path, typer.Option(help="Where the sets' folders are made.")],
    photos: Annotated[Path | None, typer.Option(help="Photo folder: images/, masks/.")] = None,
    coco: Annotated[Path | None, typer.Option(help="COCO's instances_*.json: build the counterparts.")] = None,
    images: Annotated[Path | None, typer.Option(help="COCO's image folder, with --coco.")] = None,
    name: Annotated[list[str] | None, typer.Option(help="Only this set; may be repeated.")] = None,
) -> None:
    """Rebuild IntHarmony-Open, Portrait-Open and Belief-Open bit for bit, or the first two's counterparts from COCO."""
    from bench.datasets.coco_counterpart import build_counterpart
    from bench.datasets.manifest import read_manifest
    from bench.datasets.open_sets import DEFINITIONS, build

    ending = ".csv" if coco is None else ".coco.csv"
    names = sorted(path.name.removesuffix(ending) for path in DEFINITIONS.glob(f"*{ending}"))
    known = [name for name in names if "." not in name]
    failed = False
    with sentences():
        if (photos is None) == (coco is None) or (coco is None) != (images is None):
            raise InputError("expected either --photos DIR, or --coco FILE with --images DIR")
        for chosen in name or [set_ for set_ in known if set_ != "sample"]:
            if chosen not in known:
                raise unknown("open set", chosen, known)
            if coco is not None:
                lost = build_counterpart(chosen, coco, images, out, progress)
                typer.echo(f"{chosen}-coco: built in {out}, {len(lost)} composites without image or annotation")
                continue
            different = build(chosen, photos, out, progress)
            digest = read_manifest(out / chosen).content_hash()
            verdict = "identical to the published set" if not different else f"{different} composites DIFFER"
            typer.echo(f"{chosen}: {out / chosen}, data {digest}, {verdict}")
            failed |= different > 0
    if failed:
        typer.echo("error: other pictures than the published ones: do not compare their numbers", err=True)
        raise typer.Exit(1)
