"""iHarmony4 (Cong et al. 2020) in its own layout and with its official lists: the data of stage 1, and a test set.

``<subset>/composite_images/a0002_1_4.jpg``, ``<subset>/masks/a0002_1.png``, ``<subset>/real_images/a0002.jpg`` and
``<subset>_{train,test}.txt``, for HCOCO, HAdobe5k, HFlickr and Hday2night, or those of them that are there.
"""

from pathlib import Path

from iph.data.manifest import Entry
from iph.data.parallel_folders import read_parallel, subfolders
from iph.errors import InputError

SUBSETS = ("HCOCO", "HAdobe5k", "HFlickr", "Hday2night")


def is_iharmony4(folder: Path) -> bool:
    """Whether one of the four subsets is in ``folder``."""
    return bool(_present(folder))


def read_iharmony4(folder: Path, split: str | None = None) -> list[Entry]:
    """The composites of every subset in ``folder``, or those of one ``split``.

    InputError where a subset has no list of that split, or no composites at all.
    """
    entries: list[Entry] = []
    for subset, place in _present(folder).items():
        found = read_parallel(folder, place, subset, wanted=("composite", "foreground", "target"))
        kept = [entry for entry in found if split in (None, entry.split)]
        if not kept and split is not None:
            raise InputError(f"expected the official list {subset}_{split}.txt in {place}, found none")
        if not kept:
            raise InputError(f"expected a folder composite_images with pictures in {place}, found none")
        entries += kept
    if not entries:
        raise InputError(f"expected at least one of {', '.join(SUBSETS)} in {folder}, found none")
    return entries


def _present(folder: Path) -> dict[str, Path]:
    """The folders of the subsets, their names in any case."""
    there = subfolders(folder) if folder.is_dir() else {}
    return {subset: there[subset.lower()] for subset in SUBSETS if subset.lower() in there}
