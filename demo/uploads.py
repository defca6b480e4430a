"""An upload on its way to the disk: measured while it comes, and gone if it is too large or cut off. How slow it may be
is the gate's affair."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio

from demo.plain_routes import Refusal

MAX_PIXELS = 61_000_000  # of a picture that a visitor gives: what the largest sensors of that name, "60 MP", give
MAX_BYTES = 64 << 20  # of its file; one of 16 bits may be as large as its pixels
MAX_UPLOAD = MAX_PIXELS * 3 * 2 + (1 << 20)  # which is known only when it is read
MAX_CALL = 2 * MAX_BYTES  # of MCP, where files come as base64 inside JSON: a photo and its mask


async def receive(chunks: AsyncIterator[bytes], path: Path, most: int) -> None:
    """Write what comes to a new file. Raises Refusal at more than ``most`` bytes or nothing; then, and if the sender
    goes away, the file is deleted."""
    size = 0
    try:
        async with await anyio.open_file(path, "xb") as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > most:
                    raise too_large(most)
                await file.write(chunk)
        if not size:
            raise Refusal(422, "invalid", "Expected a picture, got an empty file.")
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def too_large(most: int) -> Refusal:
    return Refusal(413, "large", f"Expected a file of at most {most >> 20} MB, got a larger one.")
