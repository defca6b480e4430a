"""Events in, page states and pictures out; sentences for what fails; nothing done twice."""

import shutil
from itertools import count

import cv2
import numpy as np
import pytest
from studio_pictures import disc, scene, write

from demo.outlines import outline
from demo.sentences import OUR_FAULT
from demo.studio import events
from demo.studio.gallery import EXAMPLES, FOLDER, credits
from demo.studio.project import Project
from demo.studio.visitor_session import OUTCOMES, UPLOADS, VisitorSession
from iph.images.imagefile import read_photo

PLACE = {"x": 0.7, "y": 0.6, "height": 0.5, "mirrored": False}


@pytest.fixture
def session():
    session = VisitorSession("10.0.0.1")
    yield session
    session.close()


@pytest.fixture
def ask(session):
    """``ask(event, **data)`` does an event and returns the page's state."""
    numbers = count()

    def do(event, **data):
        if event == "thumbnails":
            while events.make_thumbnail(session, data):
                pass
        return events.handle(session, event, data, f"request {next(numbers)}")

    return do


@pytest.fixture
def upload(session, tmp_path):
    """``upload(name, pixels, alpha)`` gives the session a file, and says what the page would send."""

    def make(name, pixels, alpha=None):
        path = session.new_upload()
        shutil.move(write(tmp_path / name, pixels, alpha), path)
        return {"upload": path.name, "name": name}

    return make


@pytest.fixture
def state(ask, upload):
    """The answer once a background and a person are there."""
    ask("open", kind="background", **upload("beach.png", scene()))
    answer = ask("open", kind="person", **upload("me.png", scene(80, 60, 2), disc(80, 60)))
    assert answer["message"] is None
    return answer


@pytest.fixture
def file(session):
    """``file(address)`` is where the picture of an address lies."""
    return lambda address: session.pictures.file(address.rpartition("/")[2])[0]


def test_the_pictures_are_lossless_and_add_up_to_the_result(session, ask, state, file):
    state = ask("place", **PLACE)
    project = session.project
    np.testing.assert_array_equal(read_photo(file(state["photo"]["file"])).pixels, scene())
    patch = state["result"]
    window = np.s_[patch["y"] : patch["y"] + patch["height"], patch["x"] : patch["x"] + patch["width"]]
    was, now = (read_photo(file(patch[name])).pixels for name in ("was", "now"))
    np.testing.assert_array_equal(was, project.scene.pixels[window])
    np.testing.assert_array_equal(now, project.mapping.apply(project.scene.pixels, project.scene.mask)[window])
    outside = np.ones((120, 160), bool)
    outside[window] = False
    assert not project.scene.mask[outside].any()


def test_sliders_change_only_the_picture_that_they_change(ask, state):
    after = ask("adjust", strength=0.5, luminance=1, chroma=1)
    assert after["amounts"] == {"strength": 0.5, "luminance": 1.0, "chroma": 1.0}
    for name in ("was", "full"):
        assert after["result"][name] == state["result"][name]
    assert after["photo"] == state["photo"] and after["result"]["now"] != state["result"]["now"]


def test_each_suggestion_gets_a_thumbnail_and_the_chosen_one_is_marked(ask, state, file):
    listed = ask("thumbnails", where="photo")["suggestions"]["photo"]
    assert listed and all(read_photo(file(entry["thumb"])).pixels.shape == (220, 220, 3) for entry in listed)
    taken = ask("take", where="photo", index=listed[-1]["index"])
    assert [entry["taken"] for entry in taken["suggestions"]["photo"]] == [False] * (len(listed) - 1) + [True]
    assert taken["label"] == "Background"
    assert taken["suggestions"]["photo"][0]["thumb"] == listed[0]["thumb"]  # nothing was made twice


def test_replaced_pictures_are_deleted_some_turns_later(session, ask, state, file):
    for step in range(8):
        state = ask("place", **PLACE | {"x": 0.3 + 0.05 * step})
    files = list(session.pictures.folder.iterdir())
    assert len([path for path in files if path.name.startswith("full-")]) <= 5
    assert file(state["result"]["full"]) in files


def test_saving_hands_out_a_file(session, ask, state, file):
    given = ask("save", what="photo")["file"]
    first = file(given["address"])
    assert given["name"] == first.name == "beach-harmonized.png" and read_photo(first).pixels.shape == (120, 160, 3)
    for _ in range(6):  # a later answer may overtake the first that tells of it
        assert ask("adjust", strength=1, luminance=1, chroma=1)["file"] == given
    assert ask("save", what="everything")["file"] == given and first.is_file()
    newer = ask("save", what="photo")["file"]
    second = file(newer["address"])
    assert newer["address"] != given["address"] and newer["name"] == given["name"]
    assert ask("restart")["file"] is None
    for _ in range(6):
        ask("resume")
    assert not first.parent.exists() and not second.parent.exists()
    assert session.pictures.file(newer["address"].rpartition("/")[2]) is None


@pytest.mark.parametrize(
    ("event", "data", "expected"),
    [
        ("place", {"x": 1}, "Expected x, y, height and mirrored"),
        ("place", PLACE | {"height": 1e9}, "Expected a height"),
        ("place", PLACE | {"x": "left"}, "Expected a place"),
        ("prompt", {"target": "reference"}, "Expected a prompt"),
        ("take", {"index": "first"}, "Expected one of"),
        ("adjust", {"strength": "much"}, "Expected strength, luminance, chroma as numbers"),
        ("adjust", {"strength": float("nan"), "luminance": 1, "chroma": 1}, "Expected strength from 0 to 2"),
        (
            "adjust",
            {"strength": 10**400, "luminance": 1, "chroma": 1},
            "Expected strength, luminance, chroma as numbers",
        ),
        ("open", {"kind": "background", "upload": "/etc/passwd", "name": "x.jpg"}, "just uploaded"),
        ("example", {"id": "../secrets"}, "Expected one of forest"),
        ("save", {"what": "everything"}, "Expected one of photo"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_the_state_stays(ask, state, event, data, expected):
    answer = ask(event, **data)
    assert answer["message"]["error"] and expected in answer["message"]["text"]
    assert answer["message"]["text"][0].isupper() and answer["message"]["text"].endswith(".")
    assert answer["result"] == state["result"] and answer["turn"] == state["turn"] + 1


def test_files_that_are_no_uploads_are_neither_read_nor_moved(session, ask, upload, tmp_path):
    private = write(tmp_path / "private.png", scene())
    neighbour = VisitorSession("10.0.0.2")
    theirs = neighbour.new_upload()
    shutil.copy(private, theirs)
    around = f"../../{neighbour.folder.name}/uploads/{theirs.name}"
    for name in (str(private), str(theirs), theirs.name, around, 7, None, [], ""):
        answer = ask("open", kind="background", upload=name, name="x.png")
        assert answer["message"]["error"] and not answer["slots"] and private.exists() and theirs.exists()
    neighbour.close()


def test_uploads_that_nobody_opens_make_room_for_the_next(session, ask, upload):
    first, *others = [upload(f"{number}.png", scene(8, 8)) for number in range(UPLOADS + 1)]
    assert "just uploaded" in ask("open", kind="background", **first)["message"]["text"]
    assert all(session.find_upload(one["upload"]) for one in others)


def test_a_repeated_request_is_answered_and_not_done_again(session, state):
    for _ in range(3):
        answer = events.handle(session, "place", PLACE, "the same")
        assert answer["message"] is None and answer["person"]["placement"]["x"] == 0.7
    assert len(session.project.history.past) == 1
    for number in range(2):
        answer = events.handle(session, "take", {"index": "first"}, "a mistake")
        assert answer["message"]["error"] and answer["turn"] == state["turn"] + 4 + number
    for number in range(OUTCOMES + 5):
        session.remember(str(number), None)
    assert len(session.outcomes) == OUTCOMES


def test_a_bug_is_one_sentence_and_a_line_in_the_log(ask, state, monkeypatch, caplog):
    def fail(self):
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(Project, "undo", fail)
    answer = ask("undo")
    assert answer["message"]["text"] == OUR_FAULT and "a secret detail" in caplog.text


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_every_example_opens_with_a_result(ask, example):
    answer = ask("example", id=example.id)
    assert answer["message"] is None and answer["work"] and answer["result"] and answer["suggestions"]["photo"]


def test_every_photo_of_the_gallery_has_its_credit():
    rows = credits()
    assert {row["file"] for row in rows} == {
        f.name for f in FOLDER.iterdir() if not f.name.endswith(("card.jpg", "csv"))
    }
    assert len(rows) == 12 and all(row["licence"] == "CC0-1.0" and row["changes"] for row in rows)
    assert all(row["page"].startswith("https://") for row in rows)
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 4e6


def rings(path):
    return [
        np.array([[float(v) for v in point.split()] for point in ring.strip("Z").split("L")], np.float32)
        for ring in path.split("M")[1:]
    ]


def test_an_outline_encloses_its_mask():
    mask = np.zeros((100, 140), np.float32)
    cv2.ellipse(mask, (70, 50), (50, 30), 20, 0, 360, 1, -1)
    cv2.circle(mask, (70, 50), 12, 0, -1)
    drawn = rings(outline(mask))
    assert len(drawn) == 2
    filled = np.zeros((100, 140), np.uint8)
    cv2.fillPoly(filled, [np.rint(ring).astype(np.int32) for ring in drawn], 1)
    assert (filled & (mask > 0)).sum() / (filled | (mask > 0)).sum() > 0.9
    in_a_box = rings(outline(mask > 0, (70, 50)))
    np.testing.assert_allclose(np.concatenate(in_a_box), np.concatenate(drawn) / 2, atol=0.01)
