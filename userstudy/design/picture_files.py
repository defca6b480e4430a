"""Which files of a study's folder are pictures: a folder a method, a file a picture, each name once."""

from pathlib import Path

from iph.files import listed
from userstudy.errors import InputError

ENDINGS = (".png", ".webp", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".bmp", ".heic", ".heif", ".avif")


def pictures_by_method(folder: Path) -> dict[str, dict[str, Path]]:
    """The pictures of each folder in ``folder`` that holds some, by name without ending, all sorted.

    What systems leave there is no picture and no method (``iph.files.listed``). Raises InputError where two files are
    one picture's.
    """
    found: dict[str, dict[str, Path]] = {}
    for file in listed(folder, ENDINGS, below=True):
        if file.parent.parent != folder:
            continue
        first = found.setdefault(file.parent.name, {}).setdefault(file.stem, file)
        if first != file:
            names = f"{first.name} and {file.name}"
            raise InputError(f"expected one file for {file.stem!r} in {file.parent}, but {names} are both there")
    return found
