"""Photos with everything a photographer's file may hold, made for the tests."""

import functools
import io
import zlib

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageFilter, PngImagePlugin

from iph.images.photo import Photo

LOSSY_LEVELS = 6  # mean error of a lossy codec at its usual quality on the small test picture

XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="uuid:1" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    b' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="1">'
    b"<dc:creator><rdf:Seq><rdf:li>J\xc3\xbcrgen &amp; Co</rdf:li></rdf:Seq></dc:creator></rdf:Description>"
    b'</rdf:RDF></x:xmpmeta>   \n\n <?xpacket end="w"?>'
)


def pixels(dtype: type = np.uint8, height: int = 40, width: int = 56, channels: int = 3) -> np.ndarray:
    """Smooth colours with a little noise (H, W, C), so that lossy codecs keep them nearly."""
    noise = np.random.default_rng(height * width).normal(0, 1, (height, width, channels))
    y, x = np.mgrid[0:height, 0:width] / [[[height]], [[width]]]
    planes = np.stack([x, y, 1 - x, 0.25 + y / 2][:channels], axis=-1)
    full = np.iinfo(dtype).max
    return np.rint(np.clip(planes + noise / 255, 0, 1) * full).astype(dtype)


@functools.cache  # a profile holds the second it was made
def display_p3() -> bytes:
    """An ICC profile of Display P3 (SMPTE EG 432-1 primaries, D65, sRGB's curve)."""
    encoded = np.linspace(0, 1, 1024)
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return imagecodecs.cms_profile(
        "rgb",
        whitepoint=[0.3127, 0.3290, 1],
        primaries=[0.680, 0.320, 1, 0.265, 0.690, 1, 0.150, 0.060, 1],
        transferfunction=np.rint(linear * 65535).astype(np.uint16),
    )


def exif(orientation: int = 1, width: int = 56, height: int = 40) -> bytes:
    """An EXIF block with camera, exposure, place, a maker note, the picture's size and a thumbnail."""
    block = Image.Exif()
    block[0x0112], block[0x010F], block[0x013B], block[0x0131] = orientation, "Canon", "Ann Artist", "Camera 1.0"
    block.get_ifd(0x8769).update({0x829A: (1, 250), 0x9003: "2024:05:06 07:08:09", 0x927C: b"maker note " * 9})
    block.get_ifd(0x8769).update({0xA002: width, 0xA003: height})
    block.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    data = block.tobytes()
    thumbnail = b"\x00\x01" + bytes.fromhex("010300030000000100060000") + b"\x00\x00\x00\x00"
    # Behind the last byte, a second directory, to which the first one points.
    body = bytearray(data.removeprefix(b"Exif\x00\x00"))
    order = "little" if body[:2] == b"II" else "big"
    first = int.from_bytes(body[4:8], order)
    count = int.from_bytes(body[first : first + 2], order)
    body[first + 2 + 12 * count : first + 6 + 12 * count] = len(body).to_bytes(4, order)
    return b"Exif\x00\x00" + bytes(body) + thumbnail


def saved(image: Image.Image | np.ndarray, kind: str, **options: object) -> bytes:
    """The bytes of a file that Pillow writes."""
    stream = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(stream, kind, **options)
    return stream.getvalue()


def photographic(height: int = 256, width: int = 384) -> np.ndarray:
    """Something a JPEG has to work on: blurred noise (H, W, 3) uint8."""
    noise = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2)))


def cmyk_profile() -> bytes:
    """A small CMYK ICC profile: an A2B0 table (ICC.1 lut8) of two points an ink, from the naive formula to Lab."""
    corners = np.stack(np.meshgrid(*[[0, 1]] * 4, indexing="ij"), axis=-1).reshape(16, 4)  # cyan slowest
    light = (1 - corners[:, :3]) * (1 - corners[:, 3:])
    linear = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])  # to D50
    white = np.array([0.9642, 1.0, 0.8249])
    xyz = linear @ to_xyz.T / white
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    lab = np.stack([(116 * f[:, 1] - 16) * 2.55, 500 * (f[:, 0] - f[:, 1]) + 128, 200 * (f[:, 1] - f[:, 2]) + 128], 1)
    table = np.clip(np.rint(lab), 0, 255).astype(np.uint8).tobytes()
    identity = np.array([1, 0, 0, 0, 1, 0, 0, 0, 1], dtype=">i4") * 65536
    ramp = bytes(range(256))
    a2b0 = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity.tobytes() + ramp * 4 + table + ramp * 3
    a2b0 += b"\0" * (-len(a2b0) % 4)
    white_point = b"XYZ \0\0\0\0" + np.array(np.rint(white * 65536), dtype=">i4").tobytes()
    text = b"text\0\0\0\0CC0\0"
    description = b"desc\0\0\0\0" + (5).to_bytes(4, "big") + b"CMYK\0" + b"\0" * (8 + 3 + 67)
    description += b"\0" * (-len(description) % 4)
    tags, body, position = b"", b"", 128 + 4 + 12 * 4
    for name, data in ((b"A2B0", a2b0), (b"wtpt", white_point), (b"cprt", text), (b"desc", description)):
        tags += name + position.to_bytes(4, "big") + len(data).to_bytes(4, "big")
        body, position = body + data, position + len(data)
    header = position.to_bytes(4, "big") + b"lcms" + bytes.fromhex("02400000") + b"prtrCMYKLab "
    header += bytes(12) + b"acsp" + bytes(28) + np.array([63190, 65536, 54061], dtype=">i4").tobytes() + bytes(48)
    return header + (4).to_bytes(4, "big") + tags + body


def with_png_chunks(png: bytes, chunks: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """The PNG with these chunks after its header."""
    added = b"".join(
        len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")
        for kind, content in chunks
    )
    return png[:33] + added + png[33:]


def png16(samples: np.ndarray) -> bytes:
    """A PNG of 16 bits, which Pillow cannot write."""
    return imagecodecs.png_encode(samples)


def tiff(samples: np.ndarray, **options: object) -> bytes:
    """A TIFF of any depth."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, samples, metadata=None, **options)
    return stream.getvalue()


def with_everything(kind: str) -> bytes:
    """A file with profile, EXIF, XMP and resolution, as another program writes it."""
    options = {"exif": exif(), "icc_profile": display_p3(), "dpi": (300, 300)}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        text.add_text("Copyright", "Ann Artist")
        options["pnginfo"] = text
    elif kind == "TIFF":
        block = Image.Exif()
        block.load(options["exif"])
        block[700] = XMP
        options["exif"] = block
    else:
        options["xmp"] = XMP
    return saved(RGB8, kind, **options)


def closeness(photo: Photo, expected: np.ndarray) -> float:
    """Mean difference of the pixels in levels of 255."""
    assert photo.pixels.shape == expected.shape and photo.pixels.dtype == expected.dtype
    return np.abs(photo.pixels.astype(float) - expected).mean() / np.iinfo(expected.dtype).max * 255


RGB8, RGB16 = pixels(), pixels(np.uint16)
RGBA8, RGBA16 = pixels(channels=4), pixels(np.uint16, channels=4)
GREY8, GREY16 = RGB8[..., 0].copy(), RGB16[..., 0].copy()
