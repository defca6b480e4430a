"""The studio's front desk: whose project an event belongs to, what it asks for, and the sentence if it cannot be done.

Projects are kept by Gradio's session hash, one a loaded page; they go some minutes after the page did, when nobody
touched them for an hour, or when there are too many. Until then a reloaded page finds its own again by its key.
"""

import logging
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from demo.studio import gallery, page_state
from demo.studio.project import Amounts, Project
from demo.studio.prompts import Mark
from demo.studio.saving import save
from demo.studio.served_pictures import Pictures
from iph.errors import InputError
from iph.placement import Placement

log = logging.getLogger(__name__)

MOST = 60
IDLE_SECONDS = 3600
LEFT_SECONDS = 600
GONE = (
    "these pictures are no longer on the server, which deletes them when their page was left for ten minutes or not"
    " touched for an hour, and when it restarts"
)
ELSEWHERE = "these pictures are open on another page, this one starts anew"
OUR_FAULT = "Something went wrong on the server, nothing was changed: please try again."


@dataclass
class Seat:
    """One visitor's project and the pictures shown of it."""

    project: Project = field(default_factory=Project)
    pictures: Pictures = field(default_factory=Pictures)
    key: str = field(default_factory=lambda: secrets.token_urlsafe(16))  # known to its page alone
    touched: float = 0.0
    left: float | None = None  # when its page was, None while it is open

    def close(self) -> None:
        self.project.close()
        self.pictures.close()


class Desk:
    """All open projects. ``handle`` is what every event of the page calls."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.seats: OrderedDict[str, Seat] = OrderedDict()
        self.clock = clock
        self._lock = threading.Lock()

    def seat(self, session: str) -> Seat:
        """The seat of a session, a new one if need be; what is too old or too much is closed on the way."""
        with self._lock:
            seat = self.seats.pop(session, None) or Seat()
            seat.touched, seat.left = self.clock(), None
            self.seats[session] = seat
        self.sweep()
        return seat

    def resume(self, session: str, key: str) -> str | None:
        """Give a reloaded page the seat that it had, or return why it cannot have it."""
        for _ in range(150):  # the old page's end may be heard of only after the new page asks
            with self._lock:
                old = next((name for name, seat in self.seats.items() if seat.key == key), None)
                if old is None:
                    return GONE
                if self.seats[old].left is not None:
                    self.seats[session] = self.seats.pop(old)
                    return None
            time.sleep(0.02)
        return ELSEWHERE

    def leave(self, session: str) -> None:
        """The page was left: delete what belongs to it, but work only when it was not back in time."""
        with self._lock:
            if session not in self.seats:
                return
            self.seats[session].left = self.clock()
        self.sweep()
        later = threading.Timer(LEFT_SECONDS, self.sweep)
        later.daemon = True
        later.start()

    def sweep(self) -> None:
        """Close what was left, what nobody touched for long, and the oldest if there are too many."""
        with self._lock:
            now = self.clock()
            gone = [name for name, seat in self.seats.items() if _is_over(seat, now)]
            gone += [name for name in list(self.seats)[: max(0, len(self.seats) - MOST)] if name not in gone]
            closed = [self.seats.pop(name) for name in gone]
        for seat in closed:
            seat.close()

    def close(self) -> None:
        """Delete everything."""
        with self._lock:
            closed = list(self.seats.values())
            self.seats.clear()
        for seat in closed:
            seat.close()

    def handle(self, event: str, session: str, data: dict) -> dict:
        """Do what an event asks, and answer with the project as it is then; a failure is a sentence in the answer."""
        key = str(data.get("seat") or "")
        lost = self.resume(session, key) if key and session not in self.seats else None
        seat = self.seat(session)
        more = {"message": None}
        try:
            if lost is not None:
                raise InputError(lost)
            if event == "thumbnails":  # takes the lock by itself, for a moment at a time
                page_state.make_thumbnails(seat.project, _where(data), seat.pictures)
            with seat.project.lock:
                more |= DO[event](seat, data) or {}
        except InputError as error:
            more["message"] = {"text": sentence(str(error)), "error": True}
        except Exception:
            log.exception("the event %r failed", event)
            more["message"] = {"text": OUR_FAULT, "error": True}
        with seat.project.lock:
            # The file goes with every answer until the next: one may overtake that which brings it.
            return page_state.answer(seat.project, seat.pictures, seat=seat.key, file=seat.pictures.handed, **more)


def _is_over(seat: Seat, now: float) -> bool:
    if seat.left is not None and (not seat.project.pictures or now - seat.left >= LEFT_SECONDS):
        return True
    return now - seat.touched > IDLE_SECONDS


def sentence(text: str) -> str:
    """An error's text with a capital and a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def uploaded(path: str) -> Path:
    """The upload at a path that a browser named. Raises InputError if it is not one, so that no other file is read."""
    folder = Path(get_upload_folder()).resolve()
    file = Path(path)
    for _ in range(100):  # Gradio answers an upload before the file has been moved to its place
        if file.is_file():
            break
        time.sleep(0.02)
    file = file.resolve()
    if not file.is_file() or file.parent.parent != folder or not re.fullmatch(r"[0-9a-f]{16,}", file.parent.name):
        raise InputError("expected a file that was just uploaded, but it is not there any more: please upload it again")
    return file


def _open(seat: Seat, data: dict) -> dict:
    notes = seat.project.open(data.get("kind"), uploaded(str(data.get("path"))), str(data.get("name", "photo")))
    return {"message": {"text": " ".join(notes), "error": False}} if notes else {}


def _example(seat: Seat, data: dict) -> None:
    example = gallery.find(data.get("id"))
    seat.project.start_over()
    for kind, placement in (("background", None), ("person", example.placement)):
        with tempfile.TemporaryDirectory() as folder:
            copy = shutil.copy(example.file(kind), folder)
            seat.project.open(kind, Path(copy), example.file(kind).name, placement)


def _place(seat: Seat, data: dict) -> None:
    try:
        placement = Placement(**{key: data[key] for key in ("x", "y", "height", "mirrored")})
    except KeyError as missing:
        raise InputError(f"expected x, y, height and mirrored of a place, but {missing} is missing") from None
    seat.project.place(placement)


def _save(seat: Seat, data: dict) -> None:
    seat.pictures.hand_over(lambda folder: save(seat.project, data.get("what"), folder))


def _restart(seat: Seat, data: dict) -> None:
    seat.project.start_over()
    seat.pictures.take_back()


def _adjust(seat: Seat, data: dict) -> None:
    try:
        amounts = Amounts(**{name: float(data[name]) for name in ("strength", "luminance", "chroma")})
    except (KeyError, TypeError, ValueError):
        raise InputError("expected strength, luminance and chroma as numbers from 0 to 2") from None
    seat.project.adjust(amounts)


def _where(data: dict) -> str:
    return "other" if data.get("where") == "other" else "photo"


DO: dict[str, Callable[[Seat, dict], dict | None]] = {
    "open": _open,
    "example": _example,
    "place": _place,
    "mark": lambda seat, data: seat.project.mark(data.get("target"), Mark.from_dict(data)),
    "take": lambda seat, data: seat.project.take(_where(data), data.get("index")),
    "auto": lambda seat, data: seat.project.auto(),
    "undo": lambda seat, data: seat.project.undo(),
    "resume": lambda seat, data: None,
    "restart": _restart,
    "adjust": _adjust,
    "thumbnails": lambda seat, data: None,
    "save": _save,
}


def listener(desk: Desk, event: str) -> Callable:
    """The function that Gradio calls for an event of the stage."""

    def handle(request: gr.Request, happened: gr.EventData) -> dict:
        data = happened._data
        return desk.handle(event, request.session_hash or "", data if isinstance(data, dict) else {})

    return handle
