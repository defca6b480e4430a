"""The front desk: events from a page in, views and pictures out; sentences for what fails; nothing left behind."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from gradio.utils import get_upload_folder
from studio_pictures import disc, scene, write

from demo.studio import session_store as desk_module
from demo.studio.gallery import EXAMPLES, FOLDER, credits
from demo.studio.page_state import outline
from demo.studio.session_store import Desk, sentence
from iph.images.imagefile import read_photo

PLACE = {"x": 0.7, "y": 0.6, "height": 0.5, "mirrored": False}


@pytest.fixture
def desk(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    desk = Desk()
    yield desk
    desk.close()


@pytest.fixture
def upload(desk, tmp_path):
    """``upload(name, pixels, alpha)`` puts a file where Gradio puts uploads, and says what the page would send."""

    def make(name, pixels, alpha=None):
        folder = Path(get_upload_folder()) / f"{len(name):064x}"
        folder.mkdir(parents=True, exist_ok=True)
        return {"path": str(write(folder / name, pixels, alpha)), "name": name}

    return make


@pytest.fixture
def view(desk, upload):
    """The answer once a background and a person are there."""
    desk.handle("open", "tab", {"kind": "background", **upload("beach.png", scene())})
    answer = desk.handle("open", "tab", {"kind": "person", **upload("me.png", scene(80, 60, 2), disc(80, 60))})
    assert answer["message"] is None
    return answer


def test_the_pictures_are_lossless_and_add_up_to_the_result(desk, view):
    view = desk.handle("place", "tab", PLACE)
    project = desk.seats["tab"].project
    np.testing.assert_array_equal(read_photo(view["photo"]["file"]["path"]).pixels, scene())
    patch = view["result"]
    window = np.s_[patch["y"] : patch["y"] + patch["height"], patch["x"] : patch["x"] + patch["width"]]
    was, now = (read_photo(patch[name]["path"]).pixels for name in ("was", "now"))
    np.testing.assert_array_equal(was, project.scene.pixels[window])
    np.testing.assert_array_equal(now, project.mapping.apply(project.scene.pixels, project.scene.mask)[window])
    outside = np.ones((120, 160), bool)
    outside[window] = False
    assert not project.scene.mask[outside].any()


def test_sliders_change_only_the_picture_that_they_change(desk, view):
    after = desk.handle("adjust", "tab", {"strength": 0.5, "luminance": 1, "chroma": 1})
    assert after["amounts"] == {"strength": 0.5, "luminance": 1.0, "chroma": 1.0}
    for name in ("was", "full"):
        assert after["result"][name] == view["result"][name]
    assert after["photo"] == view["photo"] and after["result"]["now"] != view["result"]["now"]


def test_each_suggestion_gets_a_thumbnail_and_the_chosen_one_is_marked(desk, view):
    listed = desk.handle("thumbnails", "tab", {"where": "photo"})["suggestions"]["photo"]
    assert listed and all(read_photo(entry["thumb"]["path"]).pixels.shape == (220, 220, 3) for entry in listed)
    taken = desk.handle("take", "tab", {"where": "photo", "index": listed[-1]["index"]})
    assert [entry["taken"] for entry in taken["suggestions"]["photo"]] == [False] * (len(listed) - 1) + [True]
    assert taken["label"] == "Background"
    assert taken["suggestions"]["photo"][0]["thumb"] == listed[0]["thumb"]  # nothing was made twice


def test_replaced_pictures_are_deleted_some_turns_later(desk, view):
    for step in range(8):
        view = desk.handle("place", "tab", PLACE | {"x": 0.3 + 0.05 * step})
    files = list(desk.seats["tab"].pictures.folder.iterdir())
    assert len([file for file in files if file.name.startswith("full-")]) <= 5
    assert Path(view["result"]["full"]["path"]) in files


def test_saving_hands_out_a_file(desk, view):
    file = desk.handle("save", "tab", {"what": "photo"})["file"]
    assert file["orig_name"] == "beach-harmonized.png" and read_photo(file["path"]).pixels.shape == (120, 160, 3)
    for _ in range(6):  # a later answer may overtake the first that tells of it
        assert desk.handle("adjust", "tab", dict.fromkeys(("strength", "luminance", "chroma"), 1))["file"] == file
    assert desk.handle("save", "tab", {"what": "everything"})["file"] == file and Path(file["path"]).is_file()
    newer = desk.handle("save", "tab", {"what": "photo"})["file"]
    assert newer["path"] != file["path"] and newer["orig_name"] == file["orig_name"]
    assert desk.handle("restart", "tab", {})["file"] is None
    for _ in range(6):
        desk.handle("resume", "tab", {})
    assert not Path(file["path"]).exists() and not Path(newer["path"]).exists()


@pytest.mark.parametrize(
    ("event", "data", "expected"),
    [
        ("place", {"x": 1}, "Expected x, y, height and mirrored"),
        ("place", PLACE | {"height": 1e9}, "Expected a height"),
        ("place", PLACE | {"x": "left"}, "Expected a place"),
        ("mark", {"target": "reference"}, "Expected a mark"),
        ("take", {"index": "first"}, "Expected one of"),
        ("adjust", {"strength": "much"}, "Expected strength, luminance and chroma"),
        ("adjust", {"strength": float("nan"), "luminance": 1, "chroma": 1}, "Expected strength from 0 to 2"),
        ("open", {"kind": "background", "path": "/etc/passwd", "name": "x.jpg"}, "just uploaded"),
        ("example", {"id": "../secrets"}, "Expected one of haze"),
        ("save", {"what": "everything"}, "Expected one of photo"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_the_view_stays(desk, view, monkeypatch, event, data, expected):
    monkeypatch.setattr(desk_module.time, "sleep", lambda seconds: None)
    answer = desk.handle(event, "tab", data)
    assert answer["message"]["error"] and expected in answer["message"]["text"]
    assert answer["message"]["text"][0].isupper() and answer["message"]["text"].endswith(".")
    assert answer["result"] == view["result"] and answer["turn"] == view["turn"] + 1


def test_files_that_are_no_uploads_are_neither_read_nor_moved(desk, tmp_path, monkeypatch):
    monkeypatch.setattr(desk_module.time, "sleep", lambda seconds: None)
    private = write(tmp_path / "private.png", scene())
    theirs = desk.seat("neighbour").pictures.folder / "photo-1.png"
    shutil.copy(private, theirs)
    link = Path(get_upload_folder()) / f"{7:064x}" / "link.png"
    link.parent.mkdir(parents=True)
    link.symlink_to(private)
    for path in (private, theirs, link):
        answer = desk.handle("open", "tab", {"kind": "background", "path": str(path), "name": "x.png"})
        assert answer["message"]["error"] and not answer["slots"] and path.exists()


def test_a_bug_is_one_sentence_and_a_line_in_the_log(desk, view, monkeypatch, caplog):
    def fail(self):
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("demo.studio.project.Project.undo", fail)
    answer = desk.handle("undo", "tab", {})
    assert answer["message"]["text"] == desk_module.OUR_FAULT and "a secret detail" in caplog.text


def test_what_a_visitor_left_is_deleted(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    now = [0.0]
    desk = Desk(clock=lambda: now[0])
    first = desk.seat("first")
    now[0] = desk_module.IDLE_SECONDS - 1
    second = desk.seat("second")
    now[0] += 2
    desk.seat("third")
    assert not first.project.folder.exists() and not first.pictures.folder.exists() and second.project.folder.exists()
    monkeypatch.setattr(desk_module, "MOST", 2)
    desk.seat("fourth")
    assert not second.project.folder.exists() and list(desk.seats) == ["third", "fourth"]
    third = desk.seats["third"]
    desk.leave("third")
    now[0] += desk_module.LEFT_SECONDS
    desk.sweep()
    assert not third.project.folder.exists() and not third.pictures.folder.exists() and list(desk.seats) == ["fourth"]
    desk.close()
    assert not list((tmp_path / "cache").iterdir())


def test_a_reloaded_page_finds_its_work_again_and_no_other_page_does(desk, view, monkeypatch):
    monkeypatch.setattr(desk_module.time, "sleep", lambda seconds: None)
    twin = desk.handle("resume", "twin", {"seat": view["seat"]})
    assert twin["message"]["text"] == sentence(desk_module.ELSEWHERE) and not twin["slots"]
    desk.leave("tab")
    again = desk.handle("resume", "reloaded", {"seat": view["seat"]})
    assert again["message"] is None and again["result"] == view["result"] and "tab" not in desk.seats
    desk.sweep()
    moved = desk.handle("place", "reloaded", {"seat": again["seat"], **PLACE})
    assert moved["undo"] and desk.handle("undo", "reloaded", {"seat": again["seat"]})["result"]
    for key in ("guess", 7, ["a"]):
        lost = desk.handle("undo", f"late {key}", {"seat": key})
        assert lost["message"]["text"] == sentence(desk_module.GONE) and not lost["slots"] and lost["seat"]


def test_two_visitors_see_their_own_work(desk, view):
    other = desk.handle("restart", "elsewhere", {})
    assert not other["slots"] and other["photo"] is None
    assert desk.handle("undo", "tab", {})["photo"] == view["photo"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_every_example_opens_with_a_result(desk, example):
    answer = desk.handle("example", "tab", {"id": example.id})
    assert answer["message"] is None and answer["work"] and answer["result"] and answer["suggestions"]["photo"]


def test_every_photo_of_the_gallery_has_its_credit():
    rows = credits()
    assert {row["file"] for row in rows} == {
        f.name for f in FOLDER.iterdir() if not f.name.endswith(("card.jpg", "csv"))
    }
    assert len(rows) == 12 and all(row["licence"] == "CC0-1.0" and row["changes"] for row in rows)
    assert all(row["page"].startswith("https://") for row in rows)
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 4e6


def test_an_outline_encloses_its_mask():
    mask = np.zeros((100, 140), np.float32)
    cv2.ellipse(mask, (70, 50), (50, 30), 20, 0, 360, 1, -1)
    cv2.circle(mask, (70, 50), 12, 0, -1)
    rings = [
        np.array([[float(v) for v in point.split()] for point in ring.strip("Z").split("L")], np.float32)
        for ring in outline(mask).split("M")[1:]
    ]
    assert len(rings) == 2
    filled = np.zeros((100, 140), np.uint8)
    cv2.fillPoly(filled, [np.rint(ring).astype(np.int32) for ring in rings], 1)
    assert (filled & (mask > 0)).sum() / (filled | (mask > 0)).sum() > 0.9


def test_sentences_begin_and_end_like_sentences():
    assert sentence("expected a mask, got none") == "Expected a mask, got none."
    assert sentence("Is it there?") == "Is it there?"
