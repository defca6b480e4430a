"""What an edited photo says about itself: XMP (ISO 16684-1) marked as edited, EXIF (CIPA DC-008) brought up to date.

The mark is IPTC's ``DigitalSourceType`` (Photo Metadata Standard 2023.1). Everything the photographer wrote stays.
"""

import re
import struct
from xml.dom import minidom
from xml.parsers.expat import ExpatError, ParserCreate

DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
EMPTY_XMP = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="' + RDF.encode() + b'"></rdf:RDF></x:xmpmeta>'
    b'<?xpacket end="w"?>'
)

MOST_XMP_BYTES, MOST_XMP_NODES, DEEPEST_XMP = 4 << 20, 20_000, 100  # elements, attributes and comments are nodes

ORIENTATION, EXIF_IFD, WIDTH, HEIGHT = 0x0112, 0x8769, 0xA002, 0xA003


def mark_edited(xmp: bytes | None) -> bytes:
    """The XMP packet, saying that the photo is a composite with parts made by a trained model.

    Every other property is kept, and an older DigitalSourceType replaced. Without a readable packet it is a new one.
    """
    document = parse_xmp(xmp) or parse_xmp(EMPTY_XMP)
    rdf = document.getElementsByTagNameNS(RDF, "RDF")[0]
    descriptions = [n for n in rdf.childNodes if (n.namespaceURI, n.localName) == (RDF, "Description")]
    for description in descriptions:
        if description.hasAttributeNS(IPTC, "DigitalSourceType"):
            description.removeAttributeNS(IPTC, "DigitalSourceType")
        for old in description.getElementsByTagNameNS(IPTC, "DigitalSourceType"):
            old.parentNode.removeChild(old)
    mark = document.createElementNS(RDF, "rdf:Description")
    mark.setAttribute("xmlns:rdf", RDF)
    mark.setAttribute("xmlns:Iptc4xmpExt", IPTC)
    # All descriptions of a packet must be about the same thing.
    mark.setAttributeNS(RDF, "rdf:about", descriptions[0].getAttributeNS(RDF, "about") if descriptions else "")
    source_type = document.createElementNS(IPTC, "Iptc4xmpExt:DigitalSourceType")
    source_type.appendChild(document.createTextNode(DIGITAL_SOURCE_TYPE))
    mark.appendChild(source_type)
    rdf.appendChild(mark)
    return "".join(node.toxml() for node in document.childNodes).encode()


def is_marked_edited(xmp: bytes | None) -> bool:
    """Whether the packet carries the mark that ``mark_edited`` writes."""
    document = parse_xmp(xmp)
    if document is None:
        return False
    elements = document.getElementsByTagNameNS(IPTC, "DigitalSourceType")
    values = ["".join(c.data for c in e.childNodes if c.nodeType == c.TEXT_NODE) for e in elements]
    values += [d.getAttributeNS(IPTC, "DigitalSourceType") for d in document.getElementsByTagNameNS(RDF, "Description")]
    return DIGITAL_SOURCE_TYPE in values


def readable_xmp(xmp: bytes | None) -> tuple[bytes | None, tuple[str, ...]]:
    """The packet, or None and a note where it cannot be read."""
    try:
        return (_counted(xmp) and xmp if xmp else None), ()
    except (ExpatError, ValueError, LookupError):
        return None, ("Its XMP packet could not be read and was left out.",)


def upright_xmp(xmp: bytes | None) -> bytes | None:
    """The packet with its own copy of the orientation, if it has one, set to 1."""
    return xmp and re.sub(rb"(tiff:Orientation(?:\s*=\s*[\"']|>))[2-8]", rb"\g<1>1", xmp)


def upright_exif(exif: bytes | None, width: int, height: int) -> bytes | None:
    """The EXIF block with orientation 1, this size, and no thumbnail, which would show the photo before the edit.

    Changed in place, so that maker notes, whose offsets nobody may move, stay readable. None where it is broken.
    """
    if not exif:
        return None
    block = bytearray(exif.removeprefix(b"Exif\x00\x00"))
    try:
        order = {b"II": "<", b"MM": ">"}[bytes(block[:2])]
        first = struct.unpack_from(order + "I", block, 4)[0]
        pointer = _set_entries(block, order, first, {ORIENTATION: 1})
        count = struct.unpack_from(order + "H", block, first)[0]
        if first + 2 + 12 * count + 4 <= len(block):
            struct.pack_into(order + "I", block, first + 2 + 12 * count, 0)  # the thumbnail's directory
        if pointer:
            _set_entries(block, order, pointer, {WIDTH: width, HEIGHT: height})
    except (struct.error, KeyError):
        return None
    return bytes(block)


def _set_entries(block: bytearray, order: str, start: int, values: dict[int, int]) -> int:
    """Set the given tags of the directory at ``start``, where present; answers where its EXIF directory is, or 0."""
    pointer = 0
    for entry in range(struct.unpack_from(order + "H", block, start)[0]):
        offset = start + 2 + 12 * entry
        tag, kind = struct.unpack_from(order + "HH", block, offset)
        if tag == EXIF_IFD:
            pointer = struct.unpack_from(order + "I", block, offset + 8)[0]
        elif tag in values and (kind == 4 or kind == 3 and values[tag] < 65536):
            struct.pack_into(order + "I" if kind == 4 else order + "H", block, offset + 8, values[tag])
    return pointer


def _counted(xmp: bytes) -> bytes:
    """The packet's document, if a tree of it stays small: streamed first, for each element costs a kilobyte there.

    Raises ExpatError on what is no XML, and ValueError on too much of it or on a type declaration in any encoding: XMP
    has none, attacks do.
    """
    content = xmp.strip(b"\x00 \r\n\t")
    if len(content) > MOST_XMP_BYTES:
        raise ValueError("too long")
    nodes = depth = 0

    def count(*what: object) -> None:
        nonlocal nodes
        nodes += 1 + (len(what[1]) if len(what) == 2 and isinstance(what[1], dict) else 0)
        if nodes > MOST_XMP_NODES:
            raise ValueError("too many elements")

    def open_element(name: str, attributes: dict) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST_XMP:
            raise ValueError("too deep")
        count(name, attributes)

    def close_element(name: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*what: object) -> None:
        raise ValueError("a document type")

    parser = ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = open_element, close_element
    parser.CommentHandler = parser.ProcessingInstructionHandler = parser.StartCdataSectionHandler = count
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(content, True)
    return content


def parse_xmp(xmp: bytes | None) -> minidom.Document | None:
    """The packet as a tree, or None."""
    if not xmp:
        return None
    try:
        content = _counted(xmp)
        document = minidom.parseString(content)
    except (ExpatError, ValueError, LookupError):
        return None
    return document if document.getElementsByTagNameNS(RDF, "RDF") else None
