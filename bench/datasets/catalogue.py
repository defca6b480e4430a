"""What each data set is, where to get it, and which layout it comes in."""

from dataclasses import dataclass
from pathlib import Path

from bench.datasets import folders
from bench.datasets.manifest import Dataset, located, read_manifest
from iph.data.iharmony4 import is_iharmony4, read_iharmony4
from iph.data.manifest import NAME
from iph.data.parallel_folders import looks_parallel
from iph.errors import InputError, unknown

SAMPLE_ROOT = Path(__file__).resolve().parents[1] / "sample"


@dataclass(frozen=True)
class KnownDataset:
    """A data set by name. ``test_images`` is None where nobody published the number.

    counterpart: the data set whose published numbers are shown beside ours, though the pictures are others.
    published_hash: the content hash of the one true version, where there is one.
    size: the side it is measured at unless told otherwise; None takes pictures as they come.
    roles: the folders of its published form, which has lists of what is test; none where the form is not known.
    """

    title: str
    about: str
    where: str
    licence: str
    test_images: int | None
    counterpart: str | None = None
    root: Path | None = None
    published_hash: str | None = None
    size: int | None = 256
    roles: tuple[str, ...] = ()

    def deviates(self, content_hash: str) -> str | None:
        """A sentence where the content is not that of the published set, or None."""
        if self.published_hash in (None, content_hash):
            return None
        return f"these are not the published pictures of {self.title}, whose data hash is {self.published_hash}"


CATALOGUE: dict[str, KnownDataset] = {
    "sample": KnownDataset(
        "Sample",
        "40 composites of openly licensed COCO photos, small enough to ship",
        "in the package: bench/sample",
        "CC BY 2.0 and CC BY-SA 2.0 by picture, see bench/sample/CREDITS.csv",
        40,
        root=SAMPLE_ROOT,
        size=None,
        published_hash="e74e4ff33ffa8606",
    ),
    "intharmony-open": KnownDataset(
        "IntHarmony-Open",
        "two seeded composites of every held-out photo; the reference is another instance or a background box",
        "python -m bench build-open --photos DIR --out DIR",
        "by photo; the composites are for measurement and not for passing on",
        954,
        counterpart="intharmony",
        published_hash="531526e6c1e8e074",
    ),
    "portrait-open": KnownDataset(
        "Portrait-Open",
        "held-out photos with two people or more: one is changed, another one is the reference",
        "python -m bench build-open --photos DIR --out DIR",
        "by photo; the composites are for measurement and not for passing on",
        520,
        counterpart="portraittest",
        published_hash="133c2ee346823f79",
    ),
    "belief-open": KnownDataset(
        "Belief-Open",
        "people of held-out photos under two changes, beside references of other kinds (another's cloth, sky, "
        "furniture, things, what is most saturated) and beside the whole background; photos squeezed to 256 x 256",
        "python -m bench build-open --photos DIR --out DIR",
        "by photo; the composites are for measurement and not for passing on",
        726,
        published_hash="2d90e2b7d0e2a322",
    ),
    "intharmony": KnownDataset(
        "IntHarmony",
        "COCO instances under one random change, another instance as reference (IPH, Sec. 3)",
        "python -m iph build intharmony --coco DIR --out DIR",
        "COCO: by image (Flickr)",
        959,
    ),
    "portraittest": KnownDataset(
        "PortraitTest",
        "high-resolution composite portraits, ground truth by professionals with curve layers (IPH, Sec. 3)",
        "link in github.com/jeya-maria-jose/Interactive-Portrait-Harmonization; a manifest, parallel folders with a "
        "two-colour mask, or RealHM's names are all read",
        "not stated",
        50,
    ),
    "rcocoharmony": KnownDataset(
        "RCOCOHarmony",
        "not in the paper; what it holds is not known; same layouts read as for PortraitTest",
        "link in github.com/jeya-maria-jose/Interactive-Portrait-Harmonization, to PortraitTest's file",
        "not stated",
        None,
    ),
    "iharmony4": KnownDataset(
        "iHarmony4",
        "HCOCO, HAdobe5k, HFlickr and Hday2night with official splits (Cong et al., CVPR 2020)",
        "links in github.com/bcmi/Image-Harmonization-Dataset-iHarmony4 (Baidu, OneDrive, Dropbox)",
        "by subset; for research",
        7404,
    ),
    "realhm": KnownDataset(
        "RealHM",
        "216 real composites with a professional's result (Jiang et al., ICCV 2021)",
        "link in github.com/VITA-Group/SSHarmonization (Google Drive)",
        "see its repository",
        216,
    ),
    "ccharmony": KnownDataset(
        "ccHarmony",
        "foregrounds relit by colour-checker measurements (Niu et al., ICCV 2023)",
        "link in github.com/bcmi/Image-Harmonization-Dataset-ccHarmony (Baidu)",
        "for research",
        1180,
        roles=("composite", "foreground", "target"),
    ),
    "mhp": KnownDataset(
        "LV-MHP composites",
        "people of LV-MHP v1 or v2 under one random change, another person as reference (IPH, stage 3)",
        "python -m iph build mhp --mhp DIR --out DIR; photos from lv-mhp.github.io",
        "LV-MHP: non-commercial research",
        None,
    ),
}


def open_dataset(name_or_folder: str, root: str | Path | None = None) -> Dataset:
    """A data set by name (below ``root``), or any folder whose layout is known. Raises InputError otherwise."""
    if name_or_folder in CATALOGUE:
        known = CATALOGUE[name_or_folder]
        folder = Path(root) if root else known.root
        if folder is None:
            raise InputError(f"expected the folder of {known.title} as root, got none; to get it: {known.where}")
        return read_folder(_existing(folder), name_or_folder)
    folder = Path(name_or_folder)
    if not folder.is_dir() and not folder.is_absolute() and len(folder.parts) == 1:
        raise unknown("data set or folder", name_or_folder, CATALOGUE)
    return read_folder(_existing(folder))


def read_folder(folder: Path, name: str | None = None) -> Dataset:
    """The data set in ``folder``: its manifest where there is one, else the layout that it shows.

    Any layout is accepted under any name, because those of PortraitTest and RCOCOHarmony are not known.
    """
    if (folder / NAME).is_file():
        return read_manifest(folder, name)
    if is_iharmony4(folder):
        return located(folder, read_iharmony4(folder), name or "iharmony4")
    if looks_parallel(folder):
        roles = CATALOGUE[name].roles if name in CATALOGUE else ()
        return folders.read_parallel(folder, name or folder.resolve().name, roles)
    if folders.looks_like_realhm(folder):
        return folders.read_realhm(folder, name or folder.resolve().name)
    raise InputError(
        f"expected manifest.csv, the four folders of iHarmony4, folders 'composites' and 'masks', or files like "
        f"01_small.jpg with 01_mask.jpg in {folder}, found none of them"
    )


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise InputError(f"expected a folder at {folder}, found none")
    return folder
