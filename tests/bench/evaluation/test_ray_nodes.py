"""A run over Ray on two nodes: two raylets of this machine with folders of their own; `make cluster` runs it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from bench_pictures import make_dataset
from node_processes import SECONDS, free_port, stop, until

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).resolve().parents[3]
PYTHON = [sys.executable, "-m"]
IMAGES = 40
SLOW = """
import os, time

def harmonize(composite, foreground, reference):
    pid = os.getpid()
    while open(f"/proc/{pid}/comm").read() != "raylet\\n":  # the node that this runs on
        pid = int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])
    time.sleep(0.5)
    with open("LOG", "a") as log:
        log.write(f"{pid}\\n")
    return composite
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("data") / "set", IMAGES).root


class Cluster:
    """Nodes of this machine, the first one the head; each has a folder of its own."""

    def __init__(self, logs: Path) -> None:
        self.logs, self.port = logs, free_port()
        self.started: list[subprocess.Popen] = []
        self.folders: list[str] = []

    def node(self, before: str = "") -> subprocess.Popen:
        """Starts one and waits until it has joined. ``before`` is a shell's command in its own view of the disk."""
        head = ["--head", f"--port={self.port}", "--include-dashboard=false"]
        joins = [f"--address=127.0.0.1:{self.port}"] if self.started else head
        self.folders.append(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # short: sockets are in it
        options = ["--num-cpus=1", f"--temp-dir={self.folders[-1]}", "--object-store-memory=80000000"]
        command = [*PYTHON, "ray.scripts.scripts", "start", *joins, *options, "--disable-usage-stats", "--block"]
        shell = ["unshare", "-m", "sh", "-c", f'{before} && exec "$@"', "sh"] if before else []
        log = self.logs / f"node{len(self.started)}.log"
        with log.open("w") as file:
            process = subprocess.Popen([*shell, *command], cwd=ROOT, env=environment(), stdout=file, stderr=file)
        self.started.append(process)
        until(lambda: "will now block" in log.read_text() or process.poll() is not None, "no node started")
        assert process.poll() is None, log.read_text()[-3000:]
        return process

    def run(self, data: Path, out: Path, methods: str) -> subprocess.Popen:
        command = [*PYTHON, "bench.ray_runner", "--dataset", str(data), "--methods", methods, "--out", str(out)]
        command += ["--address", f"127.0.0.1:{self.port}"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(command, cwd=ROOT, env=environment(), **pipes)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("ray", reason="Ray is an optional extra; `make cluster` installs it")
    made = Cluster(tmp_path)
    yield made
    for process in made.started:
        stop(process)
    for folder in made.folders:
        shutil.rmtree(folder, ignore_errors=True)


def environment() -> dict[str, str]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}


def test_what_a_killed_node_had_to_do_is_done_by_the_other(cluster: Cluster, data: Path, tmp_path: Path) -> None:
    log, code = tmp_path / "log", tmp_path / "slow.py"
    code.write_text(SLOW.replace("LOG", str(log)))
    _, other = cluster.node(), cluster.node()
    running = cluster.run(data, tmp_path / "results", f"slow={code}")

    def nodes() -> list[str]:
        return log.read_text().split() if log.is_file() else []

    until(lambda: (len(set(nodes())) == 2 and len(nodes()) >= 8) or running.poll() is not None, "nothing was done")
    stop(other)
    before = len(nodes())
    said = running.communicate(timeout=SECONDS)[0]
    assert running.returncode == 0 and f"{IMAGES} rows computed, 0 were there" in said, said
    assert before < IMAGES and len(set(nodes())) == 2 and len(set(nodes()[before + 1 :])) == 1
    rows = pd.read_parquet(tmp_path / "results/set/rows.parquet")
    assert len(rows) == rows["id"].nunique() == IMAGES and not list((tmp_path / "results/set").glob("parts/*"))


def test_a_node_without_the_data_is_named(cluster: Cluster, data: Path, tmp_path: Path) -> None:
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("needs the right to hide a folder from one process")
    cluster.node()
    cluster.node(f"mount -t tmpfs none {data}")
    running = cluster.run(data, tmp_path / "results", "composite")
    said = running.communicate(timeout=SECONDS)[0]
    (line,) = [line for line in said.splitlines() if line.startswith("error: ")]
    assert running.returncode == 2 and re.search(rf"but the node \S+ \([\d.]+\) has no {data}/", line), said
    assert not (tmp_path / "results/set/rows.parquet").exists()


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:1", "127.0.0.1:99999"])
def test_no_cluster_is_a_sentence_at_once(data: Path, tmp_path: Path, address: str) -> None:
    from bench.evaluation.request import RunRequest, plan
    from bench.evaluation.runner import run as measure
    from bench.ray_runner import on_ray
    from iph.errors import InputError

    pytest.importorskip("ray", reason="Ray is an optional extra; `make cluster` installs it")
    found = plan(RunRequest(str(data), tmp_path / "results", methods=("composite",)))
    with pytest.raises(InputError, match=rf"expected a Ray cluster at HOST:PORT, but got '{address}'"):
        measure(found, on_ray(address))
