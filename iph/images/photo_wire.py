"""A photo between two processes: what it says as JSON, its pixels as a file in memory. Nothing is unpickled, for the
process that sends it has decoded a stranger's file.
"""

import base64
import fcntl
import json
import mmap
import os
from typing import Any

import numpy as np

from iph.images.photo import Photo
from iph.pixels import grey_plane

SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE if hasattr(fcntl, "F_SEAL_WRITE") else 0


def packed(photo: Photo) -> tuple[bytes, int]:
    """What is said about the photo, and the descriptor of a file in memory: the pixels, then the alpha."""
    handle = os.memfd_create("photo", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        plane = grey_plane(photo.pixels)
        for samples in (photo.pixels if plane is None else plane, photo.alpha):
            _write(handle, samples)
    except BaseException:
        os.close(handle)
        raise
    said = {
        "shape": photo.pixels.shape[:2],
        "grey": plane is not None,
        "depth": photo.pixels.itemsize,
        "alpha": photo.alpha is not None,
        "icc": _as_text(photo.icc),
        "exif": _as_text(photo.exif),
        "xmp": _as_text(photo.xmp),
        "dpi": photo.dpi,
        "format": photo.format,
        "notes": photo.notes,
        "native": {name: TO_WIRE.get(name, _same)(value) for name, value in photo.native.items()},
    }
    return json.dumps(said).encode(), handle


def unpacked(said: bytes, handle: int) -> Photo:
    """The photo; its arrays lie in the file's memory and may be written to, which nobody else sees, but for those of
    a grey picture. Closes ``handle``.

    Raises ValueError, KeyError, TypeError or OSError where it does not fit together.
    """
    try:
        found = json.loads(said)
        height, width = (int(n) for n in found["shape"])
        channels = 1 if found["grey"] else 3
        dtype = {1: np.uint8, 2: np.uint16}[found["depth"]]
        count, area = height * width * channels, height * width * bool(found["alpha"])
        # Sealed: a file that shrinks under its reader would end this process.
        fcntl.fcntl(handle, fcntl.F_ADD_SEALS, SEALS)
        size = (count + area) * np.dtype(dtype).itemsize
        if os.fstat(handle).st_size != size:
            raise ValueError("pixels of another size than was said")
        memory = np.frombuffer(mmap.mmap(handle, size, access=mmap.ACCESS_COPY), dtype)
    finally:
        os.close(handle)
    pixels = memory[:count].reshape(height, width, channels)
    return Photo(
        np.broadcast_to(pixels, (height, width, 3)) if channels == 1 else pixels,
        memory[count:].reshape(height, width) if area else None,
        _as_bytes(found["icc"]),
        _as_bytes(found["exif"]),
        _as_bytes(found["xmp"]),
        found["dpi"] and tuple(found["dpi"]),
        found["format"],
        tuple(found["notes"]),
        {name: FROM_WIRE.get(name, _same)(value) for name, value in found["native"].items()},
    )


def _write(handle: int, samples: np.ndarray | None) -> None:
    """Written, not mapped: the kernel copies many pages at once instead of making room one by one."""
    left = memoryview(b"" if samples is None else np.ascontiguousarray(samples).reshape(-1).view(np.uint8))
    while left:
        left = left[os.write(handle, left) :]


def _as_text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _as_bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def _same(value: Any) -> Any:
    return value


# The entries of ``native`` that JSON has no form for.
TO_WIRE = {
    "segments": _as_text,
    "chunks": lambda chunks: [[_as_text(kind), _as_text(content)] for kind, content in chunks],
    "tags": lambda tags: [[tag, _as_text(content)] for tag, content in tags.items()],
}
FROM_WIRE = {
    "segments": _as_bytes,
    "chunks": lambda chunks: tuple((_as_bytes(kind), _as_bytes(content)) for kind, content in chunks),
    "tags": lambda tags: {tag: _as_bytes(content) for tag, content in tags},
}
