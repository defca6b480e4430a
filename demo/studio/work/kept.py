"""What was costly to make, such as a decoded photo, kept for all visitors together, up to so many bytes.

A thing is found by the very objects it was made of, and forgotten with them: nothing outlives the work it belongs to.
"""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T")
MOST_BYTES = 768 << 20  # two photos of 24 megapixels, halved, with their masks, several times over


@dataclass(frozen=True, eq=False)
class _Entry:
    thing: object
    size: int


class Kept:
    """The latest first. For several threads."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most = most
        self._entries: OrderedDict[tuple, _Entry] = OrderedDict()
        self._watched: set[int] = set()
        self._lock = threading.RLock()  # an object may end, and be forgotten, while the lock is held

    def get(self, name: str, make: Callable[[], T], size_of: Callable[[T], int], *made_of: object) -> T:
        """The thing of that name that was made of these objects, or else a new one, whose size is ``size_of`` it."""
        key = (name, *map(id, made_of))
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key].thing
        thing = make()
        self.put(name, thing, size_of(thing), *made_of)
        return thing

    def put(self, name: str, thing: object, size: int, *made_of: object) -> None:
        """Keep a thing as long as there is room and all that it was made of is there."""
        with self._lock:
            for one in made_of:
                if id(one) not in self._watched:
                    self._watched.add(id(one))
                    weakref.finalize(one, self._forget, id(one)).atexit = False
            self._entries[(name, *map(id, made_of))] = _Entry(thing, size)
            while sum(entry.size for entry in self._entries.values()) > self.most:
                self._entries.popitem(last=False)

    def _forget(self, gone: int) -> None:
        with self._lock:
            self._watched.discard(gone)
            for key in [key for key in self._entries if gone in key[1:]]:
                del self._entries[key]


def bytes_of(array: np.ndarray) -> int:
    """The size of an array that nobody else holds."""
    return array.nbytes


KEPT = Kept()
