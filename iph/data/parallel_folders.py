"""Composites, masks and targets in folders side by side, as most published sets come: rows of the one form.

Folder and file names are matched without regard to case, and the file type does not matter. A mask may serve several
composites, and a target several masks: ``a0002_1_4`` is composed with the mask ``a0002_1`` on the photo ``a0002``.
Split lists (``HCOCO_test.txt``, ``test_list.txt``, ``IHD_test.txt`` above) say what belongs where.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from iph.data.manifest import Entry
from iph.errors import InputError
from iph.files import listed

FOLDERS = {
    "composite": ("composite_images", "composites", "composite", "comp", "input", "inputs"),
    "foreground": ("masks", "mask", "foreground", "foregrounds", "fg_mask", "fg_masks"),
    "reference": ("references", "reference", "ref_mask", "ref_masks", "guide", "guides"),
    "target": ("real_images", "real", "target", "targets", "gt", "ground_truth", "harmonized"),
}
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
SPLITS = {  # what a list's name calls each
    "train": {"train", "training", "trainset"},
    "val": {"val", "valid", "validation", "valset"},
    "test": {"test", "testing", "testset"},
}


def looks_parallel(folder: Path) -> bool:
    """Whether ``folder`` has composites and masks."""
    return {"composite", "foreground"} <= _present(folder).keys()


def read_parallel(root: Path, folder: Path, subset: str = "", wanted: Collection[str] = ()) -> list[Entry]:
    """One row a composite of ``folder``, on disk or only in a split list, with paths relative to ``root``, by name.

    A file that is not there has the name that it should have, so that a check can report all at once; so have the
    folders of the ``wanted`` roles, which are those of a set that is known to come with lists. Without a split list
    everything is ``test``; what no list names is ``unlisted``.
    """
    roles = {role: folder / FOLDERS[role][0] for role in wanted} | _present(folder)
    files = {role: by_stem(path) if path.is_dir() else {} for role, path in roles.items()}
    lists = _split_lists(folder, bool(wanted))
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
    """The pictures in ``folder`` by their names in lower case, without the ending; InputError where two share one."""
    found: dict[str, Path] = {}
    for path in pictures_in(folder):
        first = found.setdefault(_stem(path.name), path)
        if first != path:
            raise InputError(f"expected one picture of a name in {folder}, but {first.name} and {path.name} share one")
    return found


def pictures_in(folder: Path, below: bool = False) -> list[Path]:
    """The pictures in ``folder``, or anywhere ``below`` it, by their endings, as ``iph.files.listed`` lists them."""
    return listed(folder, IMAGE_SUFFIXES, below)


def is_image(name: str) -> bool:
    """Whether a name in a list ends as a picture's."""
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


def _split_lists(folder: Path, required: bool) -> dict[str, str]:
    """Split by file name. A list above counts where its name, or a line's first part, is the folder's.

    InputError where a list is ``required`` and none is there, where a list of composites does not say its split in its
    name, and where two splits name one file: in silence, each would make training pictures test pictures.
    """
    own, above = listed(folder, (".txt",)), listed(folder.parent, (".txt",))
    lists: dict[str, str] = {}
    nameless = []
    for path in [*own, *above]:
        words = re.split(r"[\W_]+", path.stem.lower())
        split = next((split for split, called in SPLITS.items() if called & set(words)), None)
        named = path in own or words[0] == folder.name.lower()
        if not named and words[0] != "ihd":
            continue
        if split is None:
            nameless.append(path)
            continue
        for name in _listed_names(path, folder, named):
            if lists.setdefault(name, split) != split:
                raise InputError(f"expected a split for each picture, but {name} is in {lists[name]} and in {path}")
    if wrong := next((path for path in nameless if _names_pictures(path)), None):
        raise InputError(f"expected train, val or test in the name of a list of pictures, but got {wrong}")
    if required and not lists:
        raise InputError(
            f"expected a list that says what is test and what is training, like {folder.name}_test.txt, in {folder} or "
            f"above it, found none"
        )
    return lists


def _listed_names(path: Path, folder: Path, named: bool) -> Iterator[str]:
    """The file names in a list, of ``folder`` only where it is not ``named`` after it."""
    for line in _lines(path):
        first, _, rest = line.partition("/")
        name = line.rpartition("/")[2]
        if name and (named or not rest or first.lower() == folder.name.lower()):
            yield name


def _names_pictures(path: Path) -> bool:
    return any(is_image(line) for line in _lines(path))


def _lines(path: Path) -> list[str]:
    """A list's lines with slashes between folders; the mark that Windows puts before the first is no part of it."""
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").replace("\\", "/").splitlines()]
    except UnicodeDecodeError:
        raise InputError(f"expected a split list in UTF-8 at {path}, but its bytes are in another encoding") from None
