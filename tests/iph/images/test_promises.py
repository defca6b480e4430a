"""Gain maps and videos that are not written back are not promised either."""

import io

import numpy as np
import pytest
from photo_files import RGB8, XMP, saved
from PIL import Image

from iph.images.encoding import encode
from iph.images.imagefile import read_photo
from iph.images.metadata import parse_xmp
from iph.images.promises import NO_GAIN_MAP, NO_VIDEO, without_promises

RDF = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:C="http://ns.google.com/photos/1.0/container/"'
    ' xmlns:I="http://ns.google.com/photos/1.0/container/item/" xmlns:G="http://ns.google.com/photos/1.0/camera/"'
    ' xmlns:h="http://ns.adobe.com/hdr-gain-map/1.0/" xmlns:a="http://ns.apple.com/HDRGainMap/1.0/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" {}><dc:creator>Ann</dc:creator>{}</rdf:Description></rdf:RDF>'
    "</x:xmpmeta>"
)
LIST = (
    '<C:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><C:Item I:Mime="image/jpeg" I:Semantic="Primary"/></rdf:li>'
    "</rdf:Seq></C:Directory>"
)
PROMISES = {
    "Ultra HDR": ('h:Version="1.0"', LIST, [NO_GAIN_MAP]),
    "Ultra HDR in elements": ("", f"<h:Version>1.0</h:Version>{LIST}", [NO_GAIN_MAP]),
    "Apple": ("", "<a:HDRGainMapVersion>65536</a:HDRGainMapVersion>", [NO_GAIN_MAP]),
    "motion photo": ('G:MotionPhoto="1" G:MotionPhotoVersion="1"', LIST, [NO_VIDEO]),
    "older motion photo": ('G:MicroVideo="1" G:MicroVideoOffset="4096"', "", [NO_VIDEO]),
    "both": ('h:Version="1.0" G:MotionPhoto="1"', LIST, [NO_GAIN_MAP, NO_VIDEO]),
}


@pytest.mark.parametrize("name", PROMISES)
def test_the_promise_goes_and_the_rest_stays(name):
    attributes, elements, notes = PROMISES[name]
    data = saved(RGB8, "JPEG", xmp=RDF.format(attributes, elements).encode()) + bytes(4096)
    photo = read_photo(data)
    assert list(photo.notes) == notes
    written = Image.open(io.BytesIO(encode(photo, "JPEG"))).info["xmp"]
    for part in (b"MotionPhoto", b"MicroVideo", b"h:Version", b"GainMapVersion", b"Directory", b"Semantic"):
        assert part not in written
    assert b"<dc:creator>Ann</dc:creator>" in written and parse_xmp(written) is not None
    assert np.array_equal(photo.pixels, read_photo(saved(RGB8, "JPEG")).pixels)


@pytest.mark.parametrize(
    "xmp", [None, b"", XMP, b"no XML, but hdr-gain-map", RDF.format('G:SpecialTypeID="1"', "").encode()]
)
def test_what_promises_nothing_stays_as_it_is(xmp):
    assert without_promises(xmp) == (xmp, ())
