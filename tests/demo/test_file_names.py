"""Visitors' names for files, in every script, and results that are saved under them."""

import unicodedata
from pathlib import Path

import pytest
from starlette.responses import FileResponse
from studio_pictures import disc, scene, write

from demo.file_names import file_name
from demo.studio import api
from demo.studio.project import Project
from demo.studio.prompts import Prompt
from demo.studio.saving import save

FAMILY = "👩‍👩‍👧"  # seven code points, one character


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("beach day.jpg", "beach day.jpg"),
        ("C:\\Users\\me\\a.png", "a.png"),
        ("../../etc/passwd", "passwd"),
        ('<b>"x".jpg', "_b__x_.jpg"),
        ("...", "photo"),
        (" . . ", "photo"),
        ("   .jpg", "photo.jpg"),
        ("", "photo"),
        (".jpg", "photo.jpg"),
        ("größe 日本.heic", "größe 日本.heic"),
        ("gro\u0308ße.jpg", "größe.jpg"),
        ("a" * 300 + ".jpeg", "a" * 160 + ".jpeg"),
        ("写" * 80 + ".jpg", "写" * 53 + ".jpg"),
        ("ภาพถ่ายที่ทะเล.jpg", "ภาพถ่ายที่ทะเล.jpg"),
        ("صورة العائلة.png", "صورة العائلة.png"),
        ("תמונה.png", "תמונה.png"),
        (f"{FAMILY} 🏖️.png", f"{FAMILY} 🏖️.png"),
        ("evil\u202egpj.exe", "evil_gpj.exe"),
        ("line\nbreak\0.png", "line_break_.png"),
        ("half \ud800.png", "half _.png"),
        ("CON.jpg", "_CON.jpg"),
        ("nul", "_nul"),
        ("com1.backup.png", "_com1.backup.png"),
        ("console.jpg", "console.jpg"),
    ],
)
def test_file_names_hold_nothing_that_could_be_taken_for_something_else(given, kept):
    assert file_name(given) == kept


@pytest.mark.parametrize("character", ["写", "ที่", "👩‍👩‍👧", "👋🏽", "🇯🇵", "e\u0301\u0323", "க்ஷி", "ا"])
def test_names_are_cut_between_characters(character):
    character = unicodedata.normalize("NFC", character)
    for before in range(4):
        stem, _, ending = file_name("x" * before + character * 100 + ".jpg").rpartition(".")
        assert ending == "jpg" and len(stem.encode()) <= 160 < len(stem.encode()) + len(character.encode())
        assert stem == "x" * before + character * stem.count(character)


NAMES = ["写真" * 40, "ภาพถ่าย" * 20, FAMILY * 30, "صورة" * 40, ". .", "CON", "ab" * 127]


@pytest.mark.parametrize("name", NAMES)
def test_a_photo_of_any_name_can_be_worked_on_and_saved(tmp_path, name):
    (tmp_path / "work").mkdir()
    project = Project(tmp_path / "work")
    project.open("composite", write(tmp_path / "photo.png", scene()), f"{name}.png")
    project.prompt("person", Prompt("box", ((0.5, 0.1), (0.95, 0.95))))
    for what, ending in (("photo", ".png"), ("cube", ".cube"), ("recipe", ".json")):
        made = save(project, what, tmp_path)
        assert made.is_file() and made.suffix == ending and len(made.name.encode()) < 255
        assert FileResponse(made, filename=made.name).headers["content-disposition"].isascii()


@pytest.mark.parametrize("name", NAMES)
def test_the_api_answers_to_any_name(tmp_path, name):
    photo = {"path": str(write(tmp_path / "photo.png", scene())), "orig_name": f"{name}.png"}
    person = {"path": str(write(tmp_path / "me.png", scene(80, 60, 2), disc(80, 60))), "orig_name": f"{name}.png"}
    composite, mask, _ = api.paste(photo, person)
    for made in (composite, mask, *api.harmonize(photo | {"path": composite["path"]}, mask)):
        assert Path(made["path"]).is_file() and len(made["orig_name"].encode()) < 255
