"""Whether there is memory enough to start: asked of the kernel, before a library is imported that needs it."""

import resource
from collections.abc import Iterator
from pathlib import Path

NEEDED = 450 * 2**20  # bytes that stay resident; a server that nobody has visited has 434 MB
ADDRESSES = 1_300_000_000  # bytes of address space; with 1.0 GB the first answer fails
CGROUP = Path("/sys/fs/cgroup")


def lack_of_memory(cgroup: Path = CGROUP, meminfo: Path = Path("/proc/meminfo")) -> str | None:
    """A sentence, or None where a server can start as far as the kernel says.

    cgroup: where a container sees its own limit, version 2 or 1; meminfo: as ``/proc/meminfo``.
    """
    for bound, there, needed in _bounds(cgroup, meminfo):
        if there < needed:
            return f"expected {needed // 10**6} MB of memory to start, got {there // 10**6} MB, {bound}"
    return None


def _bounds(cgroup: Path, meminfo: Path) -> Iterator[tuple[str, int, int]]:
    """What bounds it, and the bytes that are there and that are needed."""
    addresses, _ = resource.getrlimit(resource.RLIMIT_AS)
    if addresses != resource.RLIM_INFINITY:
        yield "this process's limit on addresses", addresses, ADDRESSES
    for file in (cgroup / "memory.max", cgroup / "memory" / "memory.limit_in_bytes"):
        if file.is_file() and (text := file.read_text().strip()).isdecimal():
            yield f"the limit in {file}", int(text), NEEDED
    if meminfo.is_file():
        values = dict(line.split(":") for line in meminfo.read_text().splitlines())
        free = sum(int(values.get(name, "0 kB").split()[0]) for name in ("MemAvailable", "SwapFree")) * 1024
        yield "what this machine has free", free, NEEDED
