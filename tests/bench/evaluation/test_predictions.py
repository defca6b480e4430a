"""Folders of finished pictures as other tools write them, and what lies in them that is no answer."""

import shutil
from pathlib import Path

import pytest
from bench_pictures import iharmony4, picture, save
from bench_runs import go

from iph.errors import InputError

IDS = ("HAdobe5k/a0002_1_4", "Hday2night/d90000012-181_1_7")


def answers(folder: Path, name: str) -> Path:
    """Pictures of other colours for the two test images; ``name`` is a form of ``{subset}`` and ``{file}``."""
    for number, id_ in enumerate(IDS):
        subset, _, file = id_.partition("/")
        save(folder / name.format(subset=subset, file=file), picture(2 + number))
    return folder


def scores(root: Path, made: Path, results: Path) -> dict[str, float]:
    store, summary = go(root, results, names=[], predictions=[f"mine={made}"])
    assert not summary.failures
    return store.read().set_index("id")["mse"].to_dict()


@pytest.mark.parametrize(
    "name",
    [
        "{file}.png",  # DoveNet's test.py and CDTNet's evaluation.py, all subsets in one folder
        "{file}_harmonized.png",  # PCT-Net's
        "{subset}/{file}.png",
        "{subset}/{file}_harmonized.png",
        "{subset}/composite_images/{file}.png",
        "test_latest/images/{file}.png",
    ],
)
def test_names_as_other_tools_write_them(tmp_path: Path, name: str) -> None:
    root = iharmony4(tmp_path / "data")
    plain = scores(root, answers(tmp_path / "plain", "{subset}/{file}.png"), tmp_path / "a")
    made = answers(tmp_path / "made", name)
    if name.startswith("{file}_harmonized"):
        for part in ("real", "mask", "comp"):
            answers(made, f"{{file}}_{part}.png")
    for path in list(made.rglob("*.png")):
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\x16\7")
    (made / "Thumbs.db").write_bytes(b"")
    assert scores(root, made, tmp_path / "b") == plain and set(plain) == set(IDS)


def test_a_flat_name_of_two_images_needs_folders(tmp_path: Path) -> None:
    root = iharmony4(tmp_path / "data")
    for role in ("composite_images", "real_images", "masks"):
        shutil.copytree(root / "HAdobe5k" / role, root / "HFlickr" / role)
    (root / "HFlickr/HFlickr_test.txt").write_text("a0002_1_4.jpg\n")
    made = answers(tmp_path / "made", "{file}.png")
    with pytest.raises(InputError, match="several of its images are called alike.*a0002_1_4"):
        go(root, tmp_path / "results", names=[], predictions=[f"mine={made}"])


def test_an_answer_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    root = iharmony4(tmp_path / "data")
    made = answers(answers(tmp_path / "made", "{file}.png"), "{file}_harmonized.png")
    with pytest.raises(InputError, match="2 belong to no image: a0002_1_4_harmonized"):
        go(root, tmp_path / "results", names=[], predictions=[f"mine={made}"])


def test_an_answer_that_is_cut_off_is_not_measured(tmp_path: Path) -> None:
    root = iharmony4(tmp_path / "data")
    made = answers(tmp_path / "made", "{file}.jpg")
    cut = made / "a0002_1_4.jpg"
    cut.write_bytes(cut.read_bytes()[:-300])
    store, summary = go(root, tmp_path / "results", names=[], predictions=[f"mine={made}"])
    assert list(store.read()["id"]) == ["Hday2night/d90000012-181_1_7"]
    ((image, method, sentence),) = summary.failures
    assert (image, method) == ("HAdobe5k/a0002_1_4", "mine") and "damaged or cut off" in sentence
