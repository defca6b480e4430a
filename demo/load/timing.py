"""How long visitors waited, by what they did, and what was refused."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import numpy as np
from tabulate import tabulate


class Refused(Exception):
    """An answer that is none; a visitor goes on with the next thing."""


class Timing:
    """``seconds[who, what]``: every wait that ended well; ``refused[who, what, why]``: the others."""

    def __init__(self) -> None:
        self.seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.refused: Counter[tuple[str, str, str]] = Counter()

    @contextmanager
    def waits(self, who: str, what: str) -> Iterator[None]:
        """Time a block; what fails in it is counted, and does not end the visitor."""
        begun = time.perf_counter()
        try:
            yield
        except (Refused, aiohttp.ClientError, TimeoutError) as error:
            self.refused[who, what, str(error) or type(error).__name__] += 1
        else:
            self.seconds[who, what].append(time.perf_counter() - begun)

    def table(self) -> str:
        """Markdown: every kind of wait with its count, refusals, median, 95th percentile and longest, in seconds."""
        failed = Counter()
        for (who, what, _), count in self.refused.items():
            failed[who, what] += count
        rows = []
        for key in sorted({*self.seconds, *failed}):
            told = [f"{value:.3g}" for value in np.percentile(self.seconds.get(key, [np.nan]), (50, 95, 100))]
            rows.append([*key, len(self.seconds.get(key, ())), failed[key], *told])
        heads = ["who", "what", "done", "refused", "median s", "p95 s", "longest s"]
        return tabulate(rows, heads, tablefmt="github", disable_numparse=True)


async def ask(client: aiohttp.ClientSession, method: str, path: str, **given: object) -> bytes:
    """What the server answers. Raises Refused with its status and code where that is no yes."""
    async with client.request(method, path, allow_redirects=False, **given) as answer:
        body = await answer.read()
        if 200 <= answer.status < 300:
            return body
    try:
        code = json.loads(body)["code"]
    except (ValueError, KeyError, TypeError):
        code = "no sentence"
    raise Refused(f"{answer.status} {code}")
