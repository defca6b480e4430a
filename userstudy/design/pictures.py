"""The pictures of a study: found, checked, and shown without a trace of the method that made them."""

import hashlib
import hmac
import random
import struct
from collections.abc import Sequence
from pathlib import Path

from iph.images.encoding import encode
from iph.images.imagefile import read_photo
from iph.images.photo import Photo
from userstudy.design.picture_files import pictures_by_method
from userstudy.errors import InputError, nearest

# Chunks that change how a PNG looks. All others (text, times, EXIF) may name the program that wrote it.
PNG_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"sBIT"}
ORIENTED = b"eXIf", b"Raw profile type exif", b"tiff:Orientation"  # where a PNG says how it is turned
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def find_pictures(
    folder: Path,
    composite: str,
    methods: Sequence[str],
    items: Sequence[str] | int,
    seed: int,
    needs_composite: bool,
) -> tuple[tuple[str, ...], tuple[str, ...], dict[tuple[str, str], Path]]:
    """The methods, the items and the file of every (item, method), the composite included where it exists.

    Every method must have every item, and the pictures of an item must have one size.
    """
    if (folder / "pictures").is_dir():  # a results folder of bench
        folder = folder / "pictures"
    if not folder.is_dir():
        raise InputError(f"expected one folder of pictures per method in {folder}, but there is no such folder")
    files = pictures_by_method(folder)
    methods = tuple(methods) or tuple(name for name in files if name != composite)
    for method in methods:
        if method not in files:
            raise InputError(f"no pictures of method {method!r} in {folder}{nearest(method, files)}")
    if needs_composite and composite not in files:
        raise InputError(f"the study shows the composite, but {folder / composite} holds no pictures")
    used = (*methods, composite) if composite in files else methods
    items = _choose_items(items, sorted(set().union(*(files[name] for name in used))), seed)
    for method in used:
        missing = [item for item in items if item not in files[method]]
        if missing:
            examples = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
            raise InputError(f"method {method!r} lacks {len(missing)} of {len(items)} pictures: {examples}")
    pictures = {(item, method): files[method][item] for item in items for method in used}
    _check_sizes(items, used, pictures)
    return methods, items, pictures


def _choose_items(wanted: Sequence[str] | int, known: list[str], seed: int) -> tuple[str, ...]:
    if isinstance(wanted, int):
        if not 1 <= wanted <= len(known):
            raise InputError(f"items asks for {wanted} pictures, but the methods have {len(known)}")
        return tuple(sorted(random.Random(f"items {seed}").sample(known, wanted)))
    for item in wanted:
        if item not in known:
            raise InputError(f"no method has a picture {item!r}{nearest(item, known)}")
    return tuple(wanted) or tuple(known)


def _check_sizes(items: Sequence[str], methods: Sequence[str], pictures: dict[tuple[str, str], Path]) -> None:
    for item in items:
        sizes = {}
        for method in methods:
            height, width = _read(pictures[item, method]).pixels.shape[:2]  # upright, as it is shown
            sizes[method] = width, height
        if len(set(sizes.values())) > 1:
            found = ", ".join(f"{method} {width}×{height}" for method, (width, height) in sizes.items())
            raise InputError(f"the pictures of {item!r} differ in size, so they cannot be compared blindly: {found}")


def _read(path: Path) -> Photo:
    """A picture as every part of the project sees it. Raises InputError where that is no ordinary picture."""
    try:
        return read_photo(path)
    except ValueError as error:
        raise InputError(f"{path} cannot be read as a picture that raters can be shown: {error}") from None


def picture_id(secret: bytes, item: str, method: str) -> str:
    """The name under which raters see a picture: it says nothing about item or method, and cannot be guessed."""
    return hmac.new(secret, f"picture\0{item}\0{method}".encode(), hashlib.sha256).hexdigest()[:32]


def neutral_png(path: Path) -> bytes:
    """The picture upright as PNG, pixel for pixel, without metadata. A PNG that says nothing of its orientation is not
    recompressed, only stripped."""
    data = path.read_bytes()
    if not data.startswith(PNG_SIGNATURE) or any(mark in data for mark in ORIENTED):
        photo = _read(path)
        data = encode(Photo(photo.pixels, photo.alpha, photo.icc), "PNG", edited=False)
    return _strip_png(data)


def _strip_png(data: bytes) -> bytes:
    kept, at = [PNG_SIGNATURE], len(PNG_SIGNATURE)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name in PNG_CHUNKS:
            kept.append(data[at : at + 12 + length])
        at += 12 + length
        if name == b"IEND":
            break
    return b"".join(kept)
