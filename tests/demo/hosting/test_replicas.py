"""Three replicas behind nginx with one PostgreSQL: killed, stopped, restarted and updated under raters and editors."""

import os
import random
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import numpy as np
import pytest
from hosting_hands import free_ports, proxied
from postgres_hands import Postgres, programs
from studio_pictures import disc, scene, write
from study_files import PAIRS, write_study
from visitor_hands import PATIENCE, canvas, put, quiet, shown

from userstudy.design.study_file import load_study
from userstudy.votes.reading import votes_table
from userstudy.votes.store import Store

__all__ = ["proxied"]  # a fixture
pytestmark = [pytest.mark.hosting, pytest.mark.postgres]
ROOT = Path(__file__).parents[3]
TRUSTING = ssl._create_unverified_context()
RATERS = '\n[raters]\nnumber = 500\nmin_seconds = 0\nlabs = ["127.0.0.1"]\n'
SAID = {"away", "store", "busy"}  # codes of a pause: whoever hears one asks again


class Replica:
    """``python app.py`` at a port of its own."""

    def __init__(self, port: int, folder: Path, environment: dict[str, str]) -> None:
        self.port, self.log = port, folder / f"log-{port}"
        own = {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(folder / f"cache-{port}")}
        self.environment = os.environ | environment | own
        self.start()

    def start(self) -> None:
        with self.log.open("a") as log:
            command = ["setpriv", "--pdeathsig=KILL", sys.executable, "app.py"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + 180
        while True:
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)

    def end(self, sent: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(sent)
        self.process.wait(60)


@pytest.fixture(scope="module")
def cluster(absent, proxied, tmp_path_factory):
    """``.replicas``, ``.postgres``, ``.address`` of nginx, ``.store`` and ``.study`` as the database has them."""
    if programs() is None:
        absent("no PostgreSQL programs in /usr/lib/postgresql or on the PATH; apt-get install postgresql")
    folder = tmp_path_factory.mktemp("cluster")
    study = write_study(folder, PAIRS + RATERS, size=(48, 32))
    postgres = Postgres()
    environment = {
        "IPH_STUDY": str(study),
        "IPH_STUDY_DATABASE": postgres.url % "postgres",
        "IPH_PROXIES": "127.0.0.1",
        "OMP_NUM_THREADS": "1",
    }
    replicas = [Replica(port, folder, environment) for port in free_ports(3)]
    try:
        for one in replicas:
            one.wait_ready()
        cluster = type("Cluster", (), {})()
        cluster.replicas, cluster.postgres = replicas, postgres
        cluster.address = proxied([one.port for one in replicas], patience=2)
        cluster.store = Store(postgres.url % "postgres")
        cluster.study = cluster.store.open_study(load_study(study))
        yield cluster
        cluster.store.close()
    finally:
        for one in replicas:
            one.process.kill()
        postgres.close()


class Rater(threading.Thread):
    """Votes through nginx until told to end, one session after the other, each time at another replica, and sends again
    what was not answered, as the page does."""

    def __init__(self, address: str, seed: int) -> None:
        super().__init__(daemon=True)
        self.address, self.rng, self.headers = address, random.Random(seed), {}
        self.given: dict[str, dict[int, str]] = {}  # rater: trial: choice, as answered by the server
        self.enough = threading.Event()
        self.pauses: Counter[str] = Counter()
        self.unsaid: list[str] = []
        self.longest = 0.0

    def ask(self, client: httpx.Client, path: str, body: dict) -> dict:
        begun = time.monotonic()
        while time.monotonic() - begun < 120:
            client.cookies.clear()
            try:
                hop = {"Cookie": f"iph_replica={self.rng.randint(1, 3)}"}
                answer = client.post(f"{self.address}/study/api/{path}", json=body, headers=self.headers | hop)
                said = answer.json()
            except (httpx.TransportError, ValueError) as error:
                self.unsaid.append(repr(error))
            else:
                if answer.is_success:
                    self.longest = max(self.longest, time.monotonic() - begun)
                    return said
                self.pauses[said["code"]] += 1
            time.sleep(0.3)
        raise AssertionError(f"no answer for two minutes: {self.pauses}, {self.unsaid[-3:]}")

    def run(self) -> None:
        with httpx.Client(verify=TRUSTING, timeout=30) as client:
            while not self.enough.is_set():
                self.headers = {}
                now = self.ask(client, "enter", {"consent": True, "device": {"width": 1280, "height": 800}})
                self.headers = {"Authorization": f"Bearer {now['token']}"}
                given = self.given[now["token"].split(".")[1]] = {}
                while now["upcoming"]:
                    trial, choice = now["upcoming"][0]["trial"], self.rng.choice(["left", "right", "tie"])
                    time.sleep(self.rng.uniform(0.5, 1.5))
                    request = f"{self.rng.getrandbits(64):016x}"
                    vote = {"request_id": request, "trial": trial, "seconds": 0.1, "choice": choice}
                    now = self.ask(client, "vote", vote)
                    given[trial] = choice


def test_no_vote_is_lost_whatever_happens_to_a_replica_or_the_database(cluster):
    first, second, third = cluster.replicas
    raters = [Rater(cluster.address, seed) for seed in range(8)]
    for one in raters:
        one.start()
    time.sleep(2)
    first.end(signal.SIGKILL)  # dies
    second.process.send_signal(signal.SIGSTOP)  # hangs
    time.sleep(4)
    first.start()
    second.process.send_signal(signal.SIGCONT)
    cluster.postgres.stop()
    time.sleep(1.5)
    cluster.postgres.start()
    first.wait_ready()
    for one in (second, third):  # an update, one after the other
        one.end()
        one.start()
        one.wait_ready()
    for one in raters:
        one.enough.set()
    for one in raters:
        one.join(120)
        assert not one.is_alive()
    table = votes_table(cluster.store, cluster.study)
    assert not table.duplicated(["rater", "trial"]).any()
    kept = {rater: dict(zip(rows["trial"], rows["choice"], strict=True)) for rater, rows in table.groupby("rater")}
    answered = {rater: given for one in raters for rater, given in one.given.items()}
    assert kept == answered and sum(map(len, kept.values())) > 200
    pauses = sum((one.pauses for one in raters), Counter())
    assert pauses and set(pauses) <= SAID and not any(one.unsaid for one in raters), [one.unsaid for one in raters]
    longest = max(one.longest for one in raters)
    assert longest < 40
    print(f"{sum(map(len, kept.values()))} votes, pauses {dict(pauses)}, the longest wait {longest:.1f} s")


def test_readyz_says_that_the_database_is_away(cluster):
    address = f"http://127.0.0.1:{cluster.replicas[0].port}/readyz"
    cluster.postgres.stop()
    try:
        deadline = time.monotonic() + 30
        while (answer := httpx.get(address)).status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert answer.json()["reasons"] == ["the vote store does not answer"]
    finally:
        cluster.postgres.start()
    for one in cluster.replicas:
        one.wait_ready()


@pytest.mark.browser
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
def test_an_editor_s_work_comes_back_on_another_replica(cluster, page, tmp_path, sent):
    """From one that dies at once, from one that hangs after the page's patience of half a minute."""
    files = {
        "background": write(tmp_path / "beach.png", scene(240, 320)),
        "person": write(tmp_path / "me.png", scene(160, 120, 2), disc(160, 120)),
    }
    opened = page(ignore_https_errors=True)
    opened.set_default_timeout(PATIENCE)
    opened.goto(cluster.address)
    opened.wait_for_selector(".gallery .example")
    put(opened, files)
    strength = opened.locator("[data-amount=strength]")

    def adjust(percent: int):
        strength.fill(str(percent))
        opened.wait_for_timeout(500)
        quiet(opened)

    def replica() -> int:
        return next(int(one["value"]) for one in opened.context.cookies() if one["name"] == "iph_replica")

    adjust(60)
    before, where = canvas(opened), replica()
    adjust(90)
    assert not np.array_equal(canvas(opened), before)
    said = []
    opened.expose_function("heard", lambda text: said.append(text))
    opened.evaluate(
        "() => new MutationObserver(() => heard(document.querySelector('#studio').innerText))"
        ".observe(document.querySelector('#studio'), { subtree: true, childList: true, characterData: true })"
    )
    opened.wait_for_timeout(1500)  # the browser has its copy
    left = cluster.replicas[where - 1]
    left.process.send_signal(sent)
    adjust(60)
    shown(opened, before)
    assert replica() != where
    assert any("The server lost this work, bringing it back" in text for text in said)
    left.end(signal.SIGKILL)
    left.start()
    left.wait_ready()
