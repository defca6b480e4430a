"""Data sets that come without a manifest, built here with the names their authors use."""

from pathlib import Path

import numpy as np
import pytest
from bench_pictures import picture, region, save

from bench.datasets import CATALOGUE, load, open_dataset
from bench.datasets.check import check
from iph.data.build import BuildSettings, build
from iph.data.sources import read_photos
from iph.errors import InputError


def iharmony4(root: Path) -> Path:
    """Two subsets; the root's name has '_' and a day2night name has '-', which naive name splitting breaks on."""
    for subset, real, masks in (
        ("HAdobe5k", "a0002", {"a0002_1": ["a0002_1_4", "a0002_1_5"]}),
        ("Hday2night", "d90000012-181", {"d90000012-181_1": ["d90000012-181_1_7"]}),
    ):
        folder = root / subset
        save(folder / f"real_images/{real}.jpg", picture(0))
        for mask, composites in masks.items():
            save(folder / f"masks/{mask}.png", np.repeat(region(4)[..., None], 3, axis=2))
            for composite in composites:
                save(folder / f"composite_images/{composite}.jpg", picture(1))
    (root / "HAdobe5k/HAdobe5k_test.txt").write_text("a0002_1_4.jpg\n")
    (root / "HAdobe5k/HAdobe5k_train.txt").write_text("a0002_1_5.jpg\n")
    (root / "IHD_test.txt").write_text("Hday2night/composite_images/d90000012-181_1_7.jpg\n")
    return root


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


def test_every_counterpart_is_in_the_catalogue() -> None:
    for source in CATALOGUE.values():
        assert source.counterpart is None or source.counterpart in CATALOGUE
