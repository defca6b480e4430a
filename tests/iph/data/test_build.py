"""The data-set builder: what is composed, that seeds and not luck decide it, and that an interruption costs nothing."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from photo_folder import draw_photo, make_folder

from iph.data import build as builder
from iph.data.build import BuildSettings, build
from iph.data.composites import MOST_SHARE, draw_composite
from iph.data.manifest import COLUMNS, ROLES, read_manifest
from iph.data.regions import MIN_SHARE
from iph.data.sources import first_of_each_split, read_photos
from iph.errors import InputError


def picture(path: Path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def photos(tmp_path) -> Path:
    splits = {f"p{n:02d}": "test" if n < 2 else "train" for n in range(8)}
    return make_folder(tmp_path / "photos", [3, 2, 3, 1, 2, 4, 3, 2], splits)


def settings(out: Path, **changes) -> BuildSettings:
    return BuildSettings(out, **{"workers": 1} | changes)


def test_a_built_set_keeps_its_promises(photos, tmp_path):
    out = tmp_path / "out"
    report = build(read_photos(photos), settings(out))
    entries = read_manifest(out)
    assert report.built == len(entries) == 8 and not report.failures
    assert {path.name for path in out.iterdir()} == {"manifest.csv", "build.json", *(f"{role}s" for role in ROLES)}
    for entry in entries:
        composite, foreground, reference, target = (
            picture(out / getattr(entry, role)) for role in ("composite", "foreground", "reference", "target")
        )
        assert composite.shape == target.shape == (48, 64, 3)
        assert foreground.shape == reference.shape == (48, 64)
        assert set(np.unique(foreground)) == set(np.unique(reference)) == {0, 255}
        assert not ((foreground > 0) & (reference > 0)).any()
        assert (reference > 0).mean() >= MIN_SHARE and MIN_SHARE <= (foreground > 0).mean() <= MOST_SHARE
        assert np.abs(composite.astype(int) - target)[foreground > 0].mean() > 1
        if entry.split == "test":
            assert entry.composite.endswith(".png") and entry.target.endswith(".png")
            assert (composite == target)[foreground == 0].all()
        else:
            far = cv2.dilate(foreground, np.ones((17, 17), np.uint8)) == 0  # a changed JPEG block touches 8 pixels
            assert entry.composite.endswith(".jpg") and (composite == target)[far].all()
    one_instance = next(entry for entry in entries if entry.id == "p03")
    assert one_instance.subset == "background"


def test_the_manifest_has_the_one_form(photos, tmp_path):
    build(read_photos(photos), settings(tmp_path / "out"))
    with open(tmp_path / "out" / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS and [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert {row["split"] for row in rows} == {"test", "train"}
    assert all((tmp_path / "out" / row[role]).is_file() for row in rows for role in ROLES)


def test_the_seed_decides_everything_and_the_processes_nothing(photos, tmp_path):
    sources = read_photos(photos)
    build(sources, settings(tmp_path / "one"))
    build(sources[::-1], settings(tmp_path / "two", workers=2))
    build(sources, settings(tmp_path / "other", seed=1))
    one, two, other = (contents(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    composites = [name for name in one if name.startswith("composites")]
    assert sum(one[name] != other.get(name) for name in composites) >= 6


def test_a_photo_is_built_alike_alone_and_among_others(photos, tmp_path):
    sources = read_photos(photos)
    build(sources, settings(tmp_path / "all"))
    build([source for source in sources if source.record.id == "p05"], settings(tmp_path / "one"))
    assert (tmp_path / "all/composites/p05.jpg").read_bytes() == (tmp_path / "one/composites/p05.jpg").read_bytes()


def test_building_goes_on_where_it_stopped(photos, tmp_path, monkeypatch):
    sources, out = read_photos(photos), tmp_path / "out"
    build(sources, settings(tmp_path / "whole"))
    made = []
    original = builder._build_one

    def stop_at_the_fourth(source, *arguments):
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append(source.record.id)
        return original(source, *arguments)

    monkeypatch.setattr(builder, "_build_one", stop_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        build(sources, settings(out))
    assert not (out / "manifest.csv").exists()
    with open(out / builder.JOURNAL, "a") as journal:
        journal.write("p99,composites/p99.jp")  # a line torn by a power cut
    monkeypatch.setattr(builder, "_build_one", original)
    report = build(sources, settings(out))
    assert (report.kept, report.built) == (3, 5)
    assert contents(out) == contents(tmp_path / "whole")
    again = build(sources, settings(out))
    assert (again.kept, again.built) == (8, 0) and contents(out) == contents(tmp_path / "whole")


def test_a_killed_build_goes_on(tmp_path):
    photos = make_folder(tmp_path / "photos", [2] * 60)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "iph", "build", "intharmony", "--photos", photos, "--out", out, "--workers", "1"]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    journal, deadline = out / builder.JOURNAL, time.monotonic() + 300
    while time.monotonic() < deadline and not (journal.is_file() and journal.read_text().count("\n") > 2):
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "manifest.csv").exists()
    report = build(read_photos(photos), settings(out))
    assert report.kept > 1 and report.kept + report.built == 60
    build(read_photos(photos), settings(tmp_path / "whole"))
    left = {name: content for name, content in contents(out).items() if not Path(name).name.startswith(".")}
    assert left == contents(tmp_path / "whole")


def test_more_photos_can_be_added_later(photos, tmp_path):
    sources = read_photos(photos)
    build(first_of_each_split(sources, 1), settings(tmp_path / "out"))
    assert len(read_manifest(tmp_path / "out")) == 2
    report = build(sources, settings(tmp_path / "out"))
    assert (report.kept, report.built) == (2, 6) and len(read_manifest(tmp_path / "out")) == 8


def test_other_settings_in_the_same_folder_are_refused(photos, tmp_path):
    build(read_photos(photos)[:2], settings(tmp_path / "out"))
    with pytest.raises(InputError, match="to go on with seed 0, .* got 1"):
        build(read_photos(photos), settings(tmp_path / "out", seed=1))
    with pytest.raises(InputError, match="to go on with people False"):
        build(read_photos(photos), settings(tmp_path / "out", people=True))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bad_photo_is_reported_and_the_others_are_finished(photos, tmp_path, workers):
    (photos / "images" / "p04.jpg").write_text("no photo")
    (photos / "masks" / "p05_0.png").unlink()
    cv2.imwrite(str(photos / "masks" / "p06_0.png"), np.full((10, 10), 255, np.uint8))
    cv2.imwrite(str(photos / "masks" / "p06_1.png"), np.full((10, 10), 255, np.uint8))
    cv2.imwrite(str(photos / "masks" / "p06_2.png"), np.full((10, 10), 255, np.uint8))
    report = build(read_photos(photos), settings(tmp_path / "out", workers=workers))
    assert set(report.failures) == {"p04", "p05", "p06"} and report.built == 5
    assert "expected a readable photo" in report.failures["p04"]
    assert "expected a readable mask" in report.failures["p05"]
    assert "shape (48, 64), got (10, 10)" in report.failures["p06"]
    assert len(read_manifest(tmp_path / "out")) == 5


def test_people_stay_among_people(tmp_path):
    photos = make_folder(tmp_path / "photos", [3, 3, 1, 4, 3, 2])
    rows = (photos / "instances.csv").read_text().splitlines()
    (photos / "instances.csv").write_text("\n".join(r.replace("p02,0,1", "p02,0,0") for r in rows) + "\n")
    report = build(read_photos(photos), settings(tmp_path / "out", people=True))
    assert (report.built, report.unfit) == (4, 2)  # p02 has nobody in it any more, p05 one person and a thing
    for entry in read_manifest(tmp_path / "out"):
        masks = {k: picture(photos / "masks" / f"{entry.id}_{k}.png") for k in (0, 2)}
        foreground, reference = (picture(tmp_path / "out" / path) for path in (entry.foreground, entry.reference))
        assert any((foreground == mask).all() for mask in masks.values())
        assert entry.subset == "instance" and any((reference == mask).all() for mask in masks.values())


def test_film_looks_are_for_training_only(photos, tmp_path):
    lut_folder = tmp_path / "luts"
    lut_folder.mkdir()
    rows = "\n".join("1.0 0.0 1.0" for _ in range(8))
    (lut_folder / "magenta.cube").write_text(f"LUT_3D_SIZE 2\n{rows}\n")
    seen = {"train": 0, "test": 0}
    for seed in range(12):
        out = tmp_path / f"out{seed}"
        build(read_photos(photos), settings(out, seed=seed, luts=lut_folder))
        for entry in read_manifest(out):
            inside = picture(out / entry.foreground) > 0
            changed = picture(out / entry.composite)[inside].mean(0)  # BGR
            seen[entry.split] += bool(changed[0] > 240 and changed[1] < 15 and changed[2] > 240)
    assert seen["train"] >= 1 and seen["test"] == 0


def test_no_photo_that_can_be_used_is_an_error(tmp_path):
    photos = make_folder(tmp_path / "photos", [1, 1])
    for path in (photos / "images").iterdir():
        path.write_text("no photo")
    with pytest.raises(InputError, match="at least one photo that can be used, got 2"):
        build(read_photos(photos), settings(tmp_path / "out"))


def test_a_strange_annotation_spares_the_other_photos(photos, tmp_path):
    """Whatever a reader raises; here a second mask of another size."""
    cv2.imwrite(str(photos / "masks/p03_0.png"), np.zeros((4, 4), np.uint8))
    cv2.imwrite(str(photos / "masks/p04_1.png"), np.zeros((4, 4), np.uint8))
    report = build(read_photos(photos), settings(tmp_path / "out"))
    assert report.built == 6 and set(report.failures) == {"p03", "p04"}
    assert "ValueError: all input arrays must have the same shape" in report.failures["p04"]


def test_where_every_photo_fails_the_first_reason_is_said(photos, tmp_path):
    for path in (photos / "images").iterdir():
        path.rename(path.with_suffix(".jpeg"))
    with pytest.raises(InputError, match="got 8 that cannot; the first: expected a readable photo at .*p00.jpg"):
        build(read_photos(photos), settings(tmp_path / "out"))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("instances.csv", "id,k\np00,0\n", "a value of person in every row of .*instances.csv"),
        ("instances.csv", "", "expected a table at .*instances.csv, but it cannot be read"),
        ("split.csv", "id\np00\n", "a value of split in every row of .*split.csv"),
    ],
)
def test_tables_of_another_form_are_sentences(photos, name, content, sentence):
    (photos / name).write_text(content)
    with pytest.raises(InputError, match=sentence):
        read_photos(photos)


def test_an_id_cannot_lead_out_of_the_folder(photos, tmp_path):
    table = photos / "instances.csv"
    table.write_text(table.read_text().replace("p03", "../p03"))
    (photos / "split.csv").unlink()
    with pytest.raises(InputError, match="expected photo ids that can name a file, got '../p03'"):
        build(read_photos(photos), settings(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_wrong_folder_of_looks_claims_nothing(photos, tmp_path):
    with pytest.raises(InputError, match="expected .cube files below"):
        build(read_photos(photos), settings(tmp_path / "out", luts=tmp_path / "lutz"))
    assert build(read_photos(photos), settings(tmp_path / "out")).built == 8


def test_a_manifest_without_a_last_line_break_has_all_rows(photos, tmp_path):
    build(read_photos(photos), settings(tmp_path / "out"))
    path = tmp_path / "out/manifest.csv"
    path.write_text(path.read_text().rstrip("\n"))
    assert len(read_manifest(tmp_path / "out")) == 8
    path.write_bytes("id,composite,foreground\ncafé,a.png,b.png\n".encode("latin-1"))
    with pytest.raises(InputError, match="expected a manifest in UTF-8"):
        read_manifest(tmp_path / "out")


def test_a_folder_that_cannot_be_made_is_an_error(photos, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="expected a folder to build in"):
        build(read_photos(photos), settings(tmp_path / "file" / "out"))


def test_compose_without_an_instance_takes_regions():
    image, _ = draw_photo(0, 0)
    for seed in range(20):
        composed = draw_composite(image, [], np.random.default_rng(seed))
        assert composed.subset == "region" and composed.foreground.any()
        assert composed.reference.mean() >= MIN_SHARE and not (composed.foreground & composed.reference).any()
        outside = ~composed.foreground
        assert (composed.composite[outside] == image[outside]).all() and composed.target is image


def test_compose_leaves_out_tiny_instances_and_ones_that_fill_the_frame():
    image, masks = draw_photo(0, 2)
    tiny, huge = np.zeros((48, 64), bool), np.ones((48, 64), bool)
    tiny[:3, :3] = True  # 0.3 %
    huge[:, :6] = False  # 91 %
    for seed in range(20):
        composed = draw_composite(image, [tiny, huge, masks[0]], np.random.default_rng(seed))
        assert (composed.foreground == masks[0]).all()
        assert (composed.reference == (huge & ~masks[0])).all() and composed.subset == "instance"


def test_every_pair_of_instances_is_drawn():
    image, masks = draw_photo(0, 3)
    pairs = set()
    for seed in range(60):
        composed = draw_composite(image, masks, np.random.default_rng(seed))
        find = [
            next(k for k, mask in enumerate(masks) if (mask == m).all())
            for m in (composed.foreground, composed.reference)
        ]
        pairs.add(tuple(find))
    assert pairs == {(a, b) for a in range(3) for b in range(3) if a != b}


@pytest.mark.shared
def test_composites_have_the_papers_difficulty(shared, tmp_path):
    """IntHarmony's composites have 25.22 dB over the frame (paper, Table 1)."""
    sources = [source for source in read_photos(shared / "data" / "photos") if source.split == "test"][:80]
    build(sources, settings(tmp_path / "out"))
    psnrs = []
    for entry in read_manifest(tmp_path / "out"):
        composite, target = (picture(tmp_path / "out" / path).astype(float) for path in (entry.composite, entry.target))
        psnrs.append(10 * np.log10(255**2 / max(((composite - target) ** 2).mean(), 0.1)))
    assert 23 < np.mean(psnrs) < 27.5
