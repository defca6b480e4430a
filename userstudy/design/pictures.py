"""The pictures of a study: found, checked, and shown without a trace of the method that made them."""

import hashlib
import hmac
import io
import random
import struct
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from userstudy.errors import InputError, nearest

SUFFIXES = (".png", ".webp", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
# Chunks that change how a PNG looks. All others (text, times, EXIF) may name the program that wrote it.
PNG_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"sBIT"}
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
    files = {
        method.name: {file.stem: file for file in sorted(method.iterdir()) if file.suffix.lower() in SUFFIXES}
        for method in sorted(folder.iterdir())
        if method.is_dir()
    }
    files = {method: pictures for method, pictures in files.items() if pictures}
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
            path = pictures[item, method]
            try:
                with Image.open(path) as image:
                    sizes[method] = image.size
            except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
                raise InputError(f"{path} cannot be read as a picture: {error}") from None
        if len(set(sizes.values())) > 1:
            found = ", ".join(f"{method} {width}×{height}" for method, (width, height) in sizes.items())
            raise InputError(f"the pictures of {item!r} differ in size, so they cannot be compared blindly: {found}")


def picture_id(secret: bytes, item: str, method: str) -> str:
    """The name under which raters see a picture: it says nothing about item or method, and cannot be guessed."""
    return hmac.new(secret, f"picture\0{item}\0{method}".encode(), hashlib.sha256).hexdigest()[:32]


def neutral_png(path: Path) -> bytes:
    """The picture as PNG, pixel for pixel, without metadata. A PNG is not recompressed, only stripped."""
    data = path.read_bytes()
    if data.startswith(PNG_SIGNATURE):
        return _strip_png(data)
    with Image.open(io.BytesIO(data)) as image:
        profile = image.info.get("icc_profile")
        upright = ImageOps.exif_transpose(image)
        if upright.mode not in ("L", "LA", "RGB", "RGBA", "P", "I;16"):
            upright, profile = upright.convert("RGB"), None  # a CMYK profile says nothing about RGB pixels
        buffer = io.BytesIO()
        upright.save(buffer, "PNG", compress_level=1, icc_profile=profile)
    return _strip_png(buffer.getvalue())


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
