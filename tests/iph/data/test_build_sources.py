"""COCO, LV-MHP, iHarmony4 and manifests as material, in small copies of their own layouts."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from photo_folder import draw_photo, make_folder

from iph.data import coco as coco_module
from iph.data.build import BuildSettings, build
from iph.data.coco import read_coco
from iph.data.iharmony4 import is_iharmony4, read_iharmony4
from iph.data.manifest import Entry, read_manifest, write_manifest
from iph.data.mhp import read_mhp
from iph.data.sources import first_of_each_split, read_photos
from iph.errors import InputError


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image)


def run_lengths(mask: np.ndarray) -> list[int]:
    """COCO's uncompressed form: column by column, runs of outside and inside by turns, outside first."""
    flat = mask.T.ravel()
    ends = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *ends, flat.size]).tolist()
    return [0, *runs] if flat[0] else runs


def make_coco(folder: Path, layouts: dict[str, list[list[dict]]]) -> Path:
    """``layouts[year]`` lists for each photo its annotations, less what can be filled in."""
    for year, photos in layouts.items():
        images, notes = [], []
        for number, annotations in enumerate(photos, start=1):
            name = f"{number:012d}.jpg"
            write(folder / year / name, draw_photo(number, 0)[0])
            images.append({"id": number, "file_name": name, "height": 48, "width": 64})
            for note in annotations:
                extra = {"id": len(notes) + 1, "image_id": number, "bbox": [0, 0, 1, 1]}
                notes.append({"iscrowd": 0, "category_id": 1} | extra | note)
        table = folder / "annotations" / f"instances_{year}.json"
        table.parent.mkdir(parents=True, exist_ok=True)
        table.write_text(json.dumps({"images": images, "annotations": notes, "categories": [{"id": 1}, {"id": 2}]}))
    return folder


def box(x0: int, y0: int, x1: int, y1: int, **more) -> dict:
    return {"segmentation": [[x0, y0, x1, y0, x1, y1, x0, y1]], "area": (x1 - x0) * (y1 - y0)} | more


def crowd() -> dict:
    mask = np.zeros((48, 64), bool)
    mask[30:, 40:] = True
    return {"segmentation": {"counts": run_lengths(mask), "size": [48, 64]}, "area": int(mask.sum()), "iscrowd": 1}


TWO = [box(5, 5, 25, 40), box(35, 8, 60, 30, category_id=2)]


def test_coco_masks_are_those_of_the_annotations(tmp_path):
    rle = np.zeros((48, 64), bool)
    rle[10:20, 30:50] = True
    note = {"segmentation": {"counts": run_lengths(rle), "size": [48, 64]}, "area": 200, "category_id": 2}
    two_parts = {"segmentation": [[2, 2, 10, 2, 10, 12, 2, 12], [20, 30, 28, 30, 28, 40, 20, 40]], "area": 160}
    make_coco(tmp_path, {"train2017": [[two_parts, note, crowd()], []]})
    first, second = (source.record for source in read_coco(tmp_path))
    masks = first.read_masks()
    expected = np.zeros((48, 64), bool)
    expected[2:12, 2:10] = expected[30:40, 20:28] = True
    assert (masks[0] == expected).all() and (masks[1] == rle).all() and len(masks) == 2
    assert first.persons == (True, False) and first.id == "000000000001"
    assert second.read_masks().shape == (0, 48, 64) and second.read_image().shape == (48, 64, 3)


def test_all_of_train_is_built_and_val_gives_the_test(tmp_path, monkeypatch):
    tiny = box(50, 40, 53, 43)
    layouts = {
        "train2017": [TWO, [box(5, 5, 25, 40), tiny], [box(5, 5, 25, 40), crowd()], []],
        "val2017": [TWO, [box(5, 5, 25, 40)], TWO, [box(5, 5, 25, 40), crowd()], TWO, [TWO[0], tiny]],
    }
    make_coco(tmp_path / "coco", layouts)
    sources = read_coco(tmp_path / "coco")
    train = [s.record.id for s in sources if s.split == "train"]
    test = [s.record.id for s in sources if s.split == "test"]
    assert train == [f"{n:012d}" for n in range(1, 5)]
    assert test == [f"{n:012d}" for n in (1, 3, 5)]  # only these have a second instance to point at
    monkeypatch.setattr(coco_module, "TEST_PHOTOS", 2)
    fewer = [s.record.id for s in read_coco(tmp_path / "coco") if s.split == "test"]
    assert len(fewer) == 2 and set(fewer) < set(test)
    build([s for s in sources if s.split == "train"], BuildSettings(tmp_path / "out", workers=1))
    kinds = {entry.id[-1]: entry.subset for entry in read_manifest(tmp_path / "out")}
    assert kinds == {"1": "instance", "2": "background", "3": "background", "4": "region"}


def test_coco_that_is_not_there_or_broken(tmp_path):
    with pytest.raises(InputError, match="instances_train2017.json or instances_val2017.json in"):
        read_coco(tmp_path)
    make_coco(tmp_path, {"train2017": [TWO]})
    table = tmp_path / "annotations" / "instances_train2017.json"
    whole = table.read_text()
    for text in ("{", "[]", json.dumps({"images": [{"id": 1}], "annotations": []})):
        table.write_text(text)
        with pytest.raises(InputError, match="instance annotations in .* cannot be read"):
            read_coco(tmp_path)
    table.write_text(whole)
    (tmp_path / "train2017" / "000000000001.jpg").unlink()
    record = read_coco(tmp_path)[0].record
    with pytest.raises(InputError, match="expected a readable photo at .*000000000001.jpg"):
        record.read_image()
    (tmp_path / "train2017").rmdir()
    with pytest.raises(InputError, match="expected the folder train2017 or images/train2017"):
        read_coco(tmp_path)


def label_maps(seed: int) -> list[np.ndarray]:
    """Two people as label maps of parts 1 to 18."""
    _, masks = draw_photo(seed, 2)
    parts = np.arange(48)[:, None] % 18 + 1
    return [np.where(mask, parts, 0).astype(np.uint8) for mask in masks]


def test_mhp_v1(tmp_path):
    for name in ("0001", "0002", "0003"):
        write(tmp_path / "images" / f"{name}.jpg", draw_photo(int(name), 2)[0])
        for person, labels in enumerate(label_maps(int(name)), start=1):
            write(tmp_path / "annotations" / f"{name}_02_{person:02d}.png", labels)
    (tmp_path / "train_list.txt").write_text("0002.jpg\n0001.jpg\n")
    (tmp_path / "test_list.txt").write_text("0003.jpg\n")
    sources = read_mhp(tmp_path)
    assert [(s.split, s.record.id) for s in sources] == [
        ("train", "train_0001"),
        ("train", "train_0002"),
        ("test", "test_0003"),
    ]
    record = sources[0].record
    assert (record.read_masks() == np.stack(draw_photo(1, 2)[1])).all() and record.persons == (True, True)
    build(sources, BuildSettings(tmp_path / "out", people=True, workers=1))
    assert [entry.subset for entry in read_manifest(tmp_path / "out")] == ["instance"] * 3


def test_mhp_v2_counts_the_first_channel_only(tmp_path):
    for split, name in (("train", "17"), ("val", "18"), ("val", "19")):
        write(tmp_path / split / "images" / f"{name}.jpg", draw_photo(int(name), 2)[0])
        if name == "19":
            continue  # listed, but without annotations
        for person, labels in enumerate(label_maps(int(name)), start=1):
            three = np.dstack([labels, np.full_like(labels, 7), np.zeros_like(labels)])
            write(tmp_path / split / "parsing_annos" / f"{name}_02_{person:02d}.png", three)
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "train.txt").write_text("17\n")
    (tmp_path / "list" / "val.txt").write_text("18\n19\n")
    sources = read_mhp(tmp_path)
    assert [(s.split, s.record.id) for s in sources] == [("train", "train_17"), ("val", "val_18")]
    assert (sources[1].record.read_masks() == np.stack(draw_photo(18, 2)[1])).all()


def test_mhp_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"a folder annotations \(v1\) or list \(v2\), found neither"):
        read_mhp(tmp_path)
    (tmp_path / "annotations").mkdir()
    with pytest.raises(InputError, match="found no photo that has one"):
        read_mhp(tmp_path)


def test_photos_without_a_split_are_for_training(tmp_path):
    make_folder(tmp_path / "a", [1, 2])
    assert [source.split for source in read_photos(tmp_path / "a")] == ["train", "train"]
    make_folder(tmp_path / "b", [1, 2, 1], {"p00": "test", "p01": "train", "p02": "train"})
    sources = read_photos(tmp_path / "b")
    assert {source.record.id: source.split for source in sources} == {"p00": "test", "p01": "train", "p02": "train"}
    assert [source.record.id for source in first_of_each_split(sources, 1)] == ["p00", "p01"]


def test_iharmony4_names(tmp_path):
    for subset, names in {
        "HAdobe5k": ["a0002_1_4.jpg", "HAdobe5k/composite_images/a0003_1_1.jpg"],
        "Hday2night": ["d90000012-181_1_7.jpg"],
    }.items():
        (tmp_path / subset).mkdir()
        (tmp_path / subset / f"{subset}_train.txt").write_text("\n".join(names))
    assert is_iharmony4(tmp_path) and not is_iharmony4(tmp_path / "HAdobe5k")
    first, second, third = read_iharmony4(tmp_path, "train")
    assert first.composite == "HAdobe5k/composite_images/a0002_1_4.jpg"
    assert first.foreground == "HAdobe5k/masks/a0002_1.png" and first.target == "HAdobe5k/real_images/a0002.jpg"
    assert second.id == "HAdobe5k/a0003_1_1" and first.reference == ""
    assert third.target == "Hday2night/real_images/d90000012-181.jpg" and third.photo == "Hday2night/d90000012-181"
    (tmp_path / "HCOCO").mkdir()
    with pytest.raises(InputError, match="expected a list that says what is test .* like HCOCO_test.txt"):
        read_iharmony4(tmp_path, "train")


def test_iharmony4_as_it_is_packed_in_other_ways(tmp_path):
    """Lists above the subsets, names in capitals, another file type; one reader for training and test."""
    image, masks = draw_photo(0, 1)
    for name in ("C1_1_1", "C1_1_2"):
        write(tmp_path / f"hcoco/Composite_Images/{name}.PNG", image)
    write(tmp_path / "hcoco/Masks/c1_1.png", masks[0].astype(np.uint8) * 255)
    write(tmp_path / "hcoco/Real_Images/c1.png", image)
    (tmp_path / "HCOCO_train.txt").write_text("C1_1_2.jpg\n")
    (tmp_path / "IHD_test.txt").write_text("HCOCO/composite_images/C1_1_1.jpg\nHFlickr/composite_images/f1_1_1.jpg\n")
    (only,) = read_iharmony4(tmp_path, "train")
    assert only.id == "HCOCO/C1_1_2" and only.composite == "hcoco/Composite_Images/C1_1_2.PNG"
    assert only.foreground == "hcoco/Masks/c1_1.png" and only.target == "hcoco/Real_Images/c1.png"
    assert [row.split for row in read_iharmony4(tmp_path)] == ["test", "train"]


def entry(name: str, **more) -> Entry:
    return Entry(name, f"composites/{name}.png", f"foregrounds/{name}.png", photo=name, **more)


def test_a_manifest_comes_back_sorted(tmp_path):
    entries = [entry("b", split="test", look="hue, jitter", seed="0 1"), entry("a", target="targets/a.png")]
    write_manifest(tmp_path, entries)
    assert read_manifest(tmp_path) == entries[::-1]
    assert read_manifest(tmp_path, "test") == entries[:1]
    with pytest.raises(InputError, match="of the split 'val' .* its splits are: test, train"):
        read_manifest(tmp_path, "val")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("id,composite\na,b.png\n", "a value for foreground in line 2"),
        ("id,composite,foreground\na,b.png,c.png\nb,,c.png\n", "a value for composite in line 3"),
        ("id,composite,foreground\na,../b.png,c.png\n", "composite inside the folder in line 2"),
        ("id,composite,foreground\na,b.png,/etc/passwd\n", "foreground inside the folder in line 2"),
        ("id,composite,foreground\na,b.png,c.png\na,d.png,e.png\n", "every id once in .* but 'a' is there twice"),
    ],
)
def test_manifests_that_are_wrong(tmp_path, text, sentence):
    (tmp_path / "manifest.csv").write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_manifest(tmp_path)


def test_one_mask_for_both_regions_and_a_split_that_is_not_said(tmp_path):
    (tmp_path / "manifest.csv").write_text("id,composite,mask\na,b.png,c.png\n")
    (row,) = read_manifest(tmp_path, unsaid="test")
    assert row == Entry("a", "b.png", "c.png", "c.png", split="test", photo="a")


def test_a_folder_without_a_manifest(tmp_path):
    with pytest.raises(InputError, match="a manifest at .*manifest.csv, but: No such file"):
        read_manifest(tmp_path)
