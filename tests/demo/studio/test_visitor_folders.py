"""Visitors' folders: what a killed studio left is deleted by the next one, what a living one has is not."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from gradio.utils import get_upload_folder

from demo.studio.page import build_studio
from demo.studio.session_store import Desk
from demo.visitor_folders import OwnFolder, sweep

ROOT = Path(__file__).parents[3]
VISIT = """
import sys, time
from pathlib import Path
from demo.visitor_folders import OwnFolder
own = OwnFolder(Path(sys.argv[1]))
(own.path / "private.jpg").write_text("a photo")
print(own.path, flush=True)
time.sleep(600)
"""


@pytest.fixture
def process(tmp_path):
    """``process()`` starts one with a folder in ``tmp_path``; returns both."""
    started = []

    def start():
        started.append(
            subprocess.Popen([sys.executable, "-c", VISIT, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        )
        return started[-1], Path(started[-1].stdout.readline().strip())

    yield start
    for one in started:
        one.kill()
        one.wait()
        one.stdout.close()


def test_only_what_a_killed_process_left_is_swept(process, tmp_path):
    (killed, left), (_, held), own = process(), process(), OwnFolder(tmp_path)
    killed.kill()
    killed.wait()
    other = tmp_path / "someone-elses"
    other.mkdir()
    sweep(tmp_path)
    assert not left.exists() and (held / "private.jpg").exists() and own.path.exists() and other.exists()
    own.close()
    assert sorted(tmp_path.iterdir()) == sorted([held, Path(f"{held}.lock"), other])


def test_a_studio_sweeps_when_it_starts(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    running = Desk()
    seat = running.seat("open")
    folders = [seat.project.folder, seat.pictures.folder]
    assert [folder.parent for folder in folders] == [Path(tempfile.gettempdir()), Path(get_upload_folder())]
    left = [folder.with_name("iph-studio-left") for folder in folders]
    for folder in left:
        folder.mkdir()
        (folder / "private.jpg").write_text("a photo")
        Path(f"{folder}.lock").touch()
    studio = build_studio()
    assert not any(folder.exists() for folder in left) and all(folder.exists() for folder in folders)
    running.close()
    studio.desk.close()
    assert not list(tmp_path.rglob("iph-studio-*"))
