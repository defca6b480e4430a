"""The pictures of a study, ready to send: stripped of metadata once, then kept in memory up to a limit."""

import threading
from collections import OrderedDict
from pathlib import Path

from userstudy.design.pictures import neutral_png

MEMORY = 256 * 1024 * 1024


class ReadyPictures:
    """Bytes by opaque name. ``ready`` never touches the disk, so the event loop may call it; ``load`` does."""

    def __init__(self, files: dict[str, Path], limit: int = MEMORY):
        self.files, self.limit = files, limit
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def ready(self, name: str) -> bytes | None:
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def load(self, name: str) -> bytes:
        data = neutral_png(self.files[name])
        with self._lock:
            self._size += len(data) - len(self._kept.pop(name, b""))
            self._kept[name] = data
            while self._size > self.limit and len(self._kept) > 1:
                self._size -= len(self._kept.popitem(last=False)[1])
        return data
