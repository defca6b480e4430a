"""The open sets: their definitions, that they rebuild to the pixel, and the sample that ships."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bench_pictures import picture, region, save

from bench.datasets import load, open_dataset
from bench.datasets.catalogue import CATALOGUE, SAMPLE_ROOT
from bench.datasets.coco_counterpart import build_counterpart
from bench.datasets.manifest import read_manifest
from bench.datasets.open_sets import (
    DEFINITIONS,
    REBUILT_BY,
    Definition,
    build,
    read_definitions,
    rebuild,
    rebuild_from_folder,
)
from iph.errors import InputError

SETS = ("belief-open", "intharmony-open", "portrait-open", "sample")
SAMPLE_BYTES = 6_000_000


@pytest.mark.parametrize("name", SETS)
def test_definition(name: str) -> None:
    definitions = read_definitions(DEFINITIONS / f"{name}.csv")
    assert len({definition.id for definition in definitions}) == len(definitions)
    assert all(definition.checksum and definition.look for definition in definitions)
    if name not in REBUILT_BY:
        assert all((definition.reference is None) == (definition.box is not None) for definition in definitions)
        assert all(definition.reference != definition.foreground for definition in definitions)
    if expected := CATALOGUE[name].test_images:
        assert len(definitions) == expected


def test_portraits_are_people_beside_people() -> None:
    definitions = read_definitions(DEFINITIONS / "portrait-open.csv")
    assert all(definition.reference is not None for definition in definitions)
    counts = pd.Series([definition.photo for definition in definitions]).value_counts()
    assert len(counts) == 65 and (counts == 8).all()


def test_belief_has_the_background_for_every_person() -> None:
    kinds = pd.DataFrame(read_definitions(DEFINITIONS / "belief-open.csv")).groupby("photo")["subset"].agg(set)
    assert len(kinds) == 318 and all("background" in found and len(found) > 1 for found in kinds)
    assert set.union(*kinds) == {"background", "cloth", "sky", "furniture", "thing", "saturated"}


@pytest.mark.shared
@pytest.mark.parametrize("name", SETS)
def test_only_held_out_photos(name: str, shared: Path) -> None:
    splits = pd.read_csv(shared / "data/photos/split.csv", dtype=str).set_index("id")["split"]
    used = {definition.photo for definition in read_definitions(DEFINITIONS / f"{name}.csv")}
    assert set(splits[sorted(used)]) == {"sample" if name == "sample" else "test"}


@pytest.mark.shared
@pytest.mark.parametrize("name", SETS)
def test_rebuilds_to_the_pixel(name: str, shared: Path) -> None:
    """One composite of every look and of every kind of reference; of two looks, of every kind of reference alone."""
    definitions = read_definitions(DEFINITIONS / f"{name}.csv")
    belief = name in REBUILT_BY
    chosen = {row.subset if belief else (row.look, row.box is None): row for row in definitions}
    for definition in chosen.values():
        built = REBUILT_BY.get(name, rebuild_from_folder)(shared / "data/photos", definition)
        assert (built.look, built.checksum()) == (definition.look, definition.checksum), definition.id
        outside = ~built.foreground
        assert np.array_equal(built.composite[outside], built.target[outside])
        assert not (built.foreground & built.reference).any()
        change = built.composite[built.foreground].astype(float) - built.target[built.foreground]
        assert np.mean(change**2) >= (0 if belief else 30)


@pytest.mark.shared
@pytest.mark.parametrize("older", [True, False], ids=["without the newest instructions", "as it is"])
def test_belief_open_is_the_same_on_other_processors(shared: Path, older: bool) -> None:
    """Powers and sums in single precision put a pixel of these people on another level where AVX-512 computes them."""
    names = ("cc0p_001", "cc0p_023", "ccp_0158", "coco_493442")
    code = "import sys; from pathlib import Path; from iph.training.belief import belief_composites as made\n"
    code += "for name in sys.argv[2:]: print(made(Path(sys.argv[1]), name)[0].checksum())"
    without = {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR", "OPENBLAS_CORETYPE": "Haswell"}
    run = subprocess.run(
        [sys.executable, "-c", code, shared / "data/photos", *names],
        env=os.environ | (without if older else {}),
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = {row.photo: row.checksum for row in read_definitions(DEFINITIONS / "belief-open.csv")}
    assert run.stdout.split() == [wanted[name] for name in names]


def photo_folder(tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    save(photos / "images/one.jpg", picture(5))
    save(photos / "masks/one_0.png", region(4))
    save(photos / "masks/one_3.png", region(26))
    return photos


def test_build_says_what_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = photo_folder(tmp_path)
    right = rebuild_from_folder(photos, Definition("a", "one", "person", 0, 3, None, seed=7)).checksum()
    definition = tmp_path / "toy.csv"
    definition.write_text(
        "id,photo,subset,foreground,reference,box,seed,look,checksum\n"
        f"a,one,person,0,3,,7,,{right}\nb,one,person,0,,20 0 40 30,8,,0000\n"
    )
    monkeypatch.setattr("bench.datasets.open_sets.DEFINITIONS", tmp_path)
    monkeypatch.setitem(CATALOGUE, "toy", CATALOGUE["portrait-open"])
    assert build("toy", photos, tmp_path / "out") == 1
    dataset = read_manifest(tmp_path / "out/toy")
    first, second = (load(entry) for entry in dataset.entries)
    assert np.array_equal(first.foreground, region(4) > 0) and np.array_equal(first.reference, region(26) > 0)
    assert np.array_equal(first.target, second.target)
    assert second.reference[0, 20] and not second.reference[10, 10]
    again = tmp_path / "again"
    build("toy", photos, again)
    assert read_manifest(again / "toy").content_hash() == dataset.content_hash()
    with pytest.raises(InputError, match="remove it to build it again"):
        build("toy", photos, tmp_path / "out")
    with pytest.raises(InputError, match="expected the folders images and masks"):
        build("toy", tmp_path, tmp_path / "other")


def test_sample_ships_whole_and_credited() -> None:
    dataset = open_dataset("sample")
    assert len(dataset.entries) == 40
    assert CATALOGUE["sample"].deviates(dataset.content_hash()) is None
    assert sum(path.stat().st_size for path in SAMPLE_ROOT.rglob("*") if path.is_file()) <= SAMPLE_BYTES
    credits = list(csv.DictReader((SAMPLE_ROOT / "CREDITS.csv").open()))
    assert [row["id"] for row in credits] == [entry.id for entry in dataset.entries]
    assert {row["licence"] for row in credits} == {"CC BY 2.0", "CC BY-SA 2.0"}
    assert all(row["picture"].startswith("http") and row["change"] for row in credits)


def test_sample_is_the_defined_one() -> None:
    """Shipped as JPEG, so close to and not equal to the definition; away from the foreground nothing differs."""
    for entry in open_dataset("sample").entries[:6]:
        found = load(entry)
        blocks = np.kron(_touched_blocks(found.foreground), np.ones((8, 8), bool))
        away = ~blocks[: found.foreground.shape[0], : found.foreground.shape[1]]
        assert np.array_equal(found.composite[away], found.target[away])
        inside = np.abs(found.composite[found.foreground].astype(int) - found.target[found.foreground])
        assert inside.mean() > 2


def _touched_blocks(mask: np.ndarray) -> np.ndarray:
    """8x8 blocks that the mask touches, (ceil(H/8), ceil(W/8)) bool."""
    padded = np.pad(mask, [(0, -mask.shape[0] % 8), (0, -mask.shape[1] % 8)])
    return padded.reshape(padded.shape[0] // 8, 8, padded.shape[1] // 8, 8).any(axis=(1, 3))


def test_counterpart_from_coco(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "images/000000000042.jpg", picture(5))

    def annotation(left: int, image: int = 42) -> dict:
        corners = [left, 8, left + 14, 8, left + 14, 30, left, 30]
        return {"image_id": image, "bbox": [left, 8, 14, 22], "segmentation": [corners], "iscrowd": 0}

    content = {
        "images": [{"id": 42, "height": 40, "width": 48}],
        "annotations": [annotation(26), annotation(4), annotation(4, image=7)],
    }
    (tmp_path / "instances.json").write_text(json.dumps(content))
    (tmp_path / "toy.coco.csv").write_text(
        "id,image_id,foreground_box,reference_box,reference_kind,seed,look,subset\n"
        "a,42,5.0 8.0 18.0 30.0,26.0 9.0 40.0 30.0,annotation,7,,person\n"
        "b,42,5.0 8.0 18.0 30.0,20.0 0.0 40.0 30.0,box,8,,person\n"
        "c,42,30.0 0.0 48.0 12.0,26.0 8.0 40.0 30.0,annotation,9,,person\n"
        "d,99,5.0 8.0 18.0 30.0,26.0 8.0 40.0 30.0,annotation,9,,person\n"
    )
    monkeypatch.setattr("bench.datasets.coco_counterpart.DEFINITIONS", tmp_path)
    monkeypatch.setitem(CATALOGUE, "toy", CATALOGUE["portrait-open"])
    lost = build_counterpart("toy", tmp_path / "instances.json", tmp_path / "images", tmp_path / "out")
    assert lost == ["c", "d"]
    first, second = (load(entry) for entry in read_manifest(tmp_path / "out/toy-coco").entries)
    assert np.array_equal(first.foreground, region(4) > 0) and np.array_equal(first.reference, region(26) > 0)
    assert second.reference[2, 20]
    definition = Definition("a", "one", "", 0, 1, None, 7)
    expected = rebuild(definition, first.target, {0: region(4) > 0, 1: region(26) > 0}.__getitem__)
    assert np.array_equal(first.composite, expected.composite)
    with pytest.raises(InputError, match=r"expected COCO's instances_\*.json"):
        build_counterpart("toy", tmp_path / "toy.coco.csv", tmp_path / "images", tmp_path / "other")
