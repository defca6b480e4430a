"""Submitted pictures: measured here, repeated, replaced, withdrawn; archives that lie change nothing."""

import gzip
import io
import re
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from bench_pictures import make_dataset, picture, save
from bench_runs import go, serial
from typer.testing import CliRunner

from bench.commands.app import app
from bench.evaluation.store import Store
from bench.report.boards import boards, scores
from bench.submissions import archive
from bench.submissions.history import events, withdraw
from bench.submissions.pictures import add_pictures
from iph.errors import InputError

CARD = """
name = "mynet"
title = "MyNet"
authors = ["A. Person", "B. Person"]
year = 2026
kind = "generic"
looks_at = "background"
paper = "https://example.org/paper"
code = "https://example.org/code"
licence = "MIT"
parameters = 1000
hardware = "one CPU core"
dataset = "data"
bibtex = '@article{person2026, author = {P{\\"o}rson, A.}, title = {MyNet}, year = {2026}}'
"""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set, measured; the card names it as a folder of the working directory."""
    monkeypatch.chdir(tmp_path)
    root = make_dataset(tmp_path / "data").root
    go(root, tmp_path / "results", size="usual")
    return root


@pytest.fixture
def sent(data: Path, tmp_path: Path) -> Path:
    return fill(tmp_path / "sent")


def fill(folder: Path, seed: int = 0, card: str = CARD) -> Path:
    for number in range(4):
        save(folder / f"image{number}.png", picture(number + seed))
    (folder / "method.toml").write_text(card)
    return folder


def take(path: Path, results: Path = Path("results")):
    return add_pictures(path, results, execute=serial)


def files(results: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in results.rglob("*") if p.is_file() and p.name != ".lock"}


def test_pictures_are_measured_and_ranked(sent: Path) -> None:
    _, event = take(sent)
    assert (event.action, event.status, event.images) == ("added", "measured", 4)
    (board,) = boards("results")
    assert "mynet" in board.methods and board.submitted.empty
    mine = scores(board, ["psnr"]).set_index("method").loc["mynet"]
    assert mine["mean"] == 100 and mine["rank"] == 1, "the targets themselves"
    about = board.about("mynet")
    assert about["paper"] == "https://example.org/paper" and about["citation"] == "A. Person, B. Person: MyNet"
    assert about["hardware"] == "one CPU core" and "dataset" not in about


@pytest.mark.parametrize("name", ["sent.zip", "sent.tar", "sent.tar.gz", "inside.zip"])
def test_an_archive_is_as_good_as_its_folder(sent: Path, name: str) -> None:
    kind = {"zip": "zip", "tar": "tar", "gz": "gztar"}[name.rpartition(".")[2]]
    (sent / "__MACOSX").mkdir()
    (sent / "__MACOSX/._image0.png").write_bytes(b"junk")
    (sent / "README.txt").write_text("not a picture")
    into = {"base_dir": sent.name} if name.startswith("inside") else {}
    made = shutil.make_archive("packed", kind, sent.parent if into else sent, **into)
    Path(made).rename(name)
    _, event = take(Path(name))
    shutil.rmtree(sent / "__MACOSX")
    _, again = take(sent)
    assert event.action == "added" and again.action == "repeated" and event.means == again.means


def test_repeated_replaced_withdrawn_and_all_is_noted(sent: Path, data: Path) -> None:
    store = Store("results", "data")
    before = store.read()
    first = take(sent)[1]
    assert take(sent)[1].action == "repeated"
    save(sent / "image0.png", picture(9))
    other = take(sent)[1]
    assert other.action == "replaced" and other.means["psnr"] < first.means["psnr"]
    withdraw(store, "mynet")
    pd.testing.assert_frame_equal(store.read(), before)
    assert "mynet" not in store.read_meta()["methods"]
    assert [event.action for event in events(store)] == ["added", "repeated", "replaced", "withdrawn"]
    kept = [pd.read_parquet(path) for path in sorted((store.folder / "history").glob("*.parquet"))]
    assert [frame["mse"].mean() == first.means["mse"] for frame in kept] == [True, True, False]
    with pytest.raises(InputError, match="expected a method that was submitted to data, but none was"):
        withdraw(store, "mynet")
    assert take(sent)[1].action == "added"


def test_what_was_not_submitted_is_neither_taken_over_nor_withdrawn(sent: Path, data: Path) -> None:
    made = fill(Path("made"))
    (made / "method.toml").unlink()
    go(data, Path("results"), names=[], predictions=[f"mynet={made}"], size="usual")
    with pytest.raises(InputError, match="expected a new method name in .*sent, but 'mynet' is measured here"):
        take(sent)
    result = CliRunner().invoke(app, ["withdraw", "composite", "results"])
    assert result.exit_code == 2 and result.stderr.startswith("error: expected a submitted method among")


def test_add_and_withdraw_on_the_command_line(sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.evaluation.runner.local", lambda workers: serial)
    added = CliRunner().invoke(app, ["add", str(sent), "results"])
    assert added.stdout == "mynet: added, 4 images of data measured, protocol strict\n"
    gone = CliRunner().invoke(app, ["withdraw", "mynet", "results"])
    assert gone.stdout == "mynet: withdrawn from data, 4 images, strict\n"


def test_another_version_of_the_data_is_refused(sent: Path, data: Path) -> None:
    save(data / "targets/0.png", picture(77))
    refused(sent, "expected the data set that .* is about .* but this one is")


def refused(path: Path, sentence: str) -> None:
    """One sentence, and nothing changed anywhere."""
    before = files(Path("results"))
    outside = {p for p in Path().rglob("*") if "results" not in p.parts}
    with pytest.raises(InputError, match=sentence) as raised:
        take(path)
    assert "\n" not in str(raised.value) and files(Path("results")) == before
    assert {p for p in Path().rglob("*") if "results" not in p.parts} == outside


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('title = "MyNet"', "", "title: Field required"),
        ('licence = "MIT"', "", "licence: Field required"),
        ('authors = ["A. Person", "B. Person"]', "authors = []", "authors: Tuple should have at least 1 item"),
        ('name = "mynet"', 'name = "../up"', "name: String should match pattern"),
        ('name = "mynet"', 'name = "composite"', "expected a new name for the predictions"),
        ('"https://example.org/code"', '"javascript:alert(1)"', "code: String should match pattern"),
        ('"data"', '"../data"', "dataset: String should match pattern"),
        ('"data"', '"dat"', "expected a data set or folder among"),
        ("year = 2026", "year = 2026\nprotocol = 'loose'", "expected a protocol among"),
        ("year = 2026", "year = 2026\nextra = 1", "extra: Extra inputs"),
        ("year = 2026", "year = ", "it is no TOML in UTF-8"),
        ("@article{", "@string{", "bibtex: expected a BibTeX entry like @article{key, …}"),
        ("title = {MyNet}", "title = {\\input{x}}", "holds the command"),
        ("title = {MyNet}", "title = {^^5cinput}", "holds '\\^\\^'"),
        ("year = {2026}}'", "year = {2026}'", "its braces do not close"),
        ("year = {2026}}'", "year = {2026}} @misc{b, }'", "more follows it"),
    ],
)
def test_a_card_that_lies_changes_nothing(sent: Path, old: str, new: str, sentence: str) -> None:
    assert old in CARD
    (sent / "method.toml").write_text(CARD.replace(old, new))
    refused(sent, sentence)


def test_a_huge_or_missing_card(sent: Path) -> None:
    (sent / "method.toml").write_text(CARD + "#" * 70_000)
    refused(sent, "in at most 65536 bytes, but it is longer")
    (sent / "method.toml").unlink()
    refused(sent, "expected method.toml beside the pictures")


def test_bad_pictures_change_nothing(sent: Path) -> None:
    (sent / "image2.png").write_bytes(b"no picture")
    refused(sent, "expected an answer for each image in .*, and nothing was changed, but 1 failed, the first .*image2")
    save(sent / "image2.png", picture(0, 9, 9))
    refused(sent, "and nothing was changed, but 1 failed, the first of .* on image2: expected an output of 256x256")
    (sent / "image2.png").unlink()
    refused(sent, "1 are missing: image2")
    (sent / "image2.png").symlink_to(sent / "image1.png")
    refused(sent, "expected pictures and no links in .*'image2.png' is one")


def zipped(sent: Path, *extra: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    with zipfile.ZipFile("bad.zip", "w") as made:
        for path in sorted(sent.iterdir()):
            made.write(path, path.name)
        for name, data in extra:
            made.writestr(name, data, zipfile.ZIP_DEFLATED)
    return Path("bad.zip")


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        (("../up.png", b"x"), "expected names inside the folder in bad.zip, but got '../up.png'"),
        (("/etc/up.png", b"x"), "expected names inside the folder"),
        (("a\\..\\up.png", b"x"), "expected names inside the folder|belong to no image"),
        (("C:up.png", b"x"), "expected names inside the folder"),
        ((link("image9.png"), b"/etc/passwd"), "'image9.png' is a link or a device"),
        (("IMAGE0.png", b"x"), "expected every file once in bad.zip, but 'IMAGE0.png' is there twice"),
        (("bomb.png", bytes(20 * 2**20)), "far more comes out of it than is in it"),
    ],
)
def test_hostile_zips_change_nothing(sent: Path, extra: tuple, sentence: str) -> None:
    refused(zipped(sent, extra), sentence)


def tarred(sent: Path, change) -> Path:
    with tarfile.open("bad.tar.gz", "w:gz") as made:
        for path in sorted(sent.iterdir()):
            made.add(path, path.name)
        change(made)
    return Path("bad.tar.gz")


def entry(name: str, data: bytes = b"", **facts) -> tuple[tarfile.TarInfo, io.BytesIO]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in facts.items():
        setattr(info, key, value)
    return info, io.BytesIO(data)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.addfile(*entry("../up.png", b"x")), "expected names inside the folder"),
        (lambda t: t.addfile(*entry("/up.png", b"x")), "expected names inside the folder"),
        (lambda t: t.addfile(*entry("l.png", type=tarfile.SYMTYPE, linkname="/etc/passwd")), "is a link or a device"),
        (lambda t: t.addfile(*entry("l.png", type=tarfile.LNKTYPE, linkname="image0.png")), "is a link or a device"),
        (lambda t: t.addfile(*entry("l.png", type=tarfile.CHRTYPE)), "is a link or a device"),
        (lambda t: t.addfile(*entry("l.png", type=tarfile.FIFOTYPE)), "is a link or a device"),
        (lambda t: t.addfile(*entry("bomb.png", bytes(20 * 2**20))), "far more comes out"),
        (lambda t: t.addfile(*entry("bomb.txt", bytes(40 * 2**20))), "far more comes out"),
        (lambda t: t.addfile(*entry("a.png", b"x", pax_headers={"comment": "x" * 2**21})), "one of its headers is too"),
    ],
)
def test_hostile_tars_change_nothing(sent: Path, change, sentence: str) -> None:
    refused(tarred(sent, change), sentence)


def test_broken_and_strange_archives(sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = zipped(sent).read_bytes()
    Path("bad.zip").write_bytes(whole[: len(whole) // 2])
    refused(Path("bad.zip"), "expected a whole archive at bad.zip, but: ")
    Path("bad.tar.gz").write_bytes(gzip.compress(b"nothing" * 99)[:50])
    refused(Path("bad.tar.gz"), "expected a whole archive at bad.tar.gz")
    refused(Path("bad.rar"), "expected a folder of pictures or an archive")
    with zipfile.ZipFile("rare.zip", "w") as made:
        made.writestr("a.png", b"x", zipfile.ZIP_LZMA)
    refused(Path("rare.zip"), "packed in a rare way")
    monkeypatch.setattr(archive, "MOST_ENTRIES", 3)
    refused(zipped(sent), "expected at most 3 entries")


def test_the_card_of_the_readme_is_one(sent: Path) -> None:
    text = (Path(__file__).parents[3] / "bench/README.md").read_text(encoding="utf-8")
    (card,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (sent / "method.toml").write_text(card.replace('"iharmony4"', '"data"').replace('"idih"', '"strict"'))
    assert take(sent)[0].hardware == "one A100, 12 ms an image"
    assert "person2026mynet" in boards("results")[0].about("mynet")["bibtex"]
