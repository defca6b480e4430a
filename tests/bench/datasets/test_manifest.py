"""The manifest form and the checks on what it names."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from bench_pictures import make_dataset, picture, region, save
from PIL import Image

from bench.datasets import load, read_manifest
from bench.datasets.check import check, require_complete
from bench.datasets.pictures import read_image, read_two_color_mask
from iph.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_dataset(tmp_path / "set")
    return tmp_path / "set"


def edit(folder: Path, **changes: str) -> None:
    """Change cells of the manifest's first row; a new column may come in."""
    path = folder / "manifest.csv"
    rows = list(csv.DictReader(path.open()))
    rows[0] |= changes
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_what_is_written_is_read(folder: Path) -> None:
    written = make_dataset(folder)
    assert read_manifest(folder).entries == written.entries


def test_picture_of_an_entry(folder: Path) -> None:
    picture_ = load(read_manifest(folder).entries[0])
    assert picture_.composite.shape == picture_.target.shape == (40, 48, 3)
    assert np.array_equal(picture_.foreground, region(4) > 0)
    assert np.array_equal(picture_.reference, region(26) > 0)
    outside = ~picture_.foreground
    assert np.array_equal(picture_.composite[outside], picture_.target[outside])


def test_fixed_size_is_pillows(folder: Path) -> None:
    entry = read_manifest(folder).entries[1]
    small = load(entry, 32)
    expected = Image.open(entry.composite).resize((32, 32), Image.Resampling.BICUBIC)
    assert np.array_equal(small.composite, np.asarray(expected))
    assert small.foreground.shape == (32, 32) and small.foreground.dtype == bool


def test_thin_mask_does_not_vanish(folder: Path) -> None:
    entry = read_manifest(folder).entries[0]
    thin = np.zeros((40, 48), np.uint8)
    thin[0, :] = 255
    save(entry.foreground, thin)
    assert load(entry, 16).foreground.any()


def test_hash_knows_pixels_not_packing_or_place(folder: Path, tmp_path: Path) -> None:
    before = read_manifest(folder).content_hash()
    path = folder / "composites/0.png"
    pixels = cv2.imread(str(path))
    size = path.stat().st_size
    cv2.imwrite(str(path), pixels, (cv2.IMWRITE_PNG_COMPRESSION, 0))
    assert path.stat().st_size != size
    folder.rename(tmp_path / "moved")
    moved = tmp_path / "moved"
    assert read_manifest(moved).content_hash() == before
    pixels[0, 0, 0] ^= 1
    cv2.imwrite(str(moved / "composites/0.png"), pixels)
    assert read_manifest(moved).content_hash() != before


def test_one_mask_of_two_colors(folder: Path) -> None:
    mask = np.zeros((40, 48, 3), np.uint8)
    mask[region(4) > 0] = (250, 3, 2)
    mask[region(26) > 0] = (0, 9, 240)
    save(folder / "both.jpg", mask)
    edit(folder, mask="both.jpg", foreground="", reference="")
    found = load(read_manifest(folder).entries[0])
    for got, wanted in ((found.foreground, region(4)), (found.reference, region(26))):
        assert np.mean(got == (wanted > 0)) > 0.98  # JPEG moves an edge by a pixel
    assert not (found.foreground & found.reference).any()


def test_grey_mask_stored_as_rgb(folder: Path) -> None:
    entry = read_manifest(folder).entries[0]
    save(entry.foreground, np.repeat(region(4)[..., None], 3, axis=2))
    assert np.array_equal(load(entry).foreground, region(4) > 0)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"foreground": ""}, "expected a value for foreground in line 2"),
        ({"id": "image1"}, "expected every id once"),
        ({"target": "../outside.png"}, "expected target inside"),
        *(
            ({"id": wrong}, "expected an id that names a file below a folder in line 2")
            for wrong in ("../../out", "/etc/x", "a/../../b", "a//b", "a/.", "C:x", "C:/x", "a\\..\\b", "a\tb")
        ),
    ],
)
def test_wrong_manifest(folder: Path, changes: dict[str, str], sentence: str) -> None:
    edit(folder, **changes)
    with pytest.raises(InputError, match=sentence):
        read_manifest(folder)


def test_a_file_that_is_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    outside.write_bytes((folder / "composites/0.png").read_bytes())
    (folder / "link.png").symlink_to(outside)
    edit(folder, target="link.png")
    with pytest.raises(InputError, match="expected target of image0 inside .* is a link out of it"):
        read_manifest(folder)


def test_no_manifest_and_empty_manifest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a manifest"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.csv").write_text("id,composite,foreground\n")
    with pytest.raises(InputError, match="at least one image"):
        read_manifest(tmp_path)


def palette(path: Path) -> None:
    Image.fromarray(region(4)).convert("P").save(path)


def sixteen_bits(path: Path) -> None:
    cv2.imwrite(str(path), region(4).astype(np.uint16) * 257)


def opaque(path: Path) -> None:
    grey = region(4)
    cv2.imwrite(str(path), np.dstack([grey, grey, grey, np.full_like(grey, 255)]))


def white_under_its_alpha(path: Path) -> None:
    grey = region(4)
    cv2.imwrite(str(path), np.dstack([np.full((*grey.shape, 3), 255, np.uint8), grey]))


def ones(path: Path) -> None:
    cv2.imwrite(str(path), region(4) // 255)


@pytest.mark.parametrize("form", [palette, sixteen_bits, opaque, white_under_its_alpha, ones])
def test_every_form_of_a_mask_is_the_same_mask(folder: Path, form) -> None:
    entry = read_manifest(folder).entries[0]
    form(entry.foreground)
    np.testing.assert_array_equal(load(entry).foreground, region(4) >= 128)


def test_a_picture_that_says_it_lies_on_its_side_is_read_upright(tmp_path: Path) -> None:
    pixels = picture(3)
    turned = Image.fromarray(np.rot90(pixels))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by 90 degrees clockwise
    turned.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), pixels)


@pytest.mark.parametrize(
    ("role", "spoil", "sentence"),
    [
        ("reference", lambda path: save(path, picture(3)), "references/0.png was expected in grey, but it has colours"),
        ("foreground", lambda path: save(path, np.zeros((40, 48), np.uint8)), "masks/0.png is empty"),
        (
            "foreground",
            lambda path: save(path, np.full((40, 48), 255, np.uint8)),
            "masks/0.png covers the whole picture",
        ),
        ("reference", lambda path: save(path, np.zeros((40, 48), np.uint8)), "references/0.png is empty"),
        ("foreground", lambda path: path.write_bytes(b"no picture"), "expected a readable mask"),
        ("target", lambda path: path.write_bytes(b"\x89PNG\r\n"), "expected a readable image"),
        ("target", lambda path: path.unlink(), "expected an image at .* found none"),
        (
            "target",
            lambda path: save(path, picture(0, 20, 24)),
            "expected target of image0 to be 48x40 .* but it is 24x20",
        ),
        ("foreground", lambda path: save(path, region(4, 41)), "expected foreground of image0 to be 48x40"),
    ],
)
def test_unusable_file_is_one_sentence(folder: Path, role: str, spoil, sentence: str) -> None:
    entry = read_manifest(folder).entries[0]
    spoil(getattr(entry, role))
    with pytest.raises(InputError, match=sentence) as raised:
        load(entry)
    assert "\n" not in str(raised.value)


def test_grey_file_is_no_two_color_mask(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="red, blue and black, but this one has other colours"):
        read_two_color_mask(save(tmp_path / "grey.png", region(4)))


def test_report_of_a_sound_folder(folder: Path) -> None:
    dataset = read_manifest(folder)
    report = check(dataset)
    assert report.sound and report.content_hash == dataset.content_hash()
    assert report.by_split == {"test": 4} and report.by_subset == {"even": 2, "odd": 2}
    assert "no fault found" in "\n".join(report.lines())


@pytest.mark.parametrize("read_all", [True, False])
def test_report_names_every_kind_of_fault(folder: Path, read_all: bool) -> None:
    dataset = read_manifest(folder)
    dataset.entries[0].target.unlink()
    save(dataset.entries[1].target, picture(1, 20, 24))
    dataset.entries[2].composite.write_bytes(b"broken")
    report = check(dataset, read_all)
    assert {kind: len(found) for kind, found in report.faults.items()} == {
        "missing files": 1,
        "size mismatches": 1,
        "unusable pictures": 1,
    }
    assert report.content_hash is None and "cannot be used" in "\n".join(report.lines())
    with pytest.raises(InputError, match="but 1 are missing"):
        require_complete(dataset.entries, folder)
