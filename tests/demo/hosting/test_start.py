"""What keeps a server from starting is one sentence, and the exit status says so."""

import os
import runpy
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.runtime import Runtime
from study_files import write_study

from demo.hosting.memory import NEEDED, lack_of_memory
from demo.hosting.start import check_start
from iph import harmonizer
from iph.errors import InputError
from iph.runtime import graphs, shipped

ROOT = Path(__file__).parents[3]


@pytest.fixture
def start(monkeypatch):
    """``start(**environment)``: how ``python app.py`` ends. In this process: a second one would import it all again."""
    monkeypatch.setattr(Runtime, "_instance", None)
    before = signal.getsignal(signal.SIGTERM)

    def run(**environment):
        for name, text in ({"IPH_HOSTS": "", "IPH_STUDIO": "/"} | environment).items():
            monkeypatch.setenv(name, text)
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
        assert isinstance(ended.value.code, str)  # a text is printed, and the exit status is 1
        assert len(ended.value.code.splitlines()) == 1
        return ended.value.code

    yield run
    signal.signal(signal.SIGTERM, before)


def test_a_port_in_use(start):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        said = start(GRADIO_SERVER_NAME="127.0.0.1", GRADIO_SERVER_PORT=port)
    assert said == f"this server cannot listen at 127.0.0.1:{port}: Address already in use"
    for wrong in ("http", "0", "65536"):
        with pytest.raises(InputError, match=f"a port from 1 to 65535 to listen at, got '{wrong}'"):
            check_start("127.0.0.1", wrong)


def test_too_little_memory_is_said_before_anything_is_imported(tmp_path):
    run = subprocess.run(
        ["prlimit", "--as=800000000", sys.executable, "app.py"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 1 and run.stdout == ""
    assert run.stderr == "expected 1300 MB of memory to start, got 800 MB, this process's limit on addresses\n"


def test_freed_memory_goes_back():
    """Many blocks with a live one between: the C library keeps them until it is asked."""
    script = """
from pathlib import Path
from iph.runtime.memory import give_back
resident = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20
held = [bytearray(60_000) for _ in range(4000)]
full = resident()
held = held[::20]
kept = resident()
give_back()
print(full, kept, resident())
"""
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    full, kept, trimmed = map(int, run.stdout.split())
    assert kept > full - 50 and trimmed < full - 150


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
def test_a_container_that_is_too_small_is_said(name, tmp_path):
    limit = tmp_path / name
    limit.parent.mkdir(exist_ok=True)
    for text, lacks in (("300000000\n", True), ("4000000000\n", False), ("max\n", False)):
        limit.write_text(text)
        said = lack_of_memory(cgroup=tmp_path)
        assert said == (
            f"expected {NEEDED // 10**6} MB of memory to start, got 300 MB, the limit in {limit}" if lacks else None
        )
    full = tmp_path / "meminfo"
    full.write_text("MemTotal: 9000000 kB\nMemAvailable:  100000 kB\nSwapFree:  50000 kB\n")
    assert "got 153 MB, what this machine has free" in lack_of_memory(cgroup=tmp_path, meminfo=full)


@pytest.mark.parametrize("name", ["TMPDIR", "GRADIO_TEMP_DIR"])
def test_a_disk_that_cannot_be_written(start, name, free_tcp_port):
    # /proc takes no folder from anybody, root included.
    said = start(**{name: "/proc/nothing", "GRADIO_SERVER_PORT": str(free_tcp_port)})
    assert said.startswith(f"expected a folder that can be written in {name}, got /proc/nothing: ")


def test_no_weights(start, free_tcp_port, monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    for read in (harmonizer._made, graphs._session):
        read.cache_clear()
    try:
        said = start(GRADIO_SERVER_PORT=str(free_tcp_port))
    finally:
        for read in (harmonizer._made, graphs._session):
            read.cache_clear()
    assert said == f"expected a network at {tmp_path}/semantics.onnx, but: No such file or directory; reinstall"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://nobody:secret@127.0.0.1:{port}/votes", "refused"),
        ("mysql://127.0.0.1/votes", "neither sqlite nor postgresql"),
        ("votes", "a text that is no URL"),
        ("sqlite:////proc/votes.db", "unable to open database file"),
    ],
)
def test_a_wrong_database(start, url, reason, free_tcp_port, tmp_path):
    study = write_study(tmp_path)
    url = url.format(port=free_tcp_port)
    said = start(GRADIO_SERVER_PORT=str(free_tcp_port), IPH_STUDY=str(study), IPH_STUDY_DATABASE=url)
    assert said.startswith("IPH_STUDY: expected the URL of an SQLite or PostgreSQL database") and reason in said
    assert "secret" not in said


def test_figures_without_a_place(start, free_tcp_port):
    said = start(GRADIO_SERVER_PORT=str(free_tcp_port), IPH_METRICS="9464")
    assert said.startswith("expected IPH_METRICS as address:port")


def test_no_temporary_folder_at_all():
    ended = subprocess.run(
        [sys.executable, "-c", "import tempfile; tempfile._candidate_tempdir_list = list; import demo.environment"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={name: text for name, text in os.environ.items() if name not in ("TMPDIR", "GRADIO_TEMP_DIR")},
    )
    assert ended.returncode == 1
    assert ended.stderr == "expected a folder for temporary files that can be written, in TMPDIR or as /tmp, got none\n"
