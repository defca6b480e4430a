"""What a call costs: its peak memory and its time, in a process of its own that is ended when it takes too long."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from pathlib import Path

from iph.errors import InputError

SECONDS = 30


def cost(call: Callable, *arguments: object) -> tuple[str, float, float]:
    """The sentence of its InputError ("" where it succeeded), megabytes above what was held before, CPU seconds."""
    context = multiprocessing.get_context("fork")  # the arguments need no pickling
    answers, answer = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(answer, call, *arguments))
    process.start()
    answer.close()
    try:
        assert answers.poll(SECONDS), f"{call.__name__} took more than {SECONDS} seconds"
        result = answers.recv()
    except EOFError:
        raise AssertionError(f"{call.__name__} died, of memory most likely") from None
    finally:
        process.kill()
        process.join()
    assert not isinstance(result, BaseException), repr(result)
    return result


def _measure(answer, call: Callable, *arguments: object) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    Path("/proc/self/clear_refs").write_text("5")
    held, start = _status("VmRSS"), time.process_time()
    try:
        call(*arguments)
        sentence = ""
    except InputError as error:
        sentence = str(error)
    except BaseException as error:
        answer.send(AssertionError(f"{type(error).__name__}: {str(error)[:200]}"))
        return
    answer.send((sentence, (_status("VmHWM") - held) / 1024, time.process_time() - start))


def _status(field: str) -> int:
    return int(Path("/proc/self/status").read_text().split(f"{field}:")[1].split()[0])
