"""What a page may ask for: every event by name, what it does to the work, and the sentence where it cannot be done."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from demo.sentences import explained
from demo.studio import gallery, page_state
from demo.studio.project import Amounts
from demo.studio.prompts import Prompt
from demo.studio.saving import save
from demo.studio.visitor_session import VisitorSession
from iph.errors import InputError
from iph.placement import Placement


def handle(session: VisitorSession, event: str, data: dict, request: str) -> dict:
    """Do what an event asks, unless this very request was done before, and answer with the work as it is then.

    The answer's ``message`` is what is to be said about it, also why it could not be done; then nothing was changed.
    """
    if request not in session.outcomes:
        try:
            notes = EVENTS[event](session, data)
            outcome = {"text": " ".join(notes), "error": False} if notes else None
        except Exception as error:
            outcome = {"text": explained(error, f"the event {event!r}"), "error": True}
        session.remember(request, outcome)
    return page_state.state_of(session.project, session.pictures) | {"message": session.outcomes[request]}


def make_thumbnail(session: VisitorSession, data: dict) -> bool:
    """Make one thumbnail that is not there yet; False if there was none to make. A step of the event "thumbnails",
    so that a click need not wait for all of them."""
    return page_state.make_thumbnail(session.project, _where(data), session.pictures)


def _open(session: VisitorSession, data: dict) -> tuple[str, ...]:
    upload = session.find_upload(data.get("upload"))
    return session.project.open(data.get("kind"), upload, str(data.get("name", "photo")))


def _example(session: VisitorSession, data: dict) -> None:
    example = gallery.find(data.get("id"))
    session.project.start_over()
    for kind, placement in (("background", None), ("person", example.placement)):
        with tempfile.TemporaryDirectory(dir=session.folder) as folder:
            copy = shutil.copy(example.file(kind), folder)
            session.project.open(kind, Path(copy), example.file(kind).name, placement)


def _place(session: VisitorSession, data: dict) -> None:
    try:
        placement = Placement(**{key: data[key] for key in ("x", "y", "height", "mirrored")})
    except KeyError as missing:
        raise InputError(f"expected x, y, height and mirrored of a place, but {missing} is missing") from None
    session.project.place(placement)


def _save(session: VisitorSession, data: dict) -> None:
    session.pictures.hand_over(lambda folder: save(session.project, data.get("what"), folder))


def _restart(session: VisitorSession, data: dict) -> None:
    session.project.start_over()
    session.pictures.take_back()


def _adjust(session: VisitorSession, data: dict) -> None:
    try:
        amounts = Amounts(**{name: float(data[name]) for name in ("strength", "luminance", "chroma")})
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InputError("expected strength, luminance and chroma as numbers from 0 to 2") from None
    session.project.adjust(amounts)


def _where(data: dict) -> str:
    return "other" if data.get("where") == "other" else "photo"


EVENTS: dict[str, Callable[[VisitorSession, dict], tuple[str, ...] | None]] = {
    "open": _open,
    "example": _example,
    "place": _place,
    "prompt": lambda session, data: session.project.prompt(data.get("target"), Prompt.from_dict(data)),
    "take": lambda session, data: session.project.take(_where(data), data.get("index")),
    "auto": lambda session, data: session.project.auto(),
    "undo": lambda session, data: session.project.undo(),
    "resume": lambda session, data: None,
    "restart": _restart,
    "adjust": _adjust,
    "thumbnails": lambda session, data: None,  # made by ``make_thumbnail`` before
    "save": _save,
}
