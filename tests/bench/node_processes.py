"""Processes that stand for machines: killed with all that they started, and waited for, but not for ever."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable

SECONDS = 240


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def stop(process: subprocess.Popen) -> None:
    """SIGKILL to it and to all that it started, whatever session that is in."""
    for found in _with_descendants(process.pid):
        try:
            os.kill(found, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()


def _with_descendants(pid: int) -> list[int]:
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    return [pid, *(below for child in children for below in _with_descendants(int(child)))]


def until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.2)
