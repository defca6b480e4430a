"""Reading and writing photos: checked before decoding, nothing lost on the way, never half a file."""

import difflib
import io
import os
import warnings
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from iph.errors import InputError
from iph.files import check_writable, read_bounded, replacing
from iph.images import decoding, encoding, screening
from iph.images.photo import Photo

MAX_BYTES = 1 << 30
MAX_PIXELS = 100_000_000
TIFF_SIGNATURES = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
SIGNATURES = dict.fromkeys(TIFF_SIGNATURES, "TIFF") | {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
}
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
LONGEST_SIGNATURE = 12
KINDS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".heic": "HEIF",
    ".heif": "HEIF",
    ".avif": "AVIF",
}

# The number of pixels is checked here, before decoding, against our own limit.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def read_photo(source: str | os.PathLike | bytes, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS) -> Photo:
    """Read a JPEG, PNG, WebP, TIFF, HEIC, AVIF, GIF or BMP from a path or from its bytes.

    Pixels come upright, as RGB in the file's own profile, 8 or 16 bits as in the file. Grey, palette and CMYK pictures
    are converted; of several frames the first is taken. Raises InputError on anything that is no whole picture, and,
    before decoding, on more than ``max_bytes`` or ``max_pixels``, or on what would cost more than a picture does
    (``screening``). PNG and TIFF of 16 bits may have as many bytes as their own pixels take when nothing is compressed.

    Somebody else's files are better read by ``iph.images.confined``.
    """
    name, data = _bytes_of(source, max_bytes, max_pixels)
    try:
        shown = screening.screened(data, max_pixels)
        with Image.open(io.BytesIO(shown), formats=decoding.FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise screening.too_large(max_pixels, f"{name} of {image.width} × {image.height}")
            return decoding.decode(image, data, shown)
    except InputError:
        raise
    except UnidentifiedImageError:
        if data[:4] in TIFF_SIGNATURES:
            return _rare_tiff(name, shown, max_pixels)
        formats = "a JPEG, PNG, WebP, TIFF, HEIC or AVIF picture"
        raise InputError(f"expected {formats}, got {name}, whose content is none of these or is damaged") from None
    except Image.DecompressionBombError:
        raise screening.too_large(max_pixels, f"more in {name}") from None
    except Exception as error:  # decoders raise whatever they like on a broken file, and quote it
        raise InputError(f"expected a whole picture, got {name}, which is damaged or cut off") from error


def _rare_tiff(name: str, data: bytes, max_pixels: int) -> Photo:
    try:
        return decoding.decode_rare_tiff(data, max_pixels)
    except InputError:
        raise
    except Exception as error:  # as above
        raise InputError(f"expected a whole picture, got {name}, which is damaged or cut off") from error


def write_photo(photo: Photo, path: str | os.PathLike, quality: int | None = None, edited: bool = True) -> None:
    """Write a photo in the format of the path's ending, beside the target first, then renamed over it.

    ``quality`` (1 to 100) is for JPEG, WebP, HEIC and AVIF; without it a file goes back as it came. JPEG has no alpha:
    transparent pixels become white. ``edited`` says in the metadata that a trained model changed the photo; only False
    for a picture that none has. Raises InputError on an unknown ending or where the file cannot be written.
    """
    kind = kind_of(path)
    check_writable(path)
    data = encoding.encode(photo, kind, quality, edited)
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def kind_of(path: str | os.PathLike) -> str:
    """The format that a path's ending names. Raises InputError on an ending that is none of ours."""
    ending = Path(path).suffix.lower()
    if ending not in KINDS:
        near = difflib.get_close_matches(ending, KINDS, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"expected a file ending in {', '.join(KINDS)}, got {Path(path).name!r}{hint}")
    return KINDS[ending]


def kind_of_content(path: str | os.PathLike) -> str | None:
    """The format, of ``iph.images.photo.ENDINGS``, that a file begins like; None where it is no picture's beginning."""
    try:
        start = read_bounded(path, LONGEST_SIGNATURE, whole=False)
    except OSError:
        return None
    brand = start[8:12] if start[4:8] == b"ftyp" else b""
    if brand:
        return "AVIF" if brand in (b"avif", b"avis") else "HEIF" if brand in HEIF_BRANDS else None
    if start[:4] == b"RIFF":
        return "WEBP" if start[8:12] == b"WEBP" else None
    return next((kind for signature, kind in SIGNATURES.items() if start.startswith(signature)), None)


def _bytes_of(source: str | os.PathLike | bytes, max_bytes: int, max_pixels: int) -> tuple[str, bytes]:
    """What to call the picture in a sentence, and its bytes."""
    if isinstance(source, bytes):
        name, data = "a picture", source
    else:
        name = repr(Path(source).name)
        try:
            data = read_bounded(source, max_bytes)
            if len(data) > max_bytes and screening.may_be_deep(data):
                data = read_bounded(source, max(max_bytes, screening.DEEPEST_PIXEL * max_pixels))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "no usable name"
            raise InputError(f"expected a picture file, got {str(source)!r}: {reason}") from None
    if not data:
        raise InputError(f"expected a picture, got {name} of zero bytes")
    if len(data) > max_bytes and len(data) > screening.bytes_of_deep(data, max_pixels):
        raise InputError(f"expected at most {max_bytes / 1e6:g} MB, got {name}, which is larger")
    return name, data
