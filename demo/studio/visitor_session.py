"""One visitor's session: the key that opens it, the files they gave, the work they do and the pictures shown of it."""

import asyncio
import re
import secrets
import tempfile
from collections import OrderedDict
from pathlib import Path

from demo.studio.project import Project
from demo.studio.served_pictures import ServedPictures
from demo.visitor_folders import OwnFolder
from iph.errors import InputError

UPLOADS = 6  # that wait to be opened; the page sends them one or two at a time
OUTCOMES = 50  # requests whose repetition is recognized


class VisitorSession:
    """``name`` and ``key`` are known to its page alone; ``client`` is the address that took it. ``order`` is held by
    whoever changes the work. ``outcomes`` holds what the latest requests came to, by their ids.
    """

    def __init__(self, client: str) -> None:
        self.name, self.key = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        self.client = client
        self._own = OwnFolder(Path(tempfile.gettempdir()))
        self.folder = self._own.path
        originals, pictures, self._uploads = (self.folder / name for name in ("originals", "pictures", "uploads"))
        for folder in (originals, pictures, self._uploads):
            folder.mkdir()
        self.project, self.pictures = Project(originals), ServedPictures(pictures)
        self.order = asyncio.Lock()
        self.outcomes: OrderedDict[str, dict | None] = OrderedDict()
        self.page: str | None = None  # which of a browser's pages has it
        self.touched = 0.0
        self.left: float | None = None  # when its page was, None while it is open
        self.users = 0  # requests that are being done

    @property
    def is_empty(self) -> bool:
        """Nothing would be lost with it."""
        return not self.project.pictures and not any(self._uploads.iterdir())

    def new_upload(self) -> Path:
        """Where the next upload goes; its name is unguessable. What nobody opened for long makes room."""
        for old in sorted(self._uploads.iterdir(), key=lambda file: file.stat().st_mtime)[: 1 - UPLOADS]:
            old.unlink(missing_ok=True)
        return self._uploads / secrets.token_hex(16)

    def find_upload(self, name: object) -> Path:
        """The upload of that name. Raises InputError if there is none."""
        file = self._uploads / name if isinstance(name, str) and re.fullmatch(r"[0-9a-f]{32}", name) else None
        if file is None or not file.is_file():
            raise InputError(
                "expected a file that was just uploaded, but it is not there any more: please upload it again"
            )
        return file

    def remember(self, request: str, outcome: dict | None) -> None:
        """What a request came to, so that it is not done twice."""
        self.outcomes[request] = outcome
        while len(self.outcomes) > OUTCOMES:
            self.outcomes.popitem(last=False)

    def close(self) -> None:
        """Delete all of it."""
        self._own.close()
