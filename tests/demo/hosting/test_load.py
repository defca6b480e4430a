"""``python -m demo.load`` against a real server, and what it says where there is none."""

import asyncio
import sys

import httpx
import pytest
from aiohttp import ClientSession
from dashboard_hands import forget_runtime
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route
from study_files import PAIRS, write_study

from app import build_app
from demo.load.__main__ import main, own_address
from demo.load.timing import Timing, ask


@pytest.fixture
def load(monkeypatch, capsys):
    """``load(*arguments)``: the exit status, what was printed, and what was printed as an error."""

    def run(*arguments: str):
        monkeypatch.setattr(sys, "argv", ["demo.load", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return run


def test_editors_callers_and_raters_in_one_run(load, serve, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    forget_runtime()
    app = build_app(str(write_study(tmp_path, PAIRS + "\n[raters]\nnumber = 90\nmin_seconds = 0\n")))
    address = serve(app)
    while httpx.get(f"{address}/readyz").status_code != 200:
        pass
    code, out, err = load(
        *(address, "--editors", "1", "--callers", "1", "--raters", "2", "--pace", "0"),
        *("--megapixels", "0.1", "--seconds", "1"),
    )
    rows = {tuple(cell.strip() for cell in line.split("|")[1:3]): line for line in out.splitlines() if "|" in line}
    for who, what, least in (
        *(("editor", what, 1) for what in ("open background", "open person", "close look", "download", "leave")),
        *(("editor", what, count) for what, count in (("upload", 2), ("reference", 3), ("slider", 6))),
        ("API client", "harmonize, with its files", 1),
        *(("rater", "enter", 2), ("rater", "picture", 24), ("rater", "vote", 12)),
    ):
        _, _, _, done, refused, median, p95, _, _ = (cell.strip() for cell in rows[who, what].split("|"))
        assert int(done) >= least and refused == "0" and 0 < float(median) <= float(p95), rows[who, what]
    assert code == 0 and err == ""
    app.state.study.store.close()
    app.state.studio.close()


def test_no_server_and_nobody_to_come_are_sentences(load, free_tcp_port):
    code, _, err = load(f"http://127.0.0.1:{free_tcp_port}", "--editors", "1")
    assert code == 2 and err.startswith(f"error: expected a server at http://127.0.0.1:{free_tcp_port}: ")
    assert load("http://127.0.0.1:1") == (
        2,
        "",
        "error: expected some --editors, --callers or --raters, got none of them\n",
    )


def test_refusals_are_counted_with_their_reason_and_not_as_waits(serve):
    async def busy(_):
        return JSONResponse({"code": "busy"}, 503)

    async def away(_):
        return HTMLResponse("<html>", 502)

    address = serve(Starlette(routes=[Route("/busy", busy), Route("/away", away)]))
    timing = Timing()

    async def come():
        async with ClientSession(address) as client:
            for path in ("/busy", "/away", "/nowhere"):
                with timing.waits("rater", "vote"):
                    await ask(client, "GET", path)

    asyncio.run(come())
    whys = ("503 busy", "502 no sentence", "404 no sentence")
    assert timing.refused == {("rater", "vote", why): 1 for why in whys}
    assert not timing.seconds and "| 0      | 3" in timing.table()


def test_every_visitor_has_an_address_of_their_own():
    addresses = {own_address(number) for number in range(70_000)}
    assert len(addresses) == 70_000 and "127.0.0.1" not in addresses
    assert all(all(0 <= int(part) <= 255 for part in one.split(".")) for one in addresses)
