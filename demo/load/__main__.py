"""``python -m demo.load http://127.0.0.1:7860 --editors 20 --callers 20 --raters 1000``; see ``demo.load``."""

import asyncio
import random
import re
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Annotated

import httpx
import typer
from aiohttp import ClientSession, ClientTimeout, CookieJar, TCPConnector

from demo.load.pictures import make_pictures, read_and_written
from demo.load.timing import Timing
from demo.load.visitors import call, edit, rate
from iph.errors import InputError

PATIENCE = ClientTimeout(total=200)
FIGURES = ("process_resident_memory_bytes", "iph_temporary_bytes", "iph_sessions")


def own_address(number: int) -> str:
    """Where a visitor comes from: every one has a loopback address of their own."""
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"


async def visit(address: str, seconds: float, crowd: list[Callable[[ClientSession], Awaitable[None]]]) -> None:
    """Let everybody of the crowd come, over the first quarter of ``seconds``, and come again until they are over."""
    local = httpx.URL(address).host in ("127.0.0.1", "localhost")
    trusting = ssl._create_unverified_context()  # a test's certificate; one for all, for making it takes long
    ends = time.monotonic() + seconds

    async def one(number: int, behave: Callable) -> None:
        await asyncio.sleep(random.Random(number).uniform(0, seconds / 4))
        source = own_address(number) if local else None
        while time.monotonic() < ends:
            cookies = CookieJar(unsafe=True)  # of servers without a name too
            connector = TCPConnector(ssl=trusting, local_addr=source and (source, 0))
            async with ClientSession(address, connector=connector, cookie_jar=cookies, timeout=PATIENCE) as client:
                await behave(client)
            await asyncio.sleep(1)  # who is refused at once comes again, but not at once

    await asyncio.gather(*(one(number, behave) for number, behave in enumerate(crowd)))


def figures(address: str) -> str:
    """Some of a server's figures, in words."""
    text = httpx.get(address, timeout=10).text
    return ", ".join(f"{name} {float(re.search(rf'^{name} (.+)$', text, re.M)[1]):.0f}" for name in FIGURES)


def run(
    address: Annotated[str, typer.Argument(help="of the server, such as http://127.0.0.1:7860")],
    editors: Annotated[int, typer.Option(min=0, help="at a time, who come again until the end")] = 0,
    callers: Annotated[int, typer.Option(min=0, help="of /harmonize, every eight seconds")] = 0,
    raters: Annotated[int, typer.Option(min=0, help="of the study at /study")] = 0,
    seconds: Annotated[float, typer.Option(min=1, help="after which nobody begins anew")] = 60,
    pace: Annotated[float, typer.Option(min=0, help="of the pauses; 1 is people's, 0 none")] = 1,
    megapixels: Annotated[float, typer.Option(min=0.01, help="of every photo")] = 12,
    metrics: Annotated[str | None, typer.Option(help="address of the server's figures, told before and after")] = None,
) -> None:
    """Load a running server and print how long everybody waited.

    Where the server is on this machine every visitor has an address of their own.
    """
    if not editors + callers + raters:
        raise InputError("expected some --editors, --callers or --raters, got none of them")
    timing, rng = Timing(), random.Random(0)
    side = (megapixels * 1e6 / 12) ** 0.5
    pictures = make_pictures(round(4 * side), round(3 * side))
    crowd = [lambda client: edit(client, pictures, timing, pace, rng)] * editors
    crowd += [lambda client: call(client, pictures, timing, pace, rng)] * callers
    crowd += [lambda client: rate(client, timing, pace, rng)] * raters
    try:
        ready = httpx.get(f"{address.rstrip('/')}/readyz", timeout=10, verify=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise InputError(f"expected a server at {address}: {error}") from None
    if ready.status_code != 200:
        raise InputError(f"expected a server that is ready at {address}, got {ready.text.strip()[:200]}")
    before = figures(metrics) if metrics else None
    alone = read_and_written(pictures.photo) if editors + callers else None
    asyncio.run(visit(address, seconds, crowd))
    typer.echo(timing.table())
    if alone is not None:
        typer.echo(f"Pillow alone, before anybody came, reads and writes the photo in {alone:.3g} s")
    for (who, what, why), count in sorted(timing.refused.items()):
        typer.echo(f"{who}, {what}: {count} × {why}")
    if before:
        typer.echo(f"before: {before}\nafter: {figures(metrics)}")
    if not timing.seconds:
        raise InputError("nobody was answered")


def main() -> None:
    """Runs the command line; what a person did wrong is one sentence and exit code 2."""
    try:
        typer.run(run)
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
