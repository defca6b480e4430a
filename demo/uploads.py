"""An upload on its way to the disk: measured while it comes, and gone if it is too large, too slow or cut off."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import anyio

from demo.plain_routes import Refusal

MAX_PIXELS = 60_000_000  # of a picture that a visitor gives
MAX_BYTES = 64 << 20  # of its file; one of 16 bits may be as large as its pixels
MAX_UPLOAD = MAX_PIXELS * 3 * 2 + (1 << 20)  # which is known only when it is read
SLOWEST = 30  # seconds without a byte


async def receive(chunks: AsyncIterator[bytes], path: Path, most: int) -> None:
    """Write what comes to a new file. Raises Refusal at more than ``most`` bytes, nothing, or too long a pause; then,
    and if the sender goes away, the file is deleted."""
    size = 0
    try:
        async with await anyio.open_file(path, "xb") as file:
            while True:
                async with asyncio.timeout(SLOWEST):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    break
                size += len(chunk)
                if size > most:
                    raise too_large(most)
                await file.write(chunk)
        if not size:
            raise Refusal(422, "invalid", "Expected a picture, got an empty file.")
    except TimeoutError:
        path.unlink(missing_ok=True)
        raise Refusal(408, "slow", "The upload stopped on its way: please try again.", 1) from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def too_large(most: int) -> Refusal:
    return Refusal(413, "large", f"Expected a file of at most {most >> 20} MB, got a larger one.")
