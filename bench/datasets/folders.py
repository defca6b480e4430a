"""Data sets without a manifest, recognised by their folders and names.

iHarmony4 (Cong et al., CVPR 2020) and one group of parallel folders (ccHarmony, and the likely form of PortraitTest and
RCOCOHarmony) are read by ``iph.data``; RealHM's suffixes (Jiang et al., ICCV 2021) and two-colour masks are read here.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from bench.datasets.manifest import Dataset, Entry, located
from bench.datasets.pictures import read_two_color_mask
from iph.data.parallel_folders import by_stem, pictures_in
from iph.data.parallel_folders import read_parallel as read_rows
from iph.errors import InputError


def read_parallel(root: Path, name: str, wanted: Collection[str] = ()) -> Dataset:
    """Composites, masks and targets in folders side by side. A mask with red and blue holds both regions.

    ``wanted``: the roles of a set whose form is known, lists of splits included.
    """
    rows = read_rows(root, root, wanted=wanted)
    if _has_blue(next((root / row.foreground for row in rows if (root / row.foreground).is_file()), None)):
        rows = [replace(row, reference=row.foreground) for row in rows]
    return located(root, rows, name)


def read_realhm(root: Path, name: str = "realhm") -> Dataset:
    """``<id>_small.jpg`` (or ``<id>_comp.jpg``) with ``<id>_mask.*`` and ``<id>_gt.*``, in ``root`` and below it."""
    entries = []
    for mask in _realhm_masks(root):
        siblings = by_stem(mask.parent)
        stem = mask.stem.lower().removesuffix("_mask")
        composite = next((siblings[s] for s in (f"{stem}_comp", f"{stem}_small", stem) if s in siblings), None)
        if composite is None:
            raise InputError(f"expected a composite {stem}_small.* or {stem}_comp.* beside {mask}, found none")
        group = mask.parent.relative_to(root).as_posix()
        entries.append(
            Entry(
                id=stem if group == "." else f"{group}/{stem}",
                composite=composite,
                foreground=mask,
                reference=siblings.get(f"{stem}_ref") or (mask if _has_blue(mask) else None),
                target=siblings.get(f"{stem}_gt"),
                subset="" if group == "." else group,
                photo=stem if group == "." else f"{group}/{stem}",
            )
        )
    if not entries:
        raise InputError(f"expected files like 01_small.jpg, 01_mask.jpg and 01_gt.jpg below {root}, found no mask")
    return Dataset(name, root, tuple(entries))


def looks_like_realhm(root: Path) -> bool:
    return bool(_realhm_masks(root))


def _realhm_masks(root: Path) -> list[Path]:
    return [path for path in pictures_in(root, below=True) if path.stem.lower().endswith("_mask")]


def _has_blue(mask: Path | None) -> bool:
    try:
        return mask is not None and bool(read_two_color_mask(mask)[1].any())
    except InputError:
        return False  # grey, or broken: then it is reported where it is read
