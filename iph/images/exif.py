"""The EXIF block of an opened picture (CIPA DC-008): where each format keeps it, checked before anything reads it.

A block that is broken or promises too much never refuses a photo: it is left out, and a note says so.
"""

import re

from PIL import Image

from iph.images import containers, iso_boxes, tags, tiff

LEFT_OUT = "Its EXIF block could not be read and was left out."
XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=\"|>)([0-9])")


def read_exif(image: Image.Image, data: bytes, xmp: bytes | None) -> tuple[bytes | None, int, tuple[str, ...]]:
    """The block from TIFF's signature on or None, the orientation 1 to 8, and what there is to say about them.

    ``data`` is the whole file, of which ``image`` may have been shown less; ``xmp`` is asked where EXIF is silent.
    """
    if image.format == "TIFF":
        return _of_tiff(image, data)
    block, said, notes = _block(image, data), None, ()
    if block is not None:
        block = block.removeprefix(containers.EXIF)
        try:
            said = _orientation(block)
        except Exception:  # Pillow's reader raises whatever it likes on a broken block
            block, notes = None, (LEFT_OUT,)
    if image.format == "AVIF":  # turned by the file's own boxes, which Pillow translates
        said = image.getexif().get(tiff.ORIENTATION, 1)
    elif said is None and xmp and (found := XMP_ORIENTATION.search(xmp)):
        said = int(found[1])
    return block, said or 1, notes


def _block(image: Image.Image, data: bytes) -> bytes | None:
    match image.format:
        case "JPEG" | "MPO":
            return containers.jpeg_exif(data)
        case "HEIF" | "AVIF":
            return iso_boxes.exif_of(data)
        case "PNG":
            block = containers.png_exif(data)
            text = image.info.get("Raw profile type exif") if block is None else None
            if not isinstance(text, str):
                return block
            try:
                return bytes.fromhex("".join(text.split("\n")[3:]))  # as ImageMagick writes it
            except ValueError:
                return b""
    return image.info.get("exif")


def _orientation(block: bytes) -> int | None:
    """The block's orientation, once its cost is known and everything that a writer will read can be read."""
    tags.counted(block)
    exif = Image.Exif()
    exif.load(block)
    for directory in (exif, *(exif.get_ifd(tag) for tag in (tags.EXIF_IFD, tags.GPS_IFD))):
        dict(directory)
    exif.tobytes()
    said = exif.get(tiff.ORIENTATION)
    return said if isinstance(said, int) else None


def _of_tiff(image: Image.Image, data: bytes) -> tuple[bytes | None, int, tuple[str, ...]]:
    """A TIFF's own tags as a block."""
    said = image.tag_v2.get(tiff.ORIENTATION, 1)
    orientation = said if isinstance(said, int) else 1
    try:
        tags.counted(data)
        return tiff.exif_of(image), orientation, ()
    except Exception:  # as above
        return None, orientation, (LEFT_OUT,)
