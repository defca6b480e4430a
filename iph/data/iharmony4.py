"""iHarmony4 (Cong et al. 2020), the data of stage 1, in its own layout and with its official training lists.

``<subset>/composite_images/a0002_1_4.jpg``, ``<subset>/masks/a0002_1.png``, ``<subset>/real_images/a0002.jpg`` and
``<subset>_train.txt``, for HCOCO, HAdobe5k, HFlickr and Hday2night, or those of them that are there.
"""

from pathlib import Path

from iph.data.manifest import Entry
from iph.errors import InputError

SUBSETS = ("HCOCO", "HAdobe5k", "HFlickr", "Hday2night")


def is_iharmony4(folder: Path) -> bool:
    return any((folder / subset).is_dir() for subset in SUBSETS)


def read_iharmony4(folder: Path) -> list[Entry]:
    """The training composites of every subset in ``folder``. InputError where a subset has no list."""
    return [_entry(subset, name) for subset in SUBSETS if (folder / subset).is_dir() for name in _names(folder, subset)]


def _names(folder: Path, subset: str) -> list[str]:
    places = (folder / subset / f"{subset}_train.txt", folder / f"{subset}_train.txt")
    listed = next((path for path in places if path.is_file()), None)
    if listed is None:
        raise InputError(f"expected the official list {subset}_train.txt in {folder / subset}, found none")
    return [line.split("/")[-1] for line in listed.read_text().split()]


def _entry(subset: str, name: str) -> Entry:
    stem = Path(name).stem
    mask, photo = stem.rsplit("_", 1)[0], stem.rsplit("_", 2)[0]
    return Entry(
        id=f"{subset}/{stem}",
        composite=f"{subset}/composite_images/{name}",
        foreground=f"{subset}/masks/{mask}.png",
        target=f"{subset}/real_images/{photo}.jpg",
        subset=subset,
        photo=f"{subset}/{photo}",
    )
