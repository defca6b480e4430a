"""kill -9 of the server while raters vote: every vote that was acknowledged is there afterwards, once."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

import httpx
from study_files import write_study

from userstudy.design.study_file import load_study
from userstudy.load import load, missing_votes
from userstudy.votes.reading import raw_votes
from userstudy.votes.store import Store

VOTERS, VOTES, KILLS = 8, 40, 2
STUDY = "\n[pairs]\nper_rater = 40\n[raters]\nnumber = 100\nmin_seconds = 0\n"


# The study's routes as ``demo.vote.page`` serves them; without its page, which takes long to load, and its rate limit.
SERVER = """
import sys, uvicorn
from fastapi import FastAPI
from demo.rate_limit import RateLimit
from demo.vote.routes import study_router
from userstudy.votes.sessions import Sessions
from userstudy.votes.store import Store
from userstudy.design.study_file import load_study
study, database, port = sys.argv[1:]
app, fast = FastAPI(), RateLimit(rate=1e6, burst=1e6)
app.include_router(study_router(Sessions(Store(database), load_study(study)), fast, fast), prefix="/study")
uvicorn.run(app, port=int(port), log_level="critical")
"""


class Server:
    """A server process that can be killed and started again."""

    def __init__(self, study, database):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.command = [sys.executable, "-c", SERVER, str(study), database, str(self.port)]
        self.url = f"http://127.0.0.1:{self.port}/study/api"
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "the server ended by itself"
            try:
                return httpx.get(f"{self.url}/study", timeout=2).raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.1)
        raise AssertionError("the server did not start")

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Voter(threading.Thread):
    """Votes as the page does: after a failure the same request again, until it is acknowledged."""

    def __init__(self, url, seed):
        super().__init__()
        self.url, self.rng, self.acknowledged, self.cut_off = url, random.Random(seed), [], 0

    def run(self):
        with httpx.Client(timeout=10) as client:
            device = {"width": 1280, "height": 800}
            person = {"origin": "prolific", "participant": f"p{self.rng.random()}"}  # so that entering may be repeated
            state = self.insist(client, "enter", {"consent": True, "device": device} | person)
            rater = state["token"].split(".")[1]
            client.headers["Authorization"] = f"Bearer {state['token']}"
            while state["upcoming"]:
                request = str(uuid.uuid4())
                body = {"request_id": request, "trial": state["upcoming"][0]["trial"], "seconds": 1.0}
                state = self.insist(client, "vote", body | {"choice": self.rng.choice(("left", "right", "tie"))})
                self.acknowledged.append((rater, request))
                time.sleep(self.rng.uniform(0, 0.05))

    def insist(self, client, path, body):
        while True:
            try:
                answer = client.post(f"{self.url}/{path}", json=body)
                if answer.status_code == 200:
                    return answer.json()
                assert answer.status_code == 503, answer.text
            except httpx.TransportError:
                self.cut_off += 1
            time.sleep(0.2)


def test_kill_dash_9_loses_no_acknowledged_vote(database_url, tmp_path):
    path = write_study(tmp_path, STUDY, items=10)
    server = Server(path, database_url)
    server.start()
    voters = [Voter(server.url, seed) for seed in range(VOTERS)]
    for voter in voters:
        voter.start()
    try:
        for kill in range(1, KILLS + 1):
            deadline = time.monotonic() + 120
            goal = kill * VOTERS * VOTES / (KILLS + 1)
            while sum(len(voter.acknowledged) for voter in voters) < goal:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            server.kill()
            server.start()
        for voter in voters:
            voter.join(240)
            assert not voter.is_alive()
    finally:
        server.kill()
    acknowledged = [vote for voter in voters for vote in voter.acknowledged]
    assert len(acknowledged) == VOTERS * VOTES
    assert all(voter.cut_off for voter in voters)  # the kills did hit votes on their way
    store = Store(database_url)
    assert missing_votes(store, acknowledged) == (0, 0)
    study = store.open_study(load_study(path))
    raw = raw_votes(store, study)
    assert len(raw) == VOTERS * VOTES and set(raw["revision"]) == {1}  # nothing lost, nothing doubled
    store.close()


def test_the_load_test_counts_what_it_sent(tmp_path):
    path = write_study(tmp_path, STUDY, items=10)
    database = f"sqlite:///{tmp_path}/votes.db"
    server = Server(path, database)
    server.start()
    try:
        tally = asyncio.run(load(server.url.removesuffix("/api"), number=5, seconds=3, pace=(0.1, 0.3)))
    finally:
        server.kill()
    store = Store(database)
    assert not tally.troubles and len(tally.waits["enter"]) == 5
    assert len(tally.acknowledged) == len(tally.waits["vote"]) == len(raw_votes(store, store.find_study())) > 20
    assert missing_votes(store, tally.acknowledged) == (0, 0)
    assert missing_votes(store, [*tally.acknowledged, ("nobody", "request")]) == (1, 0)
    store.close()
