"""Photos read in a process of its own: the same photo, the same sentences, and what happens when the process ends."""

import os
import resource
import signal
import threading
import time
from dataclasses import fields

import numpy as np
import pytest
from photo_files import RGB8, RGB16, RGBA16, png16, saved, tiff, with_everything

from iph.errors import InputError
from iph.images import confined
from iph.images.confined import read_photo_confined, warm_up
from iph.images.encoding import encode
from iph.images.imagefile import read_photo
from iph.pixels import grey_plane

FILES = {kind: with_everything(kind) for kind in ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF")}
FILES |= {"GIF": saved(RGB8, "GIF"), "PNG of 16 bits": png16(RGBA16)}
FILES |= {"grey PNG": saved(RGB8[..., 0], "PNG"), "grey JPEG": saved(RGB8[..., 0], "JPEG")}
FILES |= {"TIFF of 16 bits": tiff(RGB16, photometric="rgb", compression="deflate")}


@pytest.mark.parametrize("name", FILES)
def test_the_same_photo_comes_back(tmp_path, name):
    path = tmp_path / "photo"
    path.write_bytes(FILES[name])
    here, there = read_photo(path), read_photo_confined(path)
    for field in fields(here):
        one, other = getattr(here, field.name), getattr(there, field.name)
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other, strict=True)
        else:
            assert one == other, field.name
    if grey_plane(there.pixels) is None:
        there.pixels[0, 0] = 0  # writable, like any array
    assert encode(here.with_pixels(there.pixels), "PNG") == encode(there, "PNG")


def test_the_same_sentences_come_back(tmp_path):
    (tmp_path / "text.jpg").write_text("This is no picture.")
    (tmp_path / "photo.png").write_bytes(FILES["PNG"])
    for path, limits in (("text.jpg", {}), ("none.jpg", {}), ("photo.png", {"max_pixels": 100}), ("", {})):
        with pytest.raises(InputError) as here:
            read_photo(tmp_path / path, **limits)
        with pytest.raises(InputError) as there:
            read_photo_confined(tmp_path / path, **limits)
        assert str(here.value) == str(there.value)


def test_a_reader_that_dies_is_a_sentence_and_replaced(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(FILES["PNG"])
    read_photo_confined(path)
    reader = confined._idle[-1]
    os.kill(reader.process.pid, signal.SIGSTOP)
    threading.Timer(0.3, os.kill, (reader.process.pid, signal.SIGKILL)).start()
    with pytest.raises(InputError, match="'photo.png', at which its reader ended"):
        read_photo_confined(path)
    assert read_photo_confined(path).format == "PNG" and reader not in confined._idle


def test_a_reader_that_takes_too_long_is_a_sentence_and_replaced(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(FILES["PNG"])
    read_photo_confined(path)
    reader = confined._idle[-1]
    os.kill(reader.process.pid, signal.SIGSTOP)
    start = time.monotonic()
    with pytest.raises(InputError, match="read within 0.5 seconds, got 'photo.png'"):
        read_photo_confined(path, seconds=0.5)
    assert time.monotonic() - start < 5 and not reader.is_alive()
    assert read_photo_confined(path).format == "PNG"


def test_a_reader_cannot_take_more_memory_than_a_photo_needs(tmp_path):
    """A photo past the screen whose decoder takes more than it may: the room of a small photo, set from outside."""
    path = tmp_path / "large.png"
    path.write_bytes(saved(np.zeros((9_000, 9_000, 3), np.uint8), "PNG"))
    read_photo_confined(path)
    reader = confined._idle[-1]
    held = int(open(f"/proc/{reader.process.pid}/statm").read().split()[0]) * resource.getpagesize()
    hard = held + (100 << 20)  # the reader may lower its limit, never raise it above this
    resource.prlimit(reader.process.pid, resource.RLIMIT_AS, (hard, hard))
    with pytest.raises(InputError, match="'large.png'"):
        read_photo_confined(path)
    assert not reader.is_alive() and read_photo_confined(path).pixels.shape == (9_000, 9_000, 3)


def test_several_callers_are_served(tmp_path):
    warm_up()
    paths = []
    for number in range(8):
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(saved(np.full((64, 64, 3), number, np.uint8), "PNG"))
    found = {}
    threads = [
        threading.Thread(target=lambda p=path: found.update({p: read_photo_confined(p).pixels[0, 0, 0]}))
        for path in paths * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[path] for path in paths] == list(range(8))
    assert len(confined._idle) <= confined.MOST_READERS


def test_a_reader_knows_no_secret_of_the_server(tmp_path, monkeypatch):
    monkeypatch.setenv("STUDY_PASSWORD", "hunter2")
    reader = confined._Reader()
    try:
        with open(f"/proc/{reader.process.pid}/environ", "rb") as file:
            assert b"hunter2" not in file.read()
    finally:
        reader.end()
