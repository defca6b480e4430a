"""What is read and what is written: one photo, or a folder of them with same-named masks and same-named results."""

from dataclasses import dataclass
from pathlib import Path

from iph.errors import InputError
from iph.files import check_writable
from iph.images.imagefile import KINDS, kind_of

READABLE = {*KINDS, ".gif", ".bmp"}


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
    """A job for ``source``, or for each photo in it. Makes the folders for results of a folder.

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
            _place(out, photo.stem + _ending(photo)),
            _place(cube, f"{photo.stem}.cube"),
            _place(recipe, f"{photo.stem}.json"),
        )
        for photo in photos
    ]
    _check_results(jobs, overwrite)
    return jobs


def same_named(path: Path, photo: Path) -> Path:
    """``path`` itself, or in a folder the picture named like ``photo``, whatever its ending."""
    if not path.is_dir():
        return path
    found = [one for one in sorted(path.glob("*")) if one.stem == photo.stem and one.suffix.lower() in READABLE]
    if len(found) != 1:
        names = " and ".join(one.name for one in found) or "none"
        raise InputError(f"expected one picture named {photo.stem}.* in {path}, found {names}")
    return found[0]


def _photos(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source]
    photos = sorted(p for p in source.iterdir() if p.suffix.lower() in READABLE and not p.name.startswith("."))
    if not photos:
        raise InputError(f"expected pictures ({', '.join(sorted(READABLE))}) in {source}, found none")
    return photos


def _ending(photo: Path) -> str:
    return photo.suffix if photo.suffix.lower() in KINDS else ".png"


def _make_folder(folder: Path | None) -> None:
    if folder is None:
        return
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
