"""The open sets in the forms of other tools: loaded by Hugging Face's ``datasets`` and ``mlcroissant`` themselves."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import datasets
import mlcroissant
import numpy as np
import pytest
import yaml
from bench_pictures import picture, save

from bench.datasets import load, open_dataset
from bench.datasets.catalogue import CATALOGUE, SAMPLE_ROOT
from bench.datasets.manifest import read_manifest as located
from bench.datasets.open_sets import build
from bench.datasets.usual_forms import CARD, CROISSANT, ROWS, card_head, write_usual_forms
from iph.data.manifest import ROLES, Entry, read_manifest, write_manifest


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set as ``build-open`` makes it, of two composites of one photo."""
    photos = tmp_path / "photos"
    save(photos / "images/7.jpg", picture(5))
    for k, left in ((0, 4), (3, 26)):
        mask = np.zeros(picture(5).shape[:2], np.uint8)
        mask[8:30, left : left + 14] = 255
        save(photos / f"masks/7_{k}.png", mask)
    (tmp_path / "toy.csv").write_text(
        "id,photo,subset,foreground,reference,box,seed,look,checksum\n"
        'p7,7,"person, instance",0,3,,7,hue,x\np8,7,"object, box",0,,20 0 40 30,8,gamma,x\n'
    )
    monkeypatch.setattr("bench.datasets.open_sets.DEFINITIONS", tmp_path)
    monkeypatch.setitem(CATALOGUE, "toy", replace(CATALOGUE["portrait-open"], title="Toy: a set"))
    build("toy", photos, tmp_path / "out")
    return tmp_path / "out/toy"


def loaded(folder: Path, cache: Path) -> datasets.Dataset:
    return datasets.load_dataset(str(folder), split="test", cache_dir=str(cache))


def test_the_sample_loads_with_its_pictures(tmp_path: Path) -> None:
    rows = loaded(SAMPLE_ROOT, tmp_path)
    entries = {entry.id: entry for entry in open_dataset("sample").entries}
    assert len(rows) == 40 and set(rows["id"]) == set(entries)
    assert all(isinstance(rows.features[role], datasets.Image) for role in ROLES)
    row, ours = rows[3], load(entries[rows[3]["id"]])
    assert np.array_equal(np.asarray(row["composite"]), ours.composite)
    assert np.array_equal(np.asarray(row["target"]), ours.target)
    assert np.array_equal(np.asarray(row["reference"].convert("L")) > 127, ours.reference)


def test_what_lies_in_the_sample_is_what_is_written(tmp_path: Path) -> None:
    (tmp_path / "sample").mkdir()
    entries = read_manifest(SAMPLE_ROOT)
    write_manifest(tmp_path / "sample", entries, by_id=False)
    (tmp_path / "sample/manifest.csv").write_bytes((SAMPLE_ROOT / "manifest.csv").read_bytes())
    write_usual_forms(tmp_path / "sample", CATALOGUE["sample"], entries)
    for name in (ROWS, CROISSANT):
        assert (tmp_path / "sample" / name).read_bytes() == (SAMPLE_ROOT / name).read_bytes()
    head = card_head("Sample", {"license": ["cc-by-2.0", "cc-by-sa-2.0"]}, ROLES)
    assert (SAMPLE_ROOT / CARD).read_text().startswith(head)


def test_a_built_set_loads_with_what_its_manifest_says(made: Path, tmp_path: Path) -> None:
    rows = loaded(made, tmp_path / "cache")
    first, second = rows
    assert (first["id"], first["subset"], first["photo"], first["seed"]) == ("p7", "person, instance", "7", "7")
    ours = [load(entry) for entry in located(made).entries]
    assert np.array_equal(np.asarray(first["composite"]), ours[0].composite)
    assert np.array_equal(np.asarray(second["reference"].convert("L")) > 127, ours[1].reference)
    card = (made / CARD).read_text()
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["pretty_name"] == "Toy: a set" and head["license"] == "other"
    assert "2 composites of 1 photos" in card and "not for passing on" in card
    (code,) = [line for line in card.splitlines() if line.startswith("rows = ")]
    assert 'load_dataset("toy", split="test")' in code


def test_a_set_may_lack_references(made: Path, tmp_path: Path) -> None:
    entries = read_manifest(made)
    some = [replace(entries[0], reference=""), entries[1]]
    write_usual_forms(made, CATALOGUE["toy"], some)
    assert [row["reference"] is None for row in loaded(made, tmp_path / "a")] == [True, False]
    none = [replace(entry, reference="") for entry in entries]
    write_usual_forms(made, CATALOGUE["toy"], none)
    assert "reference" not in loaded(made, tmp_path / "b").features
    assert "references/*" not in (made / CROISSANT).read_text()


def test_croissant_is_valid_and_has_the_rows_of_the_manifest(made: Path) -> None:
    found = mlcroissant.Dataset(jsonld=str(made / CROISSANT))
    assert not found.metadata.ctx.issues.errors
    with (made / "manifest.csv").open() as file:
        expected = list(csv.DictReader(file))
    records = [
        {key.removeprefix("rows/"): value.decode() for key, value in record.items()} for record in found.records("rows")
    ]
    assert records == [{key: row[key] for key in records[0]} for row in expected]
    assert {*records[0]} == {*vars(Entry("a", "b", "c"))} - {"split"}
    sets = [one for one in json.loads((made / CROISSANT).read_text())["distribution"] if one["@type"] == "cr:FileSet"]
    assert {one["includes"] for one in sets} == {f"{role}s/*" for role in ROLES}
    assert all(list(made.glob(one["includes"])) for one in sets)
    (made / "manifest.csv").write_text("id\n1\n")
    with pytest.raises(Exception, match="Download.manifest.csv"):
        list(mlcroissant.Dataset(jsonld=str(made / CROISSANT)).records("rows"))
