"""Composites, masks and targets in folders side by side, as most published sets come: rows of the one form.

Folder and file names are matched without regard to case, and the file type does not matter. A mask may serve several
composites, and a target several masks: ``a0002_1_4`` is composed with the mask ``a0002_1`` on the photo ``a0002``.
Split lists (``HCOCO_test.txt``, ``test_list.txt``, ``IHD_test.txt`` above) say what belongs where.
"""

from collections.abc import Collection
from pathlib import Path

from iph.data.manifest import Entry

FOLDERS = {
    "composite": ("composite_images", "composites", "composite", "comp", "input", "inputs"),
    "foreground": ("masks", "mask", "foreground", "foregrounds", "fg_mask", "fg_masks"),
    "reference": ("references", "reference", "ref_mask", "ref_masks", "guide", "guides"),
    "target": ("real_images", "real", "target", "targets", "gt", "ground_truth", "harmonized"),
}
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
SPLITS = ("train", "val", "test")


def looks_parallel(folder: Path) -> bool:
    """Whether ``folder`` has composites and masks."""
    return {"composite", "foreground"} <= _present(folder).keys()


def read_parallel(root: Path, folder: Path, subset: str = "", wanted: Collection[str] = ()) -> list[Entry]:
    """One row a composite of ``folder``, on disk or only in a split list, with paths relative to ``root``, by name.

    A file that is not there has the name that it should have, so that a check can report all at once; so have the
    folders of the ``wanted`` roles. Without a split list everything is ``test``; what no list names is ``unlisted``.
    """
    roles = {role: folder / FOLDERS[role][0] for role in wanted} | _present(folder)
    files = {role: by_stem(path) if path.is_dir() else {} for role, path in roles.items()}
    lists = _split_lists(folder)
    splits = {_stem(name): split for name, split in lists.items()}
    composites = {_stem(name): roles["composite"] / name for name in lists if is_image(name)} | files["composite"]
    entries = []
    for stem, composite in sorted(composites.items()):
        mask = _nearest(files["foreground"], stem) or roles["foreground"] / f"{_cut(composite.stem, 1)}.png"
        target = None
        if "target" in roles:
            target = _nearest(files["target"], stem) or roles["target"] / f"{_cut(composite.stem, 2)}.jpg"
        paths = {"composite": composite, "foreground": mask, "target": target}
        paths["reference"] = _nearest(files.get("reference", {}), stem)
        entries.append(
            Entry(
                id="/".join(filter(None, (subset, composite.stem))),
                split=_split_of(splits, stem),
                subset=subset,
                photo="/".join(filter(None, (subset, (target or composite).stem))),
                **{role: "" if path is None else path.relative_to(root).as_posix() for role, path in paths.items()},
            )
        )
    return entries


def subfolders(folder: Path) -> dict[str, Path]:
    """The folders in ``folder`` by their names in lower case."""
    return {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_dir()}


def by_stem(folder: Path) -> dict[str, Path]:
    """The pictures in ``folder`` by their names in lower case, without the ending."""
    return {_stem(path.name): path for path in sorted(folder.iterdir()) if is_image(path.name)}


def is_image(name: str) -> bool:
    """Whether a file's name ends as a picture's."""
    return Path(name).suffix.lower() in IMAGE_SUFFIXES


def _present(folder: Path) -> dict[str, Path]:
    there = subfolders(folder)
    found = {role: next((there[name] for name in names if name in there), None) for role, names in FOLDERS.items()}
    return {role: path for role, path in found.items() if path is not None}


def _stem(name: str) -> str:
    """The lower-case name without a picture's ending; other dots are kept."""
    return (name.rpartition(".")[0] if is_image(name) else name).lower()


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
    """Split by file name. A list above counts where its name, or a line's first part, is the folder's."""
    own, above = sorted(folder.glob("*.txt")), sorted(folder.parent.glob("*.txt"))
    lists: dict[str, str] = {}
    for path in [*own, *above]:
        words = path.stem.lower().split("_")
        split = next((split for split in SPLITS if split in words), None)
        named = path in own or words[0] == folder.name.lower()
        if split is None or not (named or words[0] == "ihd"):
            continue
        for line in path.read_text(encoding="utf-8").replace("\\", "/").splitlines():
            first, _, rest = line.strip().partition("/")
            if named or not rest or first.lower() == folder.name.lower():
                lists[line.strip().rpartition("/")[2]] = split
    lists.pop("", None)
    return lists
