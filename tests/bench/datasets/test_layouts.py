"""Data sets that come without a manifest, built here with the names their authors use."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from bench_pictures import iharmony4, picture, region, save
from PIL import Image

from bench.datasets import CATALOGUE, load, open_dataset
from bench.datasets.check import check
from iph.data.build import BuildSettings, build
from iph.data.sources import read_photos
from iph.errors import InputError


def test_iharmony4(tmp_path: Path) -> None:
    root = iharmony4(tmp_path / "my_data_sets")
    dataset = open_dataset("iharmony4", root)
    assert dataset == open_dataset(str(root))
    entry = {entry.id: entry for entry in dataset.entries}
    assert set(entry) == {"HAdobe5k/a0002_1_4", "HAdobe5k/a0002_1_5", "Hday2night/d90000012-181_1_7"}
    day = entry["Hday2night/d90000012-181_1_7"]
    assert day.target == root / "Hday2night/real_images/d90000012-181.jpg"
    assert day.foreground == root / "Hday2night/masks/d90000012-181_1.png"
    assert day.reference is None and day.subset == "Hday2night" and day.photo == "Hday2night/d90000012-181"
    assert [e.id for e in dataset.of_split("test").entries] == ["HAdobe5k/a0002_1_4", "Hday2night/d90000012-181_1_7"]
    assert entry["HAdobe5k/a0002_1_5"].split == "train"
    assert load(day).foreground.sum() == 22 * 14


def test_half_an_iharmony4(tmp_path: Path) -> None:
    root = iharmony4(tmp_path)
    (root / "HAdobe5k/composite_images/a0002_1_4.jpg").unlink()
    (root / "Hday2night/masks/d90000012-181_1.png").unlink()
    save(root / "HAdobe5k/composite_images/a0002_1_9.jpg", picture(1))
    report = check(open_dataset("iharmony4", root))
    assert [line.partition(":")[0] for line in report.faults["missing files"]] == [
        "composite of HAdobe5k/a0002_1_4",
        "foreground of Hday2night/d90000012-181_1_7",
    ]
    assert report.faults["in no split list"] == ["1 images are named by none of the split lists"]
    assert report.by_split == {"test": 2, "train": 1, "unlisted": 1}


def test_folder_names_in_any_case_and_kind(tmp_path: Path) -> None:
    folder = tmp_path / "hcoco"
    save(folder / "Composite_Images/C108140_1698416_1.PNG", picture(1))
    save(folder / "Masks/c108140_1698416.jpg", region(4))
    save(folder / "Real_Images/c108140.png", picture(0))
    (folder / "HCOCO_test.txt").write_text("c108140_1698416_1.jpg\n")
    (entry,) = open_dataset("iharmony4", tmp_path).entries
    assert entry.target.name == "c108140.png" and entry.foreground.name == "c108140_1698416.jpg"


def test_ccharmony_lists_foregrounds(tmp_path: Path) -> None:
    for name in ("IMG_0281_a_1", "IMG_0281_a_2", "IMG_0499_a_1"):
        save(tmp_path / f"composite/{name}.jpg", picture(1))
    for name in ("IMG_0281", "IMG_0499"):
        save(tmp_path / f"mask/{name}_a.png", region(4))
        save(tmp_path / f"real/{name}.jpg", picture(0))
    (tmp_path / "test_list.txt").write_text("IMG_0281_a\n")
    (tmp_path / "train_list.txt").write_text("IMG_0499_a\n")
    dataset = open_dataset("ccharmony", tmp_path)
    assert [e.id for e in dataset.of_split("test").entries] == ["IMG_0281_a_1", "IMG_0281_a_2"]
    assert {e.photo for e in dataset.entries} == {"IMG_0281", "IMG_0499"}


def two_colors() -> np.ndarray:
    mask = np.zeros((40, 48, 3), np.uint8)
    mask[region(4) > 0] = (255, 0, 0)
    mask[region(26) > 0] = (0, 0, 255)
    return mask


def test_portraittest_with_two_color_masks(tmp_path: Path) -> None:
    save(tmp_path / "input/01.jpg", picture(1))
    save(tmp_path / "masks/01.png", two_colors())
    save(tmp_path / "gt/01.jpg", picture(0))
    (entry,) = open_dataset("portraittest", tmp_path).entries
    found = load(entry)
    assert np.array_equal(found.foreground, region(4) > 0)
    assert np.array_equal(found.reference, region(26) > 0)
    assert found.target is not None


def test_reference_masks_in_a_folder_of_their_own(tmp_path: Path) -> None:
    save(tmp_path / "composites/01.png", picture(1))
    save(tmp_path / "masks/01.png", region(4))
    save(tmp_path / "references/01.png", region(26))
    (entry,) = open_dataset("rcocoharmony", tmp_path).entries
    assert np.array_equal(load(entry).reference, region(26) > 0)
    assert entry.target is None


def test_realhm_names(tmp_path: Path) -> None:
    group = tmp_path / "vendor_testing_1"
    save(group / "12_small.jpg", picture(1))
    save(group / "12.jpg", picture(1, 80, 96))
    save(group / "12_mask.jpg", region(4))
    save(group / "12_fore.jpg", picture(2))
    save(group / "12_gt.jpg", picture(0))
    for name in ("realhm", "portraittest"):
        (entry,) = open_dataset(name, tmp_path).entries
        assert entry.id == "vendor_testing_1/12"
        assert (entry.composite.name, entry.target.name) == ("12_small.jpg", "12_gt.jpg")
        assert load(entry).reference is None


def test_what_iph_builds(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for name in ("one", "two"):
        save(photos / f"images/{name}.jpg", picture(5, 60, 72))
        save(photos / f"masks/{name}_0.png", region(4, 60, 72))
        save(photos / f"masks/{name}_1.png", region(40, 60, 72))
    rows = "".join(f"{name},{k},1,person,0.07\n" for name in ("one", "two") for k in (0, 1))
    (photos / "instances.csv").write_text("id,k,person,label,area_frac\n" + rows)
    (photos / "split.csv").write_text("id,split\none,test\ntwo,train\n")
    build(read_photos(photos), BuildSettings(tmp_path / "built", people=True, workers=1))
    dataset = open_dataset("mhp", tmp_path / "built")
    assert check(dataset).sound
    (entry,) = dataset.of_split("test").entries
    assert entry.photo == "one" and load(entry).reference is not None


def test_wrong_folder_or_name(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(InputError, match="found none of them"):
        open_dataset(str(tmp_path))
    with pytest.raises(InputError, match="expected a folder at"):
        open_dataset(str(tmp_path / "absent"))
    with pytest.raises(InputError, match="did you mean 'iharmony4'"):
        open_dataset("iharmony")
    with pytest.raises(InputError, match="expected the folder of iHarmony4 as root"):
        open_dataset("iharmony4")
    save(tmp_path / "composites/01.png", picture(1))
    with pytest.raises(InputError):
        open_dataset("ccharmony", tmp_path)


@pytest.mark.parametrize(
    "lists, sentence",
    [
        ({}, "expected a list that says what is test"),
        ({"HAdobe5k/HAdobe5ktest.txt": "a0002_1_4.jpg\n"}, "expected train, val or test in the name"),
        ({"IHD_tst.txt": "HAdobe5k/composite_images/a0002_1_4.jpg\n"}, "expected train, val or test in the name"),
        ({"HAdobe5k_test.txt": "\ufeffa0002_1_4.jpg\n".encode("utf-16")}, "expected a split list in UTF-8"),
        ({f"HAdobe5k_{split}.txt": "a0002_1_4.jpg\n" for split in ("train", "test")}, "is in test and in"),
    ],
)
def test_lists_that_are_missing_or_misnamed_are_refused(tmp_path: Path, lists: dict, sentence: str) -> None:
    """In silence, each of them had made every picture one for testing."""
    root = iharmony4(tmp_path)
    for name in ("HAdobe5k/HAdobe5k_test.txt", "HAdobe5k/HAdobe5k_train.txt", "IHD_test.txt"):
        (root / name).unlink()
    shutil.rmtree(root / "Hday2night")
    for name, text in lists.items():
        (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=sentence):
        open_dataset("iharmony4", root)


def test_lists_with_a_mark_before_the_first_line_and_other_words(tmp_path: Path) -> None:
    root = iharmony4(tmp_path)
    (root / "HAdobe5k/HAdobe5k_test.txt").unlink()
    (root / "HAdobe5k/HAdobe5k-testing.txt").write_text("\ufeffa0002_1_4.jpg\r\n")
    (root / "IHD_test.txt").write_text("\ufeffHday2night\\composite_images\\d90000012-181_1_7.jpg\n")
    (root / "HAdobe5k/readme.txt").write_text("what the folders hold\n")
    dataset = open_dataset("iharmony4", root)
    assert [e.id for e in dataset.of_split("test").entries] == ["HAdobe5k/a0002_1_4", "Hday2night/d90000012-181_1_7"]
    report = check(dataset)
    assert report.sound and report.content_hash == dataset.of_split("test").content_hash() != dataset.content_hash()


def test_ccharmony_without_its_lists(tmp_path: Path) -> None:
    for role, name in (("composite", "a_1_1"), ("mask", "a_1"), ("real", "a")):
        save(tmp_path / f"{role}/{name}.png", region(4) if role == "mask" else picture(0))
    with pytest.raises(InputError, match="expected a list that says what is test"):
        open_dataset("ccharmony", tmp_path)
    assert len(open_dataset("portraittest", tmp_path).entries) == 1  # whose form nobody published


def test_what_a_system_leaves_beside_pictures_is_none(tmp_path: Path) -> None:
    root = iharmony4(tmp_path)
    clean = check(open_dataset("iharmony4", root))
    for path in [path for path in root.rglob("*") if path.is_file()]:
        path.with_name(f"._{path.name}").write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (root / "HAdobe5k/composite_images" / name).write_bytes(b"\xff\xd8")
    save(root / "HAdobe5k/composite_images/@eaDir/a0002_1_4.jpg/SYNOPHOTO_THUMB_M.jpg", picture(3))
    (root / "HAdobe5k/masks/a0002_9.png").mkdir()
    shutil.copytree(root / "Hday2night", root / "__MACOSX/Hday2night")
    report = check(open_dataset("iharmony4", root))
    assert report.sound and list(report.lines()) == list(clean.lines())


def test_two_files_of_one_name_are_no_choice(tmp_path: Path) -> None:
    root = iharmony4(tmp_path)
    save(root / "HAdobe5k/composite_images/A0002_1_4.png", picture(1))
    with pytest.raises(InputError, match="expected one picture of a name .*A0002_1_4.png and a0002_1_4.jpg"):
        open_dataset("iharmony4", root)


@pytest.mark.parametrize(
    "ending, options",
    [
        (".jpg", {}),
        (".jpg", {"progressive": True}),
        (".png", {}),
        (".webp", {}),
        (".tif", {"compression": "tiff_lzw"}),
        (".bmp", {}),
    ],
)
def test_pictures_that_are_cut_off_are_found(tmp_path: Path, ending: str, options: dict) -> None:
    """Of a JPEG that ends early a decoder shows grey: measured as if it were whole, it is a number about nothing."""
    for role, pixels in (("composites", picture(1)), ("masks", region(4)), ("targets", picture(0))):
        save(tmp_path / role / "01.png", pixels)
    path = tmp_path / "targets" / f"01{ending}"
    (tmp_path / "targets/01.png").unlink()
    Image.fromarray(picture(0, 40, 48)).save(path, **options)
    assert check(open_dataset(str(tmp_path))).sound
    for kept in (0.5, 0.9):
        content = path.read_bytes()
        path.write_bytes(content[: int(kept * len(content))])
        report = check(open_dataset(str(tmp_path)))
        assert list(report.faults) == ["unusable pictures"]
        path.write_bytes(content)


def test_every_counterpart_is_in_the_catalogue() -> None:
    for source in CATALOGUE.values():
        assert source.counterpart is None or source.counterpart in CATALOGUE
