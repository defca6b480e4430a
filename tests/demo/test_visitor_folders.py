"""Visitors' folders: what a killed studio left is deleted by the next one, what a living one has is not."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from fastapi import FastAPI

from demo.settings import Settings
from demo.studio.page import mount_studio
from demo.studio.visitor_session import VisitorSession
from demo.visitor_folders import OwnFolder, sweep

ROOT = Path(__file__).parents[2]
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
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    running = VisitorSession("10.0.0.1")
    assert running.folder.parent == tmp_path
    left = running.folder.with_name("iph-studio-left")
    left.mkdir()
    (left / "private.jpg").write_text("a photo")
    Path(f"{left}.lock").touch()
    result = tmp_path / "cache" / "api-of-an-earlier-run" / "result.png"
    result.parent.mkdir(parents=True)
    result.write_text("a photo")
    long_ago = time.time() - 2 * Settings().file_seconds
    os.utime(result, (long_ago, long_ago))
    studio = mount_studio(FastAPI(), Settings.from_environment())
    assert not left.exists() and running.folder.exists()
    deadline = time.monotonic() + 30
    while result.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not result.exists()
    running.close()
    studio.close()
    assert not list(tmp_path.rglob("iph-studio-*"))
