"""Ctrl-C during a run: the first finishes what is running, the second ends at once; what is finished is kept."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STOPPED = 130  # the exit code of a program that Ctrl-C ended
SAID = b"\nstopping: what is running is finished and kept; Ctrl-C once more ends at once\n"


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Within it Ctrl-C raises nothing: the yielded function says whether it was pressed. Only for the main thread.

    A KeyboardInterrupt could strike anywhere, in the middle of a row or of a pool's own locks, and then the pool would
    go on with the rest of the run, or wait for itself for ever. Workers end with their parent (``runner``).
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    pressed = False

    def note(*_: object) -> None:
        nonlocal pressed
        if pressed:
            os._exit(STOPPED)
        pressed = True
        os.write(2, SAID)  # not print: the signal may come in the middle of one

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)
