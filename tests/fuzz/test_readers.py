"""Damaged files of every kind end in success or in one InputError, within bounds of memory and time.

A few seconds of it run with the other tests; ``make fuzz`` tries as many as FUZZ_EXAMPLES says.
"""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import photo_files
import pytest
import study_files
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mutations import TOKENS, WORDS, damaged
from photo_files import RGB8, RGB16, RGBA8, RGBA16, png16, saved, tiff, with_everything

import iph.errors
import userstudy.errors
from iph.cube import lattice, read_cube, write_cube
from iph.data.manifest import Entry, read_manifest, write_manifest
from iph.images.encoding import WRITERS, encode
from iph.images.imagefile import read_photo
from iph.mapping import ColorMapping
from iph.placement import Placement
from iph.recipe import Recipe
from userstudy.design.study_file import load_study

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
MOST_MEGABYTES, MOST_SECONDS = 400, 10
MAX_PIXELS = 1_000_000
many = settings(
    max_examples=EXAMPLES,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)

SMALL = photo_files.pixels(height=24, width=32)
PICTURES = {
    "JPEG": [with_everything("JPEG"), saved(SMALL, "JPEG"), saved(SMALL, "JPEG", progressive=True)],
    "PNG": [with_everything("PNG"), saved(RGBA8, "PNG"), png16(RGB16), png16(RGBA16)],
    "WEBP": [with_everything("WEBP"), saved(SMALL, "WEBP"), saved(RGBA8, "WEBP", lossless=True)],
    "TIFF": [
        with_everything("TIFF"),
        saved(SMALL, "TIFF", compression="tiff_lzw"),
        tiff(RGB16, photometric="rgb"),
        tiff(RGB16, photometric="rgb", compression="deflate", tile=(16, 16)),
        tiff(RGBA16, photometric="rgb", extrasamples=["assocalpha"], bigtiff=True),
    ],
    "HEIF": [with_everything("HEIF"), saved(SMALL, "HEIF")],
    "AVIF": [with_everything("AVIF"), saved(SMALL, "AVIF")],
    "GIF and BMP": [saved(SMALL, "GIF"), saved(SMALL, "BMP"), saved(RGBA8, "BMP")],
}


@pytest.fixture(autouse=True)
def bounded_memory():
    """The peak of this process above what it held before."""
    Path("/proc/self/clear_refs").write_text("5")
    held = _status("VmRSS")
    yield
    assert _status("VmHWM") - held < MOST_MEGABYTES * 1024


def _status(field: str) -> int:
    return int(Path("/proc/self/status").read_text().split(f"{field}:")[1].split()[0])


def read(reader: Callable, *arguments: object) -> object:
    """What the reader gives, or None on its InputError; anything else is a failure."""
    start = time.monotonic()
    try:
        return reader(*arguments)
    except (iph.errors.InputError, userstudy.errors.InputError) as error:
        assert str(error)
    finally:
        assert time.monotonic() - start < MOST_SECONDS
    return None


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures(kind):
    @many
    @given(damaged(PICTURES[kind], WORDS), st.sampled_from(sorted(WRITERS)))
    def attempt(data, written):
        photo = read(read_photo, data, 1 << 20, MAX_PIXELS)
        if photo is not None:
            assert photo.pixels.shape[0] * photo.pixels.shape[1] <= MAX_PIXELS
            assert all(isinstance(note, str) for note in photo.notes)
            read(encode, photo, written)

    attempt()


def _recipes(folder: Path) -> list[bytes]:
    mask = np.zeros((8, 8), np.float32)
    mask[2:6] = 1
    mapping = ColorMapping(np.zeros((11, 3)), [0.0] * 3, [1.0] * 3)
    found = [Recipe(mapping, mask), Recipe(mapping, None, placement=Placement(), names={"person": "a.png"})]
    found.append(replace(found[1], above=(found[1],)))
    for number, recipe in enumerate(found):
        recipe.save(folder / f"{number}.json")
    return [(folder / f"{number}.json").read_bytes() for number in range(len(found))]


def _cubes(folder: Path) -> list[bytes]:
    write_cube(folder / "look.cube", lattice(3), "Look")
    plain = (folder / "look.cube").read_bytes()
    return [plain, plain.replace(b"DOMAIN_MIN", b"# made by\r\nDOMAIN_MIN"), b"LUT_3D_INPUT_RANGE 0 2\n" + plain]


def _manifests(folder: Path) -> list[bytes]:
    entries = [Entry(f"{i}", f"composites/{i}.png", f"masks/{i}.png", target=f"targets/{i}.png") for i in range(3)]
    plain = write_manifest(folder, entries).read_bytes()
    return [plain, b'id,composite,mask\r\n"a","b\n.png",c.png\r\n', b"\xef\xbb\xbf" + plain]


def _studies(folder: Path) -> list[bytes]:
    return [study_files.write_study(folder).read_bytes()]


TEXTS = {
    "recipe": (Recipe.load, _recipes, "r.json"),
    "cube": (read_cube, _cubes, "c.cube"),
    "manifest": (lambda path: read_manifest(path.parent), _manifests, "manifest.csv"),
    "study file": (load_study, _studies, "fuzzed.toml"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_texts(tmp_path, kind):
    reader, seeds, name = TEXTS[kind]
    path = tmp_path / name

    @many
    @given(damaged(seeds(tmp_path), TOKENS))
    def attempt(data):
        path.write_bytes(data)
        read(reader, path)

    attempt()


@many
@given(st.sampled_from([RGB8, RGB16]), st.binary(max_size=400))
def test_exif_and_xmp_of_any_content(samples, block):
    """Side blocks never refuse a photo, whatever is in them."""
    png = saved(samples, "PNG") if samples.dtype == np.uint8 else png16(samples)
    text = b"XML:com.adobe.xmp\0\0\0\0\0"
    for chunks in (((b"eXIf", block),), ((b"iTXt", text + block),), ((b"eXIf", b"II*\0\x08\0\0\0" + block),)):
        photo = read_photo(photo_files.with_png_chunks(png, chunks))
        assert np.array_equal(photo.pixels.shape[2:], (3,)) and len(photo.notes) <= 2
