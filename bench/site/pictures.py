"""The sample's pictures: composite, target and what each method made of it, small enough for a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from bench.datasets.catalogue import SAMPLE_ROOT, read_folder
from bench.evaluation.store import make_folder
from bench.report.boards import Board
from bench.site.data import slug
from iph.data.parallel_folders import by_stem

SIDE = 480  # pixels of the longer side
QUALITY = 85


@dataclass(frozen=True)
class Shown:
    """One image: files below the site by what they show, and each method's PSNR."""

    id: str
    width: int
    height: int
    composite: str
    target: str
    outputs: dict[str, str]  # by the method's name
    scores: dict[str, float]


def sample_pictures(results: Path, board: Board, methods: Sequence[str], out: Path) -> list[Shown]:
    """Write small copies below ``out/pictures`` for the ``methods`` whose outputs were kept in ``results``.

    Images by what the best of these methods gained, the most first; none where no output was kept.
    """
    folders = {name: results / "sample/pictures" / name for name in methods if name != "composite"}
    kept = {name: by_stem(folder) for name, folder in folders.items() if folder.is_dir()}
    if not kept:
        return []
    psnr = board.rows.pivot(index="id", columns="method", values="psnr")
    found = []
    for entry in read_folder(SAMPLE_ROOT, "sample").entries:
        outputs = {name: files[entry.id] for name, files in kept.items() if entry.id in files}
        if not outputs or entry.id not in psnr.index:
            continue
        files = {"composite": entry.composite, "target": entry.target} | outputs
        size = (0, 0)
        for role, path in files.items():
            size = _small(path, out / "pictures" / _file(entry.id, role))
        named = {role: f"pictures/{_file(entry.id, role)}" for role in files}
        scores = {name: float(psnr.at[entry.id, name]) for name in ("composite", *outputs) if name in psnr}
        found.append(Shown(entry.id, *size, named.pop("composite"), named.pop("target"), named, scores))
    best = next((name for name in methods if name in kept), "")
    return sorted(found, key=lambda one: one.scores["composite"] - one.scores.get(best, 0))


def _file(id_: str, role: str) -> str:
    return f"{slug(id_)}--{slug(role)}.jpg"


def _small(source: Path, target: Path) -> tuple[int, int]:
    """A copy of at most ``SIDE`` pixels a side, without metadata; its width and height."""
    make_folder(target.parent)
    with Image.open(source) as image:
        picture = image.convert("RGB")
        picture.thumbnail((SIDE, SIDE))
        picture.save(target, quality=QUALITY, optimize=True)
        return picture.size
