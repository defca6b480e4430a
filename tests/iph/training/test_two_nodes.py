"""Training by torchrun on two nodes: two agents of this machine, gloo between them; `make cluster` runs it."""

import csv
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from node_processes import SECONDS, free_port, stop, until
from photo_folder import make_folder

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).resolve().parents[3]
TRAIN = """
import sys
from pathlib import Path
from iph.data.pack import pack_for_runs
from iph.network import build
from iph.training.loop import TrainingSettings, train
from iph.training.stages import stage

out, photos = map(Path, sys.argv[1:])
preset = stage(2, "small", size=32)
settings = TrainingSettings(out, preset.rules, images=8 * 120, batch=4, check_every=20, validation_images=8)
train(build("small"), pack_for_runs(photos, 32, out), settings)
"""
Node = Callable[..., subprocess.Popen]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("nodes") / "photos", [2 + n % 3 for n in range(40)])


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """Starts a node: its name, of which "a" keeps the meeting point, and what it runs."""
    port = free_port()
    started: list[subprocess.Popen] = []

    def start(name: str, *what: object) -> subprocess.Popen:
        meeting = ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{port}", "--rdzv-id", "run"]
        meeting += ["--rdzv-conf", f"is_host={int(name == 'a')}", "--max-restarts", "0"]
        command = [sys.executable, "-m", "torch.distributed.run", "--nnodes", 2, "--nproc-per-node", 1, *meeting, *what]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)}
        with open(tmp_path / f"{name}.log", "w") as log:
            started.append(
                subprocess.Popen(
                    list(map(str, command)), env=environment, stdout=log, stderr=log, start_new_session=True
                )
            )
        return started[-1]

    yield start
    for process in started:
        stop(process)


def steps(out: Path) -> list[int]:
    if not (out / "curve.csv").is_file():
        return []
    with open(out / "curve.csv", newline="") as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


def test_a_node_is_killed_and_the_run_goes_on(node: Node, photos: Path, tmp_path: Path) -> None:
    out, program = tmp_path / "runs/shared", tmp_path / "train.py"
    program.write_text(TRAIN)
    one, other = (node(name, program, out, photos) for name in "ab")
    until(lambda: len(steps(out)) >= 3 or one.poll() is not None, "the run did not begin")
    stop(other)
    assert one.wait(SECONDS) != 0, "the other node does not wait for ever"
    kept = steps(out)
    assert 40 <= kept[-1] < 120, (tmp_path / "a.log").read_text()[-3000:]
    nodes = [node(name, program, out, photos) for name in "ab"]
    assert [each.wait(SECONDS) for each in nodes] == [0, 0], (tmp_path / "a.log").read_text()[-3000:]
    assert steps(out) == [*kept, *range(kept[-1], 121, 20)], "it goes on from the last step that was kept"
    assert torch.load(out / "last.pt", weights_only=True)["state"]["step"] == 120


@pytest.mark.parametrize("lacking", ["photos", "run"])
def test_a_node_without_the_data_is_named_by_all(node: Node, photos: Path, tmp_path: Path, lacking: str) -> None:
    def command(data: Path, out: Path) -> list:
        return ["-m", "iph", "train", "--photos", data, "--images", 16, "--size", 32, "--batch", 4, "--out", out]

    if lacking == "photos":
        folders = (photos, tmp_path / "runs/1"), (tmp_path / "nowhere", tmp_path / "runs/1")
        sentence = f"on the node {socket.gethostname()}: expected"
    else:
        done = [sys.executable, *command(photos, tmp_path / "runs/1")]
        assert subprocess.run(list(map(str, done)), capture_output=True, timeout=SECONDS).returncode == 0
        folders = (photos, tmp_path / "runs/1"), (photos, tmp_path / "elsewhere/1")
        sentence = "expected the same step of the run in"
    nodes = [node(name, *command(*given)) for name, given in zip("ab", folders, strict=True)]
    assert all(one.wait(SECONDS) != 0 for one in nodes)
    for name in "ab":
        said = (tmp_path / f"{name}.log").read_text()
        assert sum(sentence in line for line in said.splitlines()) == 1, said[-3000:]
