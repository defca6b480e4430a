"""What a wrong reference costs: predictions of ``iph`` that look at a region of another photo.

``python -m bench.wrong_reference --dataset DIR --model small --out DIR`` writes one picture an entry; ``bench run
--predictions iph-wrong-reference=DIR`` measures them beside the right ones. The other photo is the next one in the
manifest.
"""

from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

import iph
from bench.commands.terminal import sentences
from bench.datasets.catalogue import open_dataset
from bench.datasets.manifest import Entry
from bench.datasets.pictures import load
from bench.evaluation.store import make_folder
from bench.methods import METHODS
from bench.methods.method_card import MethodCard
from iph.data.pictures import write_picture
from iph.errors import InputError
from iph.files import write_json

MEASURED_AS = {"small": "iph", "small-portrait": "iph-pp", "general": "iph-match", "portrait": "iph-match-pasted"}


def other_photo(entries: tuple[Entry, ...], place: int) -> Entry:
    """The first entry after ``place``, going round, that comes from another photo and has a reference."""
    for step in range(1, len(entries)):
        candidate = entries[(place + step) % len(entries)]
        if candidate.photo != entries[place].photo and candidate.reference is not None:
            return candidate
    raise InputError("expected at least two photos in the data set, found one")


def card(model: str) -> MethodCard:
    """What the pictures are, for the table."""
    measured = METHODS[MEASURED_AS.get(model, "iph")]
    title = measured.title if model in MEASURED_AS else "IPH (ours)"
    note = f"weights {model}, shown a region of another photo"
    return MethodCard(**measured.card() | {"title": f"{title}, wrong reference", "parameters": None, "note": note})


def main(
    dataset: Annotated[str, typer.Option(help="A name or a folder, as for `bench run`.")],
    out: Annotated[Path, typer.Option(help="Folder for the predictions.")],
    model: Annotated[str, typer.Option(help="Weights of iph.")] = "small",
    size: Annotated[int, typer.Option(help="Side of the pictures.")] = 256,
    root: Annotated[Path | None, typer.Option(help="Folder of the named data set.")] = None,
) -> None:
    """Harmonize every composite towards a region of another photo."""
    with sentences():
        entries = open_dataset(dataset, root).entries
        harmonizer = iph.load(model)
        make_folder(out)
        write_json(out / "method.json", card(model).model_dump())
        for place, entry in enumerate(tqdm(entries, unit="image")):
            picture, other = load(entry, size), load(other_photo(entries, place), size)
            session = harmonizer.open(picture.composite, picture.foreground)
            result = session.harmonize(other.reference, reference_image=other.composite)
            write_picture(out / f"{entry.id}.png", result.image)


if __name__ == "__main__":
    typer.run(main)
