"""How far skin's hue lies from the truth's on Belief-Open, and what a guess without any picture would do.

``python -m bench.skin --root DIR --model general`` prints degrees between the mean a*, b* of skin in the result and in
the truth: the median over people, with references of other kinds and with the whole background. Skin is what has its
colour in the true photo (``iph.training.kinds.skin_pixels``). Two rows ask no network: the composite as it is, and
*one hue for everybody*, the median of the truths'; who is no nearer than that has not seen the light.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from tqdm import tqdm

import iph
from bench.belief import DATASET
from bench.commands.terminal import sentences
from bench.datasets.catalogue import open_dataset
from bench.datasets.manifest import Entry
from bench.datasets.pictures import load
from bench.metrics.color_difference import lab
from bench.report.render import markdown
from iph.training.belief import BASELINE
from iph.training.kinds import skin_pixels

LEAST_SKIN = 160  # pixels, of Belief-Open's 256 x 256
TRUTH, COMPOSITE = "truth", "composite as it is"
GUESS = "one hue for everybody"


def hue(image: np.ndarray, mask: np.ndarray) -> float:
    """Degrees, 0 to 360, of the mean a*, b* of an image (H, W, 3) uint8 inside a mask (H, W) bool."""
    _, a, b = lab(image[mask]).mean(axis=1)
    return float(np.degrees(np.arctan2(b, a)) % 360)


def apart(one: np.ndarray, other: np.ndarray | float) -> np.ndarray:
    """The smaller angle between hues, degrees, 0 to 180."""
    return np.abs((one - other + 180) % 360 - 180)


def measure(models: dict[str, iph.Harmonizer], entries: Iterable[Entry]) -> pd.DataFrame:
    """A row for each composite with enough skin: its ``subset``, and the hue in truth, composite and every result."""
    rows = []
    for entry in entries:
        picture = load(entry)
        skin = skin_pixels(picture.target) & picture.foreground
        if skin.sum() < LEAST_SKIN:
            continue
        results = {
            name: model.open(picture.composite, picture.foreground).harmonize(picture.reference).image
            for name, model in models.items()
        }
        images = {TRUTH: picture.target, COMPOSITE: picture.composite} | results
        rows.append({"subset": entry.subset} | {name: hue(image, skin) for name, image in images.items()})
    return pd.DataFrame(rows)


def errors(hues: pd.DataFrame) -> pd.DataFrame:
    """Of what ``measure`` gives: degrees from the truth, a column a row of the table, and ``subset``."""
    truth = hues[TRUTH].to_numpy()
    middle = truth[np.argmin([np.median(apart(truth, one)) for one in truth])]  # hues have no order: nearest to all
    found = {name: apart(hues[name].to_numpy(), truth) for name in hues.columns.drop(["subset", TRUTH])}
    return pd.DataFrame({"subset": hues["subset"], GUESS: apart(truth, middle)} | found)


def report(hues: pd.DataFrame) -> str:
    """The medians as Markdown."""
    found = errors(hues)
    base = found["subset"] == BASELINE
    names = found.columns.drop("subset")
    cells = [[name, *(f"{part[name].median():.1f}°" for part in (found[~base], found[base]))] for name in names]
    return markdown(["", f"references of other kinds ({(~base).sum()})", f"whole background ({base.sum()})"], cells)


def main(
    root: Annotated[Path, typer.Option(help="Folder of Belief-Open, as `bench build-open` makes it.")],
    model: Annotated[list[str], typer.Option(help="Weights of iph; may be given several times.")],
) -> None:
    """Print how far skin's hue lies from the truth's."""
    with sentences():
        entries = open_dataset(DATASET, root).entries
        models = {name: iph.load(name) for name in model}
        print(report(measure(models, tqdm(entries, unit="image"))))


if __name__ == "__main__":
    typer.run(main)
