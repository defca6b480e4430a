"""What this process holds in memory, as Linux says it in ``/proc``; elsewhere the peak is that of its whole life."""

import resource
from pathlib import Path


def reset_peak() -> None:
    """Linux forgets the highest memory use of this process."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak_bytes() -> int:
    """The highest memory use since ``reset_peak``."""
    try:
        return _status("VmHWM")
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def held_bytes() -> int:
    """The memory in use now; OSError and IndexError where there is no ``/proc``."""
    return _status("VmRSS")


def _status(field: str) -> int:
    return int(Path("/proc/self/status").read_text().split(f"{field}:")[1].split()[0]) * 1024
