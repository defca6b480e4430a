"""What is read and what is written: one photo, or a folder of them with same-named masks and same-named results."""

import sys
from dataclasses import dataclass
from pathlib import Path

from iph.errors import InputError
from iph.files import check_writable
from iph.images.imagefile import KINDS, kind_of, kind_of_content
from iph.images.photo import ENDINGS

READABLE = {*KINDS, ".gif", ".bmp"}
FILES = {*READABLE, ".cube", ".json"}
MOST_NAMED = 20


@dataclass(frozen=True)
class PhotoTask:
    """One photo and where its results go; None for what is not asked for."""

    source: Path
    out: Path | None
    cube: Path | None
    recipe: Path | None

    @property
    def results(self) -> list[Path]:
        return [path for path in (self.out, self.cube, self.recipe) if path is not None]


def plan(source: Path, out: Path | None, cube: Path | None, recipe: Path | None, overwrite: bool) -> list[PhotoTask]:
    """A job for ``source``, or for each photo in it; what else is in a folder is named on stderr. Makes the folders for
    results of a folder.

    Raises InputError where there is nothing to read, nowhere to write, or something that would be overwritten.
    """
    if out is None and cube is None and recipe is None:
        raise InputError("expected a result to write: -o FILE, --cube FILE or --save-recipe FILE")
    photos = _photos(source)
    if source.is_dir():
        for folder in (out, cube, recipe):
            _make_folder(folder)
    jobs = [
        PhotoTask(
            photo,
            _place(out, stem(photo) + _ending(photo)),
            _place(cube, f"{stem(photo)}.cube"),
            _place(recipe, f"{stem(photo)}.json"),
        )
        for photo in photos
    ]
    _check_results(jobs, overwrite)
    return jobs


def same_named(path: Path, photo: Path) -> Path:
    """``path`` itself, or in a folder the picture named like ``photo``, whatever its ending."""
    if not path.is_dir():
        return path
    name = stem(photo)
    found = [one for one in sorted(path.iterdir()) if stem(one) == name and _is_picture(one)]
    if len(found) != 1:
        names = " and ".join(one.name for one in found) or "none"
        raise InputError(f"expected one picture named {name}.* in {path}, found {names}")
    return found[0]


def stem(photo: Path) -> str:
    """A picture's name without its ending; where that is none of a picture's, all of it: ``IMG.2024``."""
    return photo.stem if photo.suffix.lower() in READABLE else photo.name


def why_not(error: Exception) -> str:
    """What is said of one photo of a folder that could not be done."""
    return str(error) if isinstance(error, InputError) else f"a fault of the program: {error!r}"


def _photos(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source]
    there = sorted(source.iterdir())
    photos = [path for path in there if _is_picture(path)]
    if not photos:
        raise InputError(f"expected pictures ({', '.join(sorted(READABLE))}) in {source}, found none")
    left = [path.name for path in there if path not in photos]
    if left:
        more = f" and {len(left) - MOST_NAMED} more" if len(left) > MOST_NAMED else ""
        print(f"iph: left out, as no pictures: {', '.join(left[:MOST_NAMED])}{more}", file=sys.stderr)
    return photos


def _is_picture(path: Path) -> bool:
    """Whether a file of a folder is taken for a picture, by its ending or else by how it begins."""
    if path.name.startswith(".") or not path.is_file():
        return False
    return path.suffix.lower() in READABLE or kind_of_content(path) is not None


def _ending(photo: Path) -> str:
    """The ending of a photo's result: its own, or that of the format which it is found to have."""
    if photo.suffix.lower() in KINDS:
        return photo.suffix
    return ENDINGS.get(kind_of_content(photo), ".png")


def _make_folder(folder: Path | None) -> None:
    if folder is None:
        return
    if folder.suffix.lower() in FILES and not folder.is_dir():
        raise InputError(f"expected a folder for the results of a folder, got {folder.name!r}, a file's name")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"expected a folder for the results of a folder at {folder}, but: {error.strerror}") from None


def _place(path: Path | None, name: str) -> Path | None:
    return path / name if path is not None and path.is_dir() else path


def _check_results(jobs: list[PhotoTask], overwrite: bool) -> None:
    results = [path for job in jobs for path in job.results]
    for path in results:
        check_writable(path)
    for job in jobs:
        if job.out is not None:
            kind_of(job.out)
        for path, ending, option in ((job.cube, ".cube", "--cube"), (job.recipe, ".json", "--save-recipe")):
            if path is not None and path.suffix.lower() != ending:
                raise InputError(f"expected a file ending in {ending} as {option}, got {path.name!r}")
    if len(set(results)) < len(results):
        twice = next(path for n, path in enumerate(results) if path in results[:n])
        raise InputError(f"expected different names for different results, but two of them would become {twice}")
    there = [path for path in results if path.exists()]
    if there and not overwrite:
        more = f" and {len(there) - 1} more exist" if len(there) > 1 else " exists"
        raise InputError(f"expected new files to write, but {there[0]}{more} already; --overwrite replaces them")
