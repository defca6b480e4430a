"""From a Photo to the bytes of a file: JPEG, PNG, WebP, TIFF, HEIC and AVIF, with profile, EXIF and XMP.

A photo that goes back into its own format is degraded no more than need be: a JPEG gets the quantization tables and the
chroma subsampling it came with, a lossless WebP stays lossless. PNG and TIFF keep 16 bits, HEIC 10, the others 8.
"""

import io
from dataclasses import replace

import numpy as np
import pillow_heif
from PIL import Image

from iph.errors import InputError
from iph.images import containers, metadata, tiff
from iph.images.photo import Photo

PHOTO_QUALITY = {"JPEG": 95, "WEBP": 95, "HEIF": 90, "AVIF": 90}  # where the file read does not say
LARGEST_SEGMENT = 65533
MAKER_NOTE = 0x927C


def encode(photo: Photo, kind: str, quality: int | None = None, edited: bool = True) -> bytes:
    """The file's bytes. ``kind`` is JPEG, PNG, WEBP, TIFF, HEIF or AVIF; ``quality`` 1 to 100 for the lossy ones.

    ``edited`` marks the photo as ``iph.images.metadata.mark_edited`` says. Raises InputError on what the format cannot
    hold.
    """
    if quality is not None and not 1 <= quality <= 100:
        raise InputError(f"expected a quality from 1 to 100, got {quality}")
    if kind not in WRITERS:
        raise InputError(f"expected one of the formats {', '.join(WRITERS)}, got {kind}")
    if edited:
        photo = replace(photo, xmp=metadata.mark_edited(photo.xmp))
    if photo.format != kind:
        photo = replace(photo, native={})
    try:
        return WRITERS[kind](photo, quality)
    except InputError:
        raise
    except Exception as error:  # encoders raise whatever they like: a size they cannot hold, a codec not built in
        height, width = photo.pixels.shape[:2]
        raise InputError(f"expected a picture that {kind} can hold, got {width} × {height} pixels: {error}") from error


def _jpeg(photo: Photo, quality: int | None) -> bytes:
    native = photo.native
    if quality is None and "qtables" in native:
        options = {"qtables": native["qtables"], "subsampling": native["subsampling"]}
    else:
        options = {"quality": quality or PHOTO_QUALITY["JPEG"], "subsampling": native.get("subsampling", 0)}
    xmp = photo.xmp
    if xmp and len(xmp) > LARGEST_SEGMENT - 29:  # only the mark fits
        xmp = metadata.mark_edited(None) if metadata.is_marked_edited(xmp) else None
    return _saved(
        Image.fromarray(_on_white(_in_8_bits(photo))),
        "JPEG",
        **options,
        progressive=native.get("progressive", False),
        extra=native.get("segments", b""),
        dpi=photo.dpi or (0, 0),
        exif=_short_exif(photo.exif),
        xmp=xmp,
        icc_profile=photo.icc,
    )


def _png(photo: Photo, quality: int | None) -> bytes:
    chunks = list(photo.native.get("chunks", ()))
    kinds = {kind for kind, _ in chunks}
    if photo.icc:
        chunks = [containers.png_profile(photo.icc), *(c for c in chunks if c[0] != b"sRGB")]  # either, by the standard
    if photo.dpi and b"pHYs" not in kinds:
        chunks.append(containers.png_resolution(photo.dpi))
    if photo.exif:
        chunks.append((b"eXIf", photo.exif))
    if photo.xmp:
        chunks.append(containers.png_xmp(photo.xmp))
    return containers.png_file(photo.pixels, tuple(chunks), photo.alpha)


def _webp(photo: Photo, quality: int | None) -> bytes:
    lossless = quality is None and photo.native.get("lossless", False)
    return _saved(
        Image.fromarray(_samples(_in_8_bits(photo))),
        "WEBP",
        lossless=lossless,
        exact=True,  # colours under transparent pixels too
        quality=50 if lossless else quality or PHOTO_QUALITY["WEBP"],  # lossless: the effort
        **_blocks(photo),
    )


def _tiff(photo: Photo, quality: int | None) -> bytes:
    tags = {**photo.native.get("tags", {}), tiff.XMP: photo.xmp, tiff.ICC: photo.icc}
    return tiff.encode(_samples(photo), photo.dpi, photo.exif, {tag: value for tag, value in tags.items() if value})


def _heif(photo: Photo, quality: int | None) -> bytes:
    samples = _samples(photo)
    height, width, channels = samples.shape
    deep = samples.dtype == np.uint16
    if deep:  # 10 bits, which libheif takes from the upper end
        samples = np.rint(samples * np.float32(1023 / 65535)).astype(np.uint16) << 6
    stream = io.BytesIO()
    pillow_heif.encode(
        ("RGB" if channels == 3 else "RGBA") + (";16" if deep else ""),
        (width, height),
        samples.tobytes(),
        stream,
        quality=quality or PHOTO_QUALITY["HEIF"],
        enc_params={"preset": "ultrafast"},  # an eighth of the time, at the same size and error
        **_blocks(photo),
    )
    return stream.getvalue()


def _avif(photo: Photo, quality: int | None) -> bytes:
    image = Image.fromarray(_samples(_in_8_bits(photo)))
    return _saved(image, "AVIF", quality=quality or PHOTO_QUALITY["AVIF"], **_blocks(photo))


WRITERS = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "TIFF": _tiff, "HEIF": _heif, "AVIF": _avif}


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _blocks(photo: Photo) -> dict[str, bytes]:
    """Metadata as Pillow's writers name it."""
    exif = b"Exif\x00\x00" + photo.exif if photo.exif else None
    blocks = {"exif": exif, "xmp": photo.xmp, "icc_profile": photo.icc}
    return {name: block for name, block in blocks.items() if block}


def _samples(photo: Photo) -> np.ndarray:
    """RGB (H, W, 3), or RGBA (H, W, 4) where there is alpha."""
    return photo.pixels if photo.alpha is None else np.dstack([photo.pixels, photo.alpha])


def _in_8_bits(photo: Photo) -> Photo:
    if photo.pixels.dtype == np.uint8:
        return photo
    levels = ((np.arange(65536) + 128) // 257).astype(np.uint8)  # to the nearest
    return replace(photo, pixels=levels[photo.pixels], alpha=None if photo.alpha is None else levels[photo.alpha])


def _on_white(photo: Photo) -> np.ndarray:
    """The pixels (H, W, 3) uint8 of a photo of 8 bits over white, for formats without alpha."""
    if photo.alpha is None or photo.alpha.min() == 255:
        return photo.pixels
    share = photo.alpha[..., None] / np.float32(255)
    return np.rint(photo.pixels * share + 255 * (1 - share)).astype(np.uint8)


def _short_exif(exif: bytes | None) -> bytes:
    """The EXIF block as a JPEG holds it; if it is too long, without the maker note."""
    if not exif:
        return b""
    if len(exif) + 6 > LARGEST_SEGMENT:
        block = Image.Exif()
        block.load(exif)
        block.get_ifd(tiff.EXIF_IFD).pop(MAKER_NOTE, None)
        exif = block.tobytes().removeprefix(b"Exif\x00\x00")
    return b"Exif\x00\x00" + exif if len(exif) + 6 <= LARGEST_SEGMENT else b""
