"""Data sets without a manifest, recognised by their folders and names.

Three layouts: iHarmony4 (Cong et al., CVPR 2020, four subsets with official split lists), one group of parallel
folders (ccHarmony, and the likely form of PortraitTest and RCOCOHarmony), and RealHM's suffixes (Jiang et al.,
ICCV 2021). Folder and file names are matched without regard to case, and the file type does not matter.
"""

from collections.abc import Iterable
from pathlib import Path

from bench.datasets.manifest import Dataset, Entry
from bench.datasets.pictures import read_two_color_mask
from bench.errors import InputError

SUBSETS = ("HCOCO", "HAdobe5k", "HFlickr", "Hday2night")
FOLDERS = {
    "composite": ("composite_images", "composites", "composite", "comp", "input", "inputs"),
    "foreground": ("masks", "mask", "foreground", "foregrounds", "fg_mask", "fg_masks"),
    "reference": ("references", "reference", "ref_mask", "ref_masks", "guide", "guides"),
    "target": ("real_images", "real", "target", "targets", "gt", "ground_truth", "harmonized"),
}
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}


def read_iharmony4(root: Path, name: str = "iharmony4") -> Dataset:
    """The four subsets below ``root``, or those of them that are there. Split lists decide; without one all is test."""
    present = {folder.name.lower(): folder for folder in _subfolders(root)}
    subsets = [(subset, present[subset.lower()]) for subset in SUBSETS if subset.lower() in present]
    if not subsets:
        raise InputError(f"expected at least one of {', '.join(SUBSETS)} in {root}, found none")
    entries = [entry for subset, folder in subsets for entry in _parallel(folder, subset)]
    return Dataset(name, root, tuple(entries))


def read_parallel(root: Path, name: str) -> Dataset:
    """Composites, masks and targets in folders side by side. A mask with red and blue holds both regions."""
    return Dataset(name, root, tuple(_parallel(root, "")))


def read_realhm(root: Path, name: str = "realhm") -> Dataset:
    """``<id>_small.jpg`` (or ``<id>_comp.jpg``) with ``<id>_mask.*`` and ``<id>_gt.*``, in ``root`` and below it."""
    entries = []
    for mask in sorted(path for path in root.rglob("*_mask.*") if _is_image(path.name)):
        siblings = _by_stem(mask.parent)
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


def looks_like_iharmony4(root: Path) -> bool:
    return any(folder.name.lower() in {subset.lower() for subset in SUBSETS} for folder in _subfolders(root))


def looks_like_parallel(root: Path) -> bool:
    found = _roles(root)
    return "composite" in found and "foreground" in found


def looks_like_realhm(root: Path) -> bool:
    return any(_is_image(path.name) for path in root.rglob("*_mask.*"))


def _parallel(folder: Path, subset: str) -> Iterable[Entry]:
    """One entry a composite, on disk or only in a split list: what is missing is reported by the check, all at once."""
    roles = _roles(folder)
    for role in ("composite", "foreground"):
        if role not in roles:
            raise InputError(f"expected a folder {FOLDERS[role][0]!r} in {folder}, found none")
    files = {role: _by_stem(path) for role, path in roles.items()}
    lists = _split_lists(folder)
    splits = {_stem(name): split for name, split in lists.items()}
    listed = {_stem(name): roles["composite"] / name for name in lists if _is_image(name)}
    two_colors = not subset and _has_blue(next(iter(files["foreground"].values()), None))
    for stem, composite in sorted({**listed, **files["composite"]}.items()):
        mask = _nearest(files["foreground"], stem) or roles["foreground"] / f"{_cut(composite.stem, 1)}.png"
        target = None
        if "target" in roles:
            target = _nearest(files["target"], stem) or roles["target"] / f"{_cut(composite.stem, 2)}.jpg"
        reference = mask if two_colors else _nearest(files.get("reference", {}), stem)
        yield Entry(
            id=f"{subset}/{composite.stem}" if subset else composite.stem,
            composite=composite,
            foreground=mask,
            reference=reference,
            target=target,
            split=_split_of(splits, stem),
            subset=subset,
            photo="/".join(filter(None, (subset, target.stem if target else composite.stem))),
        )


def _cut(stem: str, parts: int) -> str:
    return stem.rsplit("_", parts)[0]


def _nearest(files: dict[str, Path], stem: str) -> Path | None:
    """The file of ``stem``, or of ``stem`` with trailing ``_parts`` taken off: a0002_1_4 -> a0002_1 -> a0002.

    Only the file's name is cut, never the path, and '-' is part of a name (d90000012-181_1_7).
    """
    while stem not in files:
        stem, cut, _ = stem.rpartition("_")
        if not cut:
            return None
    return files[stem]


def _split_of(splits: dict[str, str], stem: str) -> str:
    """The list that names the composite or, as ccHarmony's do, its foreground."""
    if not splits:
        return "test"
    while stem and stem not in splits:
        stem = stem.rpartition("_")[0]
    return splits.get(stem, "unlisted")


def _split_lists(folder: Path) -> dict[str, str]:
    """Split by file name out of ``HCOCO_test.txt``, ``test_list.txt`` and the like; ``IHD_*.txt`` above count too."""
    lists: dict[str, str] = {}
    for path in sorted([*folder.glob("*.txt"), *folder.parent.glob("IHD_*.txt")]):
        split = next((s for s in ("train", "val", "test") if s in path.stem.lower().split("_")), None)
        if split is None:
            continue
        for line in path.read_text(encoding="utf-8").replace("\\", "/").splitlines():
            parts = line.strip().split("/")
            if parts[-1] and (len(parts) == 1 or parts[0].lower() == folder.name.lower()):
                lists[parts[-1]] = split
    return lists


def _is_image(name: str) -> bool:
    return Path(name).suffix.lower() in IMAGE_SUFFIXES


def _stem(name: str) -> str:
    """The lower-case name without a picture's ending; other dots are kept."""
    return (name.rpartition(".")[0] if _is_image(name) else name).lower()


def _has_blue(mask: Path | None) -> bool:
    try:
        return mask is not None and bool(read_two_color_mask(mask)[1].any())
    except InputError:
        return False  # grey, or broken: then it is reported where it is read


def _roles(folder: Path) -> dict[str, Path]:
    present = {path.name.lower(): path for path in _subfolders(folder)}
    found = {role: next((present[n] for n in names if n in present), None) for role, names in FOLDERS.items()}
    return {role: path for role, path in found.items() if path is not None}


def _subfolders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir())


def _by_stem(folder: Path) -> dict[str, Path]:
    return {_stem(path.name): path for path in sorted(folder.iterdir()) if _is_image(path.name)}
