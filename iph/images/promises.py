"""What XMP promises but nobody writes back: HDR gain maps (Ultra HDR 1.1, Apple's) and the video of a motion photo
(Android's Motion Photo format 1.0). A gain map is right only for the pixels it was made from.
"""

from xml.dom import minidom

from iph.images.metadata import parse_xmp

CONTAINER = "http://ns.google.com/photos/1.0/container/"  # the list of what is appended to the photo
CAMERA = "http://ns.google.com/photos/1.0/camera/"
GAIN_MAPS = ("http://ns.adobe.com/hdr-gain-map/1.0/", "http://ns.apple.com/HDRGainMap/1.0/")
VIDEOS = ("MotionPhoto", "MicroVideo")  # how the names of the camera's properties begin
NO_GAIN_MAP = "Its HDR gain map was left out: it is right only for the pixels it was made from."
NO_VIDEO = "The video of this motion photo was left out."


def without_promises(xmp: bytes | None) -> tuple[bytes | None, tuple[str, ...]]:
    """The packet without these properties, and what to say of them; itself where it has none or cannot be read."""
    if not xmp or not any(space.encode() in xmp for space in (CONTAINER, CAMERA, *GAIN_MAPS)):
        return xmp, ()
    document = parse_xmp(xmp)
    found = [] if document is None else _promises(document.documentElement)
    if not found:
        return xmp, ()
    notes = [NO_GAIN_MAP] if any(node.namespaceURI in GAIN_MAPS for node in found) else []
    notes += [NO_VIDEO] if any(node.namespaceURI == CAMERA for node in found) else []
    for node in found:
        if node.nodeType == node.ATTRIBUTE_NODE:
            node.ownerElement.removeAttributeNode(node)
        else:
            node.parentNode.removeChild(node)
    return "".join(node.toxml() for node in document.childNodes).encode(), tuple(notes)


def _promises(element: minidom.Element) -> list[minidom.Node]:
    """The attributes and elements that promise something, from the outside in; what is inside one goes with it."""
    found = [attribute for attribute in element.attributes.values() if _is_promise(attribute)]
    for child in element.childNodes:
        if child.nodeType == child.ELEMENT_NODE:
            found += [child] if _is_promise(child) else _promises(child)
    return found


def _is_promise(node: minidom.Node) -> bool:
    is_video = node.namespaceURI == CAMERA and node.localName.startswith(VIDEOS)
    return node.namespaceURI in (CONTAINER, *GAIN_MAPS) or is_video
