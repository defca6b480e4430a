"""TIFF 6.0 in 16 bits a channel, which Pillow cannot hold, and its metadata, which tifffile does not write."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, TiffImagePlugin

from iph.errors import InputError

ORIENTATION = 274
EXIF_IFD, GPS_IFD = 0x8769, 0x8825
XMP, IPTC, PHOTOSHOP, ICC = 700, 33723, 34377, 34675
# Description, make, model, software, date, artist, host, copyright: the tags that say something about the photo.
DESCRIPTIVE = (270, 271, 272, 305, 306, 315, 316, 33432)
STRIP_BYTES = 1 << 20


@dataclass(frozen=True)
class Description:
    """What a TIFF's first page says of itself."""

    width: int
    height: int
    orientation: int
    icc: bytes | None
    xmp: bytes | None


def describe(data: bytes) -> Description:
    """The first page of a TIFF, without its pixels."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        icc, xmp = (page.tags.valueof(tag) for tag in (ICC, XMP))
        return Description(
            page.imagewidth,
            page.imagelength,
            page.tags.valueof(ORIENTATION, 1),
            icc if isinstance(icc, bytes) else None,
            xmp if isinstance(xmp, bytes) else None,
        )


def read_deep(data: bytes, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray | None]:
    """The first page of a TIFF of 16 bits: colours (H, W), (H, W, 3) or CMYK (H, W, 4), and alpha (H, W) or None.

    ``size`` is the width and height (or the reverse) that another reader found and checked against the limits.
    """
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        if page.dtype != np.uint16 or page.samplesperpixel > 5:
            depth, count = page.dtype, page.samplesperpixel
            raise InputError(f"expected a TIFF of 8 or 16 bits in at most 5 channels, got {count} of {depth}")
        if (
            sorted(size) != sorted((page.imagewidth, page.imagelength))
            or page.size != np.prod(size) * page.samplesperpixel
        ):
            raise InputError(f"expected one flat picture of {size[0]} × {size[1]} in the TIFF, got {page.shape}")
        samples = page.asarray().reshape(page.shape)
        if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and page.samplesperpixel > 1:
            samples = np.moveaxis(samples, 0, -1)  # (S, H, W) -> (H, W, S)
        photometric, extra = page.photometric, page.extrasamples
    samples = samples.reshape(*samples.shape[:2], -1)  # (H, W, S)
    colors = {"MINISBLACK": 1, "MINISWHITE": 1, "RGB": 3, "SEPARATED": 4}.get(photometric.name)
    if colors is None:
        raise InputError(f"expected a 16-bit TIFF in grey, RGB or CMYK, got {photometric.name}")
    color, alpha = samples[..., :colors], None
    if extra and extra[0] in (tifffile.EXTRASAMPLE.ASSOCALPHA, tifffile.EXTRASAMPLE.UNASSALPHA):
        alpha = np.ascontiguousarray(samples[..., colors])
        if extra[0] == tifffile.EXTRASAMPLE.ASSOCALPHA:
            straight = np.empty(color.shape, np.uint16)
            for y in range(0, len(color), 256):  # in bands: as float32 the whole would take several times the file
                factor = 65535 / np.maximum(alpha[y : y + 256], 1, dtype=np.float32)
                band = np.minimum(color[y : y + 256] * factor[..., None], 65535)
                straight[y : y + 256] = np.rint(band)
            color = straight
    if photometric.name == "MINISWHITE":
        color = 65535 - color
    return np.ascontiguousarray(color[..., 0] if colors == 1 else color), alpha


def exif_of(image: Image.Image) -> bytes:
    """The photo's own tags of a TIFF, without those that describe the file's layout, as an EXIF block."""
    exif = Image.Exif()
    for tag, value in _photo_tags(image.getexif()).items():
        exif[tag] = value
    return exif.tobytes() if len(exif) else b""


def encode(
    samples: np.ndarray, dpi: tuple[float, float] | None, exif: bytes | None, tags: Mapping[int, bytes]
) -> bytes:
    """A TIFF of RGB or RGBA ``samples`` (H, W, 3 or 4) uint8 or uint16: lossless (deflate), metadata in its places.

    ``tags`` are raw ones: XMP, ICC, IPTC, PHOTOSHOP.
    """
    height, width, channels = samples.shape
    rows = max(1, STRIP_BYTES // (width * channels * samples.itemsize))
    strips = [
        imagecodecs.deflate_encode(
            imagecodecs.delta_encode(np.ascontiguousarray(samples[y : y + rows]), axis=1), level=4
        )
        for y in range(0, height, rows)
    ]
    header = b"II*\x00\x08\x00\x00\x00"
    directory = TiffImagePlugin.ImageFileDirectory_v2(ifh=header)
    if exif:
        block = Image.Exif()
        block.load(exif)
        for tag, value in _photo_tags(block).items():
            directory[tag] = value
    sizes = [len(strip) for strip in strips]
    directory[256], directory[257] = width, height
    directory[258] = (samples.itemsize * 8,) * channels
    directory[259] = 8  # deflate
    directory[262] = 2  # RGB
    directory[273] = tuple(int(o) for o in np.cumsum([0, *sizes[:-1]]))  # counted from the end of the directory
    directory[277] = channels
    directory[278] = rows
    directory[279] = tuple(sizes)
    directory[282], directory[283], directory[296] = *(dpi or (72, 72)), 2  # dots per inch
    directory[284] = 1  # interleaved
    directory[317] = 2  # horizontal differences
    if channels == 4:
        directory[338] = 2  # straight alpha
    for tag, value in tags.items():
        directory[tag] = value
    return header + directory.tobytes(len(header)) + b"".join(strips)


def _photo_tags(block: Image.Exif) -> dict[int, object]:
    """The tags that say something about the photo; the EXIF and GPS directories as dictionaries."""
    found = {tag: block[tag] for tag in DESCRIPTIVE if tag in block}
    nested = {tag: dict(block.get_ifd(tag)) for tag in (EXIF_IFD, GPS_IFD)}
    return found | {tag: directory for tag, directory in nested.items() if directory}
