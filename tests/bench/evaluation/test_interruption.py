"""Ctrl-C at a real run, as a terminal sends it: to the command and to all that it started."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from bench_pictures import make_dataset

from bench.evaluation.store import Store

ROOT = Path(__file__).resolve().parents[3]


def test_the_second_one_ends_at_once(tmp_path: Path) -> None:
    """A method that takes minutes a picture: the first Ctrl-C waits for it, the second does not, and no row is lost."""
    make_dataset(tmp_path / "set", images=6)
    (tmp_path / "slow.py").write_text(
        "import pathlib, time\nhere = pathlib.Path(__file__)\n"
        "first, second = (here.with_name(name) for name in ('first', 'second'))\n\n\n"
        "def harmonize(c, f, r):\n    if first.exists():\n        second.touch()\n        time.sleep(600)\n"
        "    first.touch()\n    return c\n"
    )
    command = [sys.executable, "-m", "bench", "run", "--dataset", str(tmp_path / "set"), "--workers", "1"]
    command += ["--methods", f"slow={tmp_path}/slow.py", "--out", str(tmp_path / "results")]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True)
    store = Store(tmp_path / "results", "set")
    while not any(part.stat().st_size for part in store.parts.glob("*.jsonl")) or not (tmp_path / "second").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(1.0)
    assert process.poll() is None, "it waits for the picture that is being made"
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 130 and b"stopping: what is running is finished and kept" in said
    assert b"Traceback" not in said and len(store.merge()) == 1
