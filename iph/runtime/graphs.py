"""The shipped networks in ONNX Runtime, without torch: ``iph/weights/*.onnx``, made by ``python -m iph export``."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from iph.errors import InputError
from iph.runtime import shipped

Function = Callable[..., tuple[np.ndarray, ...]]  # of a network's inputs, float32 by name


@dataclass(frozen=True)
class Graph:
    """A shipped network, called with its inputs by name, float32; returns its outputs.

    It is read when it is first called, and any thread may call it. ``rearranged``: for this processor when it is read,
    which makes convolutions twice as quick; a network of many small steps gains nothing by it, and is read in half the
    time without. Raises InputError for a file that is missing or was altered.
    """

    name: str
    rearranged: bool = True

    def check(self) -> None:
        """Raise InputError now if it could not be called; it takes no memory before it is."""
        _onnxruntime()
        _content(self.name)

    def __call__(self, **inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(_session(self, os.getpid()).run(None, inputs))


@cache
def _session(graph: Graph, process: int) -> object:
    """The ``onnxruntime.InferenceSession`` of a process: a forked one would wait for threads that it has not."""
    onnxruntime = _onnxruntime()
    content = _content(graph.name)
    options = onnxruntime.SessionOptions()
    # Said outright: unless it is, threads are pinned by the host's processors, which a container may not have all of.
    options.intra_op_num_threads, options.inter_op_num_threads = threads(), 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # an idle server burns no processor
    if not graph.rearranged:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.enable_cpu_mem_arena = False  # which would keep the most that any picture ever took
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _content(name: str) -> bytes:
    """The file of a network, as it was shipped. Raises InputError where it is missing or was altered."""
    path = shipped.FOLDER / f"{name}.onnx"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"expected a network at {path}, but: {error.strerror}; reinstall") from None
    shipped.verify(path.name, hashlib.sha256(content).hexdigest())
    return content


def threads() -> int:
    """As many as OMP_NUM_THREADS says, as in torch; else as many processors as this process may use."""
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if asked.isdecimal() and int(asked):
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _onnxruntime() -> object:
    try:
        import onnxruntime  # here, because reading a mask needs no network
    except ModuleNotFoundError:
        raise InputError(
            "expected the package onnxruntime, which the networks run on, found it not; run: pip install '.[onnx]'"
        ) from None
    return onnxruntime
