"""What becomes of people pasted beside people of other photos, where nobody knows how they should look.

``python -m bench.pasted --photos DIR --model portrait`` draws 128 seeded pairs of the ``test`` split at 256 x 256, asks
the shipped models as users do, and prints how far what was pasted lies from what it attends to of the reference (L*
and a*, b*; *believable*: the cells whose colour light can have made; as shares of the composite's in brackets), and
what it lost: SSIM's structure term and local contrast on L*, pixels that were clipped, degrees by which skin turned
(``iph.training.evaluate_match.unpaired``).
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

import iph
from bench.commands.terminal import sentences
from bench.report.render import markdown
from iph.data.pack import pack, packed_side
from iph.training.evaluate_match import Batch, Method, composite_alone, pasted_pairs, to_bytes, unpaired

SIZE = 256
DISTANCES = ("L*", "ab", "ab believed")
KEPT = ("structure", "contrast", "clipped", "skin turned")


def asked(harmonizer: iph.Harmonizer) -> Method:
    """A model as it is asked in use: 8-bit pictures, one after the other."""

    def method(batch: Batch) -> torch.Tensor:
        return torch.stack([_answer(harmonizer, batch, place) for place in range(len(batch["composite"]))])

    return method


def _answer(harmonizer: iph.Harmonizer, batch: Batch, place: int) -> torch.Tensor:
    foreground, reference = (batch[name][place, 0].numpy() > 0 for name in ("foreground", "reference"))
    result = harmonizer.open(to_bytes(batch["composite"][place]), foreground).harmonize(reference).image
    return torch.from_numpy(result.astype(np.float32) / 255).permute(2, 0, 1)


def report(figures: dict[str, dict[str, float]]) -> str:
    """Of what ``unpaired`` gives for each row, the composite's first, as Markdown."""
    before = next(iter(figures.values()))
    rows = []
    for name, row in figures.items():
        distances = [f"{row[key]:.1f} ({row[key] / before[key]:.2f})" for key in DISTANCES]
        structure, contrast, clipped, turned = (row[key] for key in KEPT)
        rows.append([name, *distances, f"{structure:.3f}", f"{contrast:.2f}", f"{clipped:.1%}", f"{turned:.1f}°"])
    return markdown(["", "L*", "a*, b*", "believable", "structure", "contrast", "clipped", "skin turned"], rows)


def main(
    photos: Annotated[Path, typer.Option(help="A folder of photos with a test split, as for `bench build-open`.")],
    model: Annotated[list[str], typer.Option(help="Weights of iph; may be given several times.")],
    cache: Annotated[Path, typer.Option(help="Where the photos are packed.")] = Path("runs/pack-test-384"),
) -> None:
    """Print how near pasted people come to the person pointed at, and what they lose."""
    with sentences():
        models = {name: asked(iph.load(name)) for name in model}
        batch = pasted_pairs(pack(photos, "test", packed_side(SIZE), cache), SIZE)
        figures = {name: unpaired(way, batch) for name, way in ({"composite": composite_alone} | models).items()}
        print(report(figures))


if __name__ == "__main__":
    typer.run(main)
