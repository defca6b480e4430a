"""XMP and EXIF of edited photos, read back by Pillow."""

import struct

import photo_files
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from iph.images.metadata import DIGITAL_SOURCE_TYPE, is_marked_edited, mark_edited, upright_exif, upright_xmp

IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"


def packet(body: str, attributes: str = "") -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<r:Description r:about="" xmlns:e="{IPTC}" {attributes}>{body}</r:Description></r:RDF></x:xmpmeta>'
    ).encode()


def test_the_mark_joins_what_the_photographer_wrote():
    marked = mark_edited(photo_files.XMP)
    assert "Jürgen &amp; Co".encode() in marked and b'rdf:about="uuid:1"' in marked
    assert marked.count(b"uuid:1") == 2  # all descriptions are about the same thing
    assert is_marked_edited(marked) and not is_marked_edited(photo_files.XMP)
    assert marked.startswith(b"<?xpacket begin=") and marked.endswith(b'<?xpacket end="w"?>')


def test_marking_twice_is_marking_once():
    once = mark_edited(photo_files.XMP)
    assert mark_edited(once).count(DIGITAL_SOURCE_TYPE.encode()) == 1


@pytest.mark.parametrize(
    "xmp",
    [
        packet(
            "<e:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture</e:DigitalSourceType>"
        ),
        packet("", 'e:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"'),
    ],
)
def test_an_older_source_type_is_replaced(xmp):
    marked = mark_edited(xmp)
    assert is_marked_edited(marked) and b"digitalCapture" not in marked


@pytest.mark.parametrize(
    "xmp", [None, b"", b"not xml", b"<a/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"\xff\xfe<"]
)
def test_an_unreadable_packet_becomes_a_new_one(xmp):
    assert is_marked_edited(mark_edited(xmp))


def test_the_mark_is_found_as_an_attribute_too():
    assert is_marked_edited(packet("", f'e:DigitalSourceType="{DIGITAL_SOURCE_TYPE}"'))


def test_the_orientation_in_xmp_is_reset():
    turned = photo_files.XMP.replace(b'tiff:Orientation="1"', b'tiff:Orientation="6"')
    assert upright_xmp(turned) == photo_files.XMP != turned
    assert upright_xmp(b"<tiff:Orientation>8</tiff:Orientation>") == b"<tiff:Orientation>1</tiff:Orientation>"
    assert upright_xmp(None) is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_is_upright_of_the_new_size_and_without_thumbnail(orientation):
    before = photo_files.exif(orientation)
    original, block = Image.Exif(), Image.Exif()
    original.load(before)
    assert original.get_ifd(0x8769)[0xA002] == 56 and original._info.next
    after = upright_exif(before, 40, 70000)
    block.load(after)
    assert block[0x0112] == 1 and block[0x013B] == "Ann Artist" and block[0x0131] == "Camera 1.0"
    assert block.get_ifd(0x8769)[0xA002] == 40 and block.get_ifd(0x8825)[2] == (52.0, 31.0, 12.0)
    assert block.get_ifd(0x8769)[0x927C] == b"maker note " * 9
    assert not block._info.next
    assert len(after) == len(before) - 6  # nothing moved: maker notes hold offsets


def test_big_endian_exif_is_changed_in_its_own_order():
    entries = struct.pack(">HHHIHH", 1, 0x0112, 3, 1, 6, 0)
    after = upright_exif(b"MM\x00*\x00\x00\x00\x08" + entries + b"\x00\x00\x00\x1a", 1, 1)
    assert after == b"MM\x00*\x00\x00\x00\x08" + struct.pack(">HHHIHH", 1, 0x0112, 3, 1, 1, 0) + bytes(4)


@given(st.binary(max_size=60), st.sampled_from([b"", b"II*\x00", b"MM\x00*", b"Exif\x00\x00II*\x00\x08\x00\x00\x00"]))
@settings(max_examples=200)
def test_broken_exif_is_dropped_or_kept_in_length(data, head):
    after = upright_exif(head + data, 10, 10)
    assert after is None or len(after) == len((head + data).removeprefix(b"Exif\x00\x00"))
