"""``iph build``: data sets for training and testing, in the one form with ``manifest.csv``."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iph.errors import InputError

if TYPE_CHECKING:
    from iph.data.sources import Source

SHOWN = 5

build_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Build a data set for training and testing.\n\n"
    "One composite a photo, with its foreground, reference and target, and manifest.csv.",
)

Photos = Annotated[
    Path | None,
    typer.Option(
        "--photos",
        metavar="DIR",
        help="Photos with instance masks: images/ID.jpg, masks/ID_K.png, instances.csv and, if you like, split.csv.",
    ),
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to build in; made if it is not there.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Decides which instance, which reference and which look.")]
Luts = Annotated[
    Path | None,
    typer.Option(
        "--luts",
        metavar="DIR",
        help="Film looks (.cube) for half of the LUT looks of the training split; without it all are drawn at random.",
    ),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Only so many photos of each split.")]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes at once; the result is the same. [default: all cores]")
]


@build_app.command()
def intharmony(
    out: Out,
    coco: Annotated[
        Path | None,
        typer.Option(
            "--coco",
            metavar="DIR",
            help="COCO 2017: annotations/instances_train2017.json, train2017/*.jpg, and val2017 alike.",
        ),
    ] = None,
    photos: Photos = None,
    seed: Seed = 0,
    luts: Luts = None,
    limit: Limit = None,
    workers: Workers = None,
) -> int:
    """Composites of any instance beside another one (IntHarmony).

    Paper Sec. 3. From all of COCO: 118,287 composites to train and 959 to test. A photo with one instance takes a
    region of its background as reference; one with none takes random regions as both. Instances below 1 % of the frame
    and crowds are left out. Ctrl-C does no harm: the same command goes on where it stopped.

    \b
    iph build intharmony --coco ~/coco --out data/intharmony
    iph build intharmony --photos ~/photos --out data/small --limit 100 --seed 1
    """
    # Not before they are needed: pandas takes a quarter of a second to import.
    from iph.data.coco import read_coco
    from iph.data.sources import read_photos

    sources = _sources({"--coco": (coco, read_coco), "--photos": (photos, read_photos)})
    return _run(sources, out, seed, luts, limit, workers, people=False)


@build_app.command()
def mhp(
    out: Out,
    mhp: Annotated[Path | None, typer.Option("--mhp", metavar="DIR", help="LV-MHP v1 or v2, as unpacked.")] = None,
    photos: Photos = None,
    seed: Seed = 0,
    luts: Luts = None,
    limit: Limit = None,
    workers: Workers = None,
) -> int:
    """Composites of a person beside another one, for the portrait stage.

    Paper Sec. 4. Photos of fewer than two people of 1 % of the frame are left out. Everything else is as
    in ``iph build intharmony``.

    \b
    iph build mhp --mhp ~/LV-MHP-v2 --out data/mhp
    iph build mhp --photos ~/photos --out data/people
    """
    from iph.data.mhp import read_mhp
    from iph.data.sources import read_photos

    sources = _sources({"--mhp": (mhp, read_mhp), "--photos": (photos, read_photos)})
    return _run(sources, out, seed, luts, limit, workers, people=True)


def _sources(choices: "dict[str, tuple[Path | None, Callable[[Path], list[Source]]]]") -> "list[Source]":
    given = {name: choice for name, choice in choices.items() if choice[0] is not None}
    if len(given) != 1:
        raise InputError(f"expected one of {' and '.join(choices)}, got {' and '.join(given) or 'none of them'}")
    ((folder, read),) = given.values()
    return read(folder)


def _run(
    sources: "list[Source]",
    out: Path,
    seed: int,
    luts: Path | None,
    limit: int | None,
    workers: int | None,
    people: bool,
) -> int:
    from iph.data.build import BuildSettings, build
    from iph.data.manifest import read_manifest
    from iph.data.sources import first_of_each_split

    sources = first_of_each_split(sources, limit) if limit else sources
    chosen = {} if workers is None else {"workers": workers}
    report = build(sources, BuildSettings(out, seed, people, luts, **chosen))
    entries = read_manifest(out)
    splits = ", ".join(f"{count} {split}" for split, count in sorted(Counter(e.split for e in entries).items()))
    unfit = f", {report.unfit} photos without two people left out" if report.unfit else ""
    print(f"{out / 'manifest.csv'}: {splits}; {report.built} built now, {report.kept} before{unfit}")
    for name, sentence in list(report.failures.items())[:SHOWN]:
        print(f"iph: {name}: {sentence}", file=sys.stderr)
    if report.failures:
        failed = f"{count} photos" if (count := len(report.failures)) > 1 else "1 photo"
        print(f"iph: {failed} failed; run again to try only that", file=sys.stderr)
    return int(bool(report.failures))
