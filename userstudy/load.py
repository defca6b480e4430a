"""Load of a study's server: raters at human pace against a server on this machine, and what they had to wait.

    python -m userstudy.load make /tmp/load
    python -m demo.vote /tmp/load/load.toml --port 7869
    python -m userstudy.load run /tmp/load/load.toml http://127.0.0.1:7869/study

Raters look for three to five seconds, load every picture they see, and vote. At the end every vote that the server
acknowledged is looked up in the store. Only studies named ``load…`` on this machine are voted on. With PostgreSQL and
two processes: the same lines after ``export IPH_STUDY_DATABASE=postgresql://…``, with ``--processes 2`` for the server.
"""

import asyncio
import json
import random
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import numpy as np
import sqlalchemy as sa
import typer
from PIL import Image

from userstudy.design.study_file import load_study
from userstudy.errors import InputError
from userstudy.report.score_text import table
from userstudy.votes.store import DATABASE, Store
from userstudy.votes.tables import raters, votes

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
STUDY = """\
name = "load"
title = "Load test"
consent = "No person votes here."
[pictures]
folder = "methods"
[pairs]
per_rater = 100
[raters]
number = 5000
min_seconds = 0.5
labs = ["127.0.0.1", "::1"]
"""


@dataclass
class Tally:
    """What the raters saw: waits in seconds by kind of request, and votes that were acknowledged."""

    waits: dict[str, list[float]] = field(default_factory=lambda: {"vote": [], "picture": [], "enter": []})
    acknowledged: list[tuple[str, str]] = field(default_factory=list)  # (rater, request id)
    troubles: Counter = field(default_factory=Counter)


class Connection:
    """One kept-alive HTTP/1.1 connection; far lighter than a client library, which would be what is measured."""

    def __init__(self, host: str, port: int):
        self.host, self.port, self.streams = host, port, None

    async def request(self, path: str, body: dict | None, headers: dict[str, str]) -> tuple[int, bytes]:
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self.streams
        data = json.dumps(body).encode() if body else b""
        lines = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        lines += [f"Content-Length: {len(data)}", "Content-Type: application/json"] if body else []
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + data)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        length = next(int(line.split(":")[1]) for line in head if line.lower().startswith("content-length:"))
        return int(head[0].split()[1]), await reader.readexactly(length)

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


class Rater:
    """One browser's worth of requests."""

    def __init__(self, address: str, tally: Tally, pace: tuple[float, float], seed: int):
        parts = urlsplit(address)
        self.connection, self.path = Connection(parts.hostname, parts.port or 80), parts.path.rstrip("/")
        self.tally, self.pace, self.rng = tally, pace, random.Random(seed)
        self.headers: dict[str, str] = {}
        self.seen: set[str] = set()

    async def run(self, until: float) -> None:
        await asyncio.sleep(self.rng.uniform(0, self.pace[1]))  # they do not come in step
        device = {"width": 1280, "height": 800}
        state = await self.send("enter", "enter", {"consent": True, "device": device})
        if state is None:
            return
        rater = state["token"].split(".")[1]
        self.headers["Authorization"] = f"Bearer {state['token']}"
        while time.monotonic() < until and state["upcoming"]:
            for name in {name for trial in state["upcoming"] for name in trial["pictures"]} - self.seen:
                self.seen.add(name)
                await self.send("picture", f"picture/{name}.png")
            looked = self.rng.uniform(*self.pace)
            await asyncio.sleep(looked)
            choice, request = self.rng.choice(("left", "right", "tie", "skip")), str(uuid.uuid4())
            body = {"request_id": request, "trial": state["upcoming"][0]["trial"], "choice": choice, "seconds": looked}
            answer = await self.send("vote", "vote", body)
            if answer is not None:
                self.tally.acknowledged.append((rater, request))
                state = answer
        self.connection.close()

    async def send(self, kind: str, path: str, body: dict | None = None) -> dict | None:
        """The answer, or None after a failure that is counted."""
        started = time.monotonic()
        try:
            status, data = await self.connection.request(f"{self.path}/api/{path}", body, self.headers)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.tally.troubles[f"{kind}: {type(error).__name__}"] += 1
            self.connection.close()
            return None
        self.tally.waits[kind].append(time.monotonic() - started)
        if status != 200:
            self.tally.troubles[f"{kind}: {status}"] += 1
            return None
        return json.loads(data) if kind != "picture" else {}


async def load(address: str, number: int, seconds: float, pace: tuple[float, float]) -> Tally:
    """Sends ``number`` raters to a server for so many seconds."""
    tally, until = Tally(), time.monotonic() + seconds
    await asyncio.gather(*(Rater(address, tally, pace, seed).run(until) for seed in range(number)))
    return tally


def missing_votes(store: Store, acknowledged: list[tuple[str, str]]) -> tuple[int, int]:
    """How many acknowledged votes the store lacks, and how many it holds more than once."""
    with store.read() as connection:
        query = sa.select(raters.c.rater, votes.c.request_id).join(raters, raters.c.id == votes.c.rater_id)
        stored = Counter((row.rater, row.request_id) for row in connection.execute(query))
    return sum(vote not in stored for vote in acknowledged), sum(stored[vote] > 1 for vote in acknowledged)


@app.command()
def make(folder: Annotated[Path, typer.Argument(help="a folder that does not exist yet")]) -> None:
    """Write a study of made-up pictures to vote on."""
    rng = np.random.default_rng(0)
    slope = np.linspace(40, 200, 512)
    for method in ("one", "two", "three", "four"):
        (folder / "methods" / method).mkdir(parents=True)
        for item in range(100):
            scene = slope[:, None, None] * 0.5 + slope[None, :, None] * rng.uniform(0.2, 0.5, 3)
            pixels = (scene + rng.integers(0, 16, (512, 512, 1))).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "methods" / method / f"{item:03}.png", compress_level=1)
    (folder / "load.toml").write_text(STUDY)


@app.command()
def run(
    study_path: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="the study that the server serves")],
    address: Annotated[str, typer.Argument(help="http://127.0.0.1:7869/study")],
    number: Annotated[int, typer.Option("--raters", help="raters at once")] = 100,
    seconds: Annotated[float, typer.Option(help="how long")] = 60,
    fastest: Annotated[float, typer.Option(help="seconds from one vote to the next, at least")] = 3,
    slowest: Annotated[float, typer.Option(help="and at most")] = 5,
    database: Annotated[
        str | None, typer.Option(help="database URL in place of the study file's", envvar=DATABASE)
    ] = None,
) -> None:
    """Vote, and print what raters waited and whether every acknowledged vote is stored once."""
    study = load_study(study_path)
    if not study.file.name.startswith("load") or urlsplit(address).hostname not in ("127.0.0.1", "localhost"):
        raise InputError(f"expected a study named load… on this machine, got {study.file.name!r} at {address}")
    started = time.monotonic()
    tally = asyncio.run(load(address, number, seconds, (fastest, slowest)))
    elapsed = time.monotonic() - started
    rows = []
    for kind, waits in tally.waits.items():
        if waits:
            milliseconds = 1000 * np.percentile(waits, (50, 95, 99, 100))
            rows.append((kind, len(waits), f"{len(waits) / elapsed:.1f}", *(f"{wait:.0f}" for wait in milliseconds)))
    typer.echo(table(("request", "count", "a second", "p50 ms", "p95 ms", "p99 ms", "longest ms"), rows))
    store = Store(database or study.database_url)
    missing, doubled = missing_votes(store, tally.acknowledged)
    typer.echo(
        f"\n{len(tally.acknowledged)} votes acknowledged by {number} raters in {elapsed:.0f} s; "
        f"{missing} missing from the store, {doubled} stored twice; "
        f"troubles: {', '.join(f'{what} × {count}' for what, count in tally.troubles.items()) or 'none'}"
    )
    if missing or doubled or tally.troubles:
        raise typer.Exit(1)


if __name__ == "__main__":
    try:
        app()
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
