"""From an opened picture of any format and mode to a Photo: RGB, upright, its depth, profile and metadata kept.

Pillow decodes what it can hold; 16-bit PNG and whole JPEG files go through imagecodecs, 16-bit TIFF through tifffile,
HEIC of more than 8 bits through pillow-heif.
"""

import io
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pillow_heif
from PIL import Image, JpegImagePlugin

from iph.errors import InputError
from iph.images import color_profile, containers, metadata, tiff
from iph.images.exif import read_exif
from iph.images.photo import Photo
from iph.images.promises import without_promises
from iph.images.screening import too_large

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF", "GIF", "BMP")

END_OF_JPEG = b"\xff\xd9"
HDR = {16: "PQ", 18: "HLG"}  # transfer curves of ISO/IEC 23091-2

pillow_heif.register_heif_opener()

# What makes each orientation upright (EXIF 2.32, 4.6.5): a transposition first, then a flip (OpenCV's codes).
UPRIGHT = {2: (False, 1), 3: (False, -1), 4: (False, 0), 5: (True, None), 6: (True, 1), 7: (True, -1), 8: (True, 0)}


def decode(image: Image.Image, data: bytes, shown: bytes) -> Photo:
    """The first frame of an opened ``image``, whose file is ``data``; decoders see ``shown``, as screening made it."""
    kind = "JPEG" if image.format == "MPO" else image.format  # phones append further pictures to a JPEG
    if kind == "PNG" and "xmp" not in image.info and b"XML:com.adobe.xmp" in data:
        image.load()  # it stands behind the pixels
    xmp, xmp_notes = metadata.readable_xmp(_xmp(image))
    exif, orientation, exif_notes = read_exif(image, data, xmp)
    xmp, lost = without_promises(xmp)
    notes = [*exif_notes, *xmp_notes, *lost]
    if kind not in ("JPEG", "HEIF") and getattr(image, "is_animated", False):
        notes.append("Only the first page is used." if kind == "TIFF" else "Only the first frame is used.")
    deep = _deep_samples(image, shown)
    color, alpha = deep or _whole_jpeg(image, shown) or _samples(image)
    if kind != "HEIF" and (deep or kind != "TIFF"):  # the other decoders turn the picture themselves
        color, alpha = _upright(color, orientation), None if alpha is None else _upright(alpha, orientation)
    primaries, transfer = _coded(image, data)
    profile = image.info.get("icc_profile") or color_profile.profile_of_code(primaries)
    pixels, icc, note = _to_rgb(color, profile)
    if transfer in HDR:
        notes.append(f"Its high dynamic range ({HDR[transfer]}) was read as an ordinary picture's: it looks flat.")
    if kind == "AVIF" and (bits := containers.avif_bits(data)) > 8:
        notes.append(f"Of its {bits} bits a channel 8 are read.")
    height, width = pixels.shape[:2]
    return Photo(
        pixels,
        alpha,
        icc,
        metadata.upright_exif(exif, width, height),
        metadata.upright_xmp(xmp),
        _dpi(image),
        kind,
        (*notes, *note),
        _native(image, data, kind, sideways=orientation in (5, 6, 7, 8)),
    )


def decode_rare_tiff(data: bytes, max_pixels: int) -> Photo:
    """A TIFF of 16 bits in channels that Pillow knows no mode for, such as grey with alpha; its EXIF is not read."""
    found = tiff.describe(data)
    if found.width * found.height > max_pixels:
        raise too_large(max_pixels, f"one of {found.width} × {found.height}")
    color, alpha = tiff.read_deep(data, (found.width, found.height))
    color, alpha = _upright(color, found.orientation), None if alpha is None else _upright(alpha, found.orientation)
    pixels, icc, note = _to_rgb(color, found.icc)
    return Photo(pixels, alpha, icc, None, metadata.upright_xmp(found.xmp), None, "TIFF", note, {"tags": {}})


def _deep_samples(image: Image.Image, data: bytes) -> tuple[np.ndarray, np.ndarray | None] | None:
    """Colours and alpha of a picture of more than 8 bits, as ``_samples`` gives them, or None if it has 8."""
    if image.format == "PNG" and data[24] == 16:
        samples = imagecodecs.png_decode(data)
        if samples.ndim == 2:
            return samples, None
        if samples.shape[2] in (2, 4):
            color = samples[..., 0] if samples.shape[2] == 2 else samples[..., :3]
            return np.ascontiguousarray(color), np.ascontiguousarray(samples[..., -1])
        return samples, None
    if image.format == "TIFF" and max(image.tag_v2.get(258, (1,))) == 16:
        return tiff.read_deep(data, image.size)
    if image.format == "HEIF" and (bits := image.info.get("bit_depth", 8)) > 8:
        heif = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
        if heif.mode in ("RGB;16", "RGBA;16"):
            # libheif leaves the low bits empty: spread 0 … 2^bits - 1 over 0 … 65535.
            levels = np.rint(np.arange(1 << bits) * (65535 / ((1 << bits) - 1))).astype(np.uint16)
            samples = levels[np.asarray(heif) >> (16 - bits)]
            alpha = np.ascontiguousarray(samples[..., 3]) if samples.shape[2] == 4 else None
            return np.ascontiguousarray(samples[..., :3]), alpha
    return None


def _whole_jpeg(image: Image.Image, data: bytes) -> tuple[np.ndarray, None] | None:
    """Colours of a JPEG in grey or RGB, as ``_samples`` gives them: by the same libjpeg-turbo, straight into an array,
    without Pillow's two copies. None for other files, and for those that are cut off, which only Pillow tells."""
    if image.format not in ("JPEG", "MPO") or image.mode not in ("L", "RGB") or not data.endswith(END_OF_JPEG):
        return None
    room = np.empty((image.height, image.width, 3)[: 2 if image.mode == "L" else 3], np.uint8)
    return imagecodecs.jpeg8_decode(data, out=room), None  # refuses, before it decodes, what has another size


def _samples(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Colours (H, W) grey, (H, W, 3) RGB or (H, W, 4) CMYK, and alpha (H, W) or None, of what Pillow can hold."""
    image.load()
    grey = image.mode in ("1", "L", "LA", "La")
    if image.mode not in ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"):
        raise InputError(f"expected a picture in RGB, grey, CMYK or palette colours, got the mode {image.mode}")
    if image.mode == "CMYK":
        return np.asarray(image), None
    if image.has_transparency_data:
        samples = np.asarray(image.convert("LA" if grey else "RGBA"))
        color = samples[..., 0] if grey else samples[..., :3]
        return np.ascontiguousarray(color), np.ascontiguousarray(samples[..., -1])
    wanted = "L" if grey else "RGB"
    return np.asarray(image if image.mode == wanted else image.convert(wanted)), None


def _to_rgb(color: np.ndarray, icc: bytes | None) -> tuple[np.ndarray, bytes | None, tuple[str, ...]]:
    """RGB pixels (H, W, 3), their profile, and a note where colours had to be converted."""
    space = color_profile.color_space(icc)
    if color.ndim == 2:
        if space == "gray":
            return color_profile.convert(color, icc), None, ()
        return np.broadcast_to(color[..., None], (*color.shape, 3)), icc if space == "rgb" else None, ()
    if color.shape[2] == 4:
        if space == "cmyk":
            return color_profile.convert(color, icc), None, ("CMYK was converted to sRGB through its profile.",)
        full = np.iinfo(color.dtype).max
        light = full - color.astype(np.uint32)
        pixels = (light[..., :3] * light[..., 3:] + full // 2) // full  # (H, W, 3)
        return (
            pixels.astype(color.dtype),
            None,
            ("CMYK was converted to sRGB without a profile: none was in the file.",),
        )
    if icc and space != "rgb":
        return color, None, ("The colour profile was dropped: it does not describe RGB colours.",)
    return color, icc, ()


def _upright(samples: np.ndarray, orientation: int) -> np.ndarray:
    if orientation not in UPRIGHT:
        return samples
    transpose, flip = UPRIGHT[orientation]
    samples = cv2.transpose(samples) if transpose else samples
    return samples if flip is None else cv2.flip(samples, flip)


def _coded(image: Image.Image, data: bytes) -> tuple[int, int]:
    """Colour primaries and transfer curve that a HEIC or AVIF names by number (ISO/IEC 23091-2); sRGB's elsewhere."""
    if image.format == "HEIF":
        named = image.info.get("nclx_profile") or {}
        return named.get("color_primaries", 1), named.get("transfer_characteristics", 13)
    return containers.avif_colors(data) if image.format == "AVIF" else (1, 13)


def _xmp(image: Image.Image) -> bytes | None:
    xmp = image.info.get("xmp")
    xmp = xmp.encode() if isinstance(xmp, str) else xmp
    return xmp if isinstance(xmp, bytes) and xmp else None


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    try:
        x, y = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 1 <= x < 1e5 and 1 <= y < 1e5 else None


def _native(image: Image.Image, data: bytes, kind: str, sideways: bool) -> dict[str, Any]:
    """What only the same format can write back."""
    if kind == "JPEG":
        native = {"segments": containers.jpeg_segments(data), "progressive": "progressive" in image.info}
        sampling = JpegImagePlugin.get_sampling(image)
        if image.mode == "RGB" and len(image.quantization) >= 2 and sampling >= 0:
            tables = [np.reshape(table, (8, 8)) for _, table in sorted(image.quantization.items())]
            if sideways:  # turned with the picture, the blocks lose next to nothing; 4:2:2 has no turned form
                tables, sampling = [table.T for table in tables], 0 if sampling == 1 else sampling
            native |= {"qtables": [table.ravel().tolist() for table in tables], "subsampling": sampling}
        return native
    if kind == "PNG":
        return {"chunks": containers.png_chunks(data)}
    if kind == "WEBP":
        return {"lossless": containers.webp_is_lossless(data)}
    if kind == "TIFF":
        found = {tag: image.tag_v2.get(tag) for tag in (tiff.IPTC, tiff.PHOTOSHOP)}
        tags = {tag: value for tag, value in found.items() if isinstance(value, bytes)}
        if tiff.PHOTOSHOP in tags:
            tags[tiff.PHOTOSHOP] = containers.without_thumbnails(tags[tiff.PHOTOSHOP])
        return {"tags": tags}
    return {}
