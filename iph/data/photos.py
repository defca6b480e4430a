"""A folder of photos with instance masks: the raw material of every composite.

Layout: ``images/<id>.jpg``, ``masks/<id>_<k>.png`` (0/255), ``instances.csv`` (id, k, person, label, area_frac) and,
if there is one, ``split.csv`` (id, split). Cut-outs are trained and measured by ``index.csv``, a row a photo.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from iph.data.pictures import read_image, read_mask
from iph.errors import InputError


@dataclass(frozen=True)
class PhotoRecord:
    """One photo's files: ``masks[i]`` is the path of an instance, ``persons[i]`` says whether it is a person."""

    id: str
    image: Path
    masks: tuple[Path, ...]
    persons: tuple[bool, ...]

    def read_image(self) -> np.ndarray:
        """(H, W, 3) uint8 sRGB, turned as EXIF says: what draws masks of people's photos shows them so."""
        return read_image(self.image, oriented=True)

    def read_masks(self) -> np.ndarray:
        """(K, H, W) bool, one layer an instance."""
        return np.stack(list(map(read_mask, self.masks)))


def is_region(label: str) -> bool:
    """Whether a label is that of a region (sky, grass, a wall), COCO's "stuff" or BSDS500's, and of no subject."""
    return label == "region" or label.startswith("stuff:")


def read_splits(folder: str | Path) -> pd.DataFrame:
    """``split.csv`` of a folder: columns ``id`` and ``split``. InputError where it is not there or lacks one."""
    return _table(Path(folder) / "split.csv", ("id", "split"))


def read_index(folder: str | Path) -> pd.DataFrame:
    """``index.csv`` of a folder (id, source, person_flags, labels, …) with each photo's split. InputError likewise."""
    table = _table(Path(folder) / "index.csv", ("id", "person_flags"))
    return table.merge(read_splits(folder))


def _table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype={"id": str, "split": str, "person_flags": str})
    except FileNotFoundError:
        raise InputError(f"expected {path.name} in {path.parent}, found none") from None
    except (OSError, ValueError) as error:
        raise InputError(f"expected a table at {path}, but it cannot be read: {error}") from None
    missing = [name for name in columns if name not in table or table[name].isna().any()]
    if missing:
        raise InputError(f"expected a value of {', '.join(missing)} in every row of {path}, found some without")
    return table


def read_folder(folder: str | Path, split: str | None = None) -> list[PhotoRecord]:
    """The photos of ``folder`` (of one ``split`` if given), sorted by id; those without an instance are left out."""
    folder = Path(folder)
    instances = _table(folder / "instances.csv", ("id", "k", "person"))
    if split is not None:
        splits = read_splits(folder)
        known = sorted(splits["split"].unique())
        if split not in known:
            raise InputError(f"expected a split out of {', '.join(known)}, got {split!r}")
        instances = instances[instances["id"].isin(splits.loc[splits["split"] == split, "id"])]
    return [
        PhotoRecord(
            id=name,
            image=folder / "images" / f"{name}.jpg",
            masks=tuple(folder / "masks" / f"{name}_{k}.png" for k in rows["k"]),
            persons=tuple(bool(flag) for flag in rows["person"]),
        )
        for name, rows in instances.sort_values(["id", "k"]).groupby("id", sort=True)
    ]
