"""What a page may ask for: every event by name, what it does to the work, and the sentence where it cannot be done."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from demo.file_names import file_name
from demo.hosting.figures import ACTION_SECONDS
from demo.sentences import explained
from demo.studio import gallery, page_state
from demo.studio.prompts import Prompt
from demo.studio.saving import save
from demo.studio.visitor_session import VisitorSession
from demo.studio.work.history import Amounts, Transfer
from demo.studio.work.next_photo import give_look
from demo.studio.work.proposals import take_everybody, take_next
from demo.studio.work.taken_recipe import take_recipe
from demo.studio.work.work_copy import bring_back
from demo.work_queue import Stopped
from iph.adjustments import RANGES, Adjustments
from iph.errors import InputError
from iph.mapping import ColorMapping
from iph.masks.edge_adjust import EdgeAdjustment
from iph.placement import Placement
from iph.recipe import Recipe

EXAMPLE = "example-"  # ids of pictures that every server has


def handle(session: VisitorSession, event: str, data: dict, request: str) -> dict:
    """Do what an event asks, unless this very request was done before, and answer with the work as it is then.

    The answer's ``message`` is what is to be said about it, also why it could not be done; then nothing was changed.
    Raises Stopped where nobody waits for it any more; asked again, it is done.
    """
    if request not in session.outcomes:
        try:
            with ACTION_SECONDS.labels(f"studio {event}").time():
                notes = EVENTS[event](session, data)
            outcome = {"text": " ".join(notes), "error": False} if notes else None
        except Stopped:
            raise
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
    return session.project.open(data.get("kind"), upload, str(data.get("name", "photo")), id=_id(data, ""))


def _example(session: VisitorSession, data: dict) -> None:
    example = gallery.find(data.get("id"))
    session.project.start_over()
    for kind, placement in (("background", None), ("person", example.placement)):
        with _from_gallery(session, example, kind) as copy:
            session.project.open(kind, copy, copy.name, placement, f"{EXAMPLE}{example.id}-{kind}")


@contextmanager
def _from_gallery(session: VisitorSession, example: gallery.Example, kind: str) -> Iterator[Path]:
    """A copy of a gallery's picture, as if it had been uploaded."""
    with tempfile.TemporaryDirectory(dir=session.folder) as folder:
        yield Path(shutil.copy(example.file(kind), folder))


def _again(session: VisitorSession, data: dict) -> None:
    """An original that the page kept is on this server again."""
    id = _id(data)
    if id.startswith(EXAMPLE):
        name, _, kind = id.removeprefix(EXAMPLE).partition("-")
        if kind not in ("background", "person"):
            raise InputError("expected a picture of the gallery")
        with _from_gallery(session, gallery.find(name), kind) as copy:
            session.project.put_on_shelf(copy, copy.name, id)
    else:
        session.project.put_on_shelf(session.find_upload(data.get("upload")), str(data.get("name", "photo")), id)


def _id(data: dict, default: str | None = None) -> str:
    """What a page calls a picture."""
    id = data.get("id", default)
    if id != default and not (isinstance(id, str) and re.fullmatch(rf"[0-9a-f]{{32}}|{EXAMPLE}[a-z-]{{1,40}}", id)):
        raise InputError("expected the id of a picture as this page makes them")
    return id


def _recipe(session: VisitorSession, data: dict) -> tuple[str, ...]:
    with _upload(session, data.get("upload"), data.get("name", "recipe.json")) as path:
        return take_recipe(session.project, Recipe.load(path), path.name)


def _next(session: VisitorSession, data: dict) -> None:
    """Another photo in the look that the page names; the work stays as it is."""
    look, mask = ColorMapping.from_dict(data.get("look")), data.get("mask")
    with ExitStack() as files:
        photo = files.enter_context(_upload(session, data.get("upload"), data.get("name", "photo")))
        who = None if mask is None else files.enter_context(_upload(session, mask, "its mask"))
        session.pictures.hand_over(lambda folder: give_look(look, photo, who, folder), "next")


@contextmanager
def _upload(session: VisitorSession, upload: object, name: object) -> Iterator[Path]:
    """An upload under the visitor's name for it, by which sentences call it. It is gone afterwards, unless nobody
    waited for what was made of it: its page may come back and ask again."""
    given = session.find_upload(upload)
    with tempfile.TemporaryDirectory(dir=session.folder) as folder:
        named = Path(folder) / file_name(str(name))
        named.hardlink_to(given)
        try:
            yield named
        except Stopped:
            raise
        except BaseException:
            given.unlink()
            raise
        given.unlink()


def _bring_back(session: VisitorSession, data: dict) -> None:
    upload = session.find_upload(data.get("upload"))
    try:
        bring_back(session.project, upload)
    finally:
        upload.unlink(missing_ok=True)


def _place(session: VisitorSession, data: dict) -> None:
    try:
        placement = Placement(
            **{key: data[key] for key in ("x", "y", "height", "mirrored")}, angle=data.get("angle", 0)
        )
    except KeyError as missing:
        raise InputError(f"expected x, y, height and mirrored of a place, but {missing} is missing") from None
    session.project.place(placement)


def _save(session: VisitorSession, data: dict) -> None:
    kind, quality = data.get("format", "own"), data.get("quality")
    if quality is not None and (isinstance(quality, bool) or not isinstance(quality, int)):
        raise InputError("expected a quality as a whole number from 1 to 100")
    session.pictures.hand_over(lambda folder: save(session.project, data.get("what"), folder, kind, quality))


def _restart(session: VisitorSession, data: dict) -> None:
    session.project.start_over()
    session.pictures.take_back()


def _adjust(session: VisitorSession, data: dict) -> None:
    session.project.adjust(Amounts(**_numbers(data, ("strength", "luminance", "chroma"))))


def _transfer(session: VisitorSession, data: dict) -> None:
    session.project.transfer(Transfer(**_numbers(data, ("r1", "r2"))))


def _correct(session: VisitorSession, data: dict) -> None:
    session.project.correct(Adjustments(**_numbers(data, tuple(RANGES))))


def _numbers(data: dict, names: tuple[str, ...]) -> dict[str, float]:
    try:
        return {name: float(data[name]) for name in names}
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InputError(f"expected {', '.join(names)} as numbers") from None


def _matched(session: VisitorSession, data: dict) -> None:
    session.project.shows_match = data.get("shown") is True


def _where(data: dict) -> str:
    return "other" if data.get("where") == "other" else "photo"


EVENTS: dict[str, Callable[[VisitorSession, dict], tuple[str, ...] | None]] = {
    "open": _open,
    "again": _again,
    "example": _example,
    "swap": lambda session, data: session.project.swap(),
    "place": _place,
    "select": lambda session, data: session.project.select(data.get("at")),
    "show": lambda session, data: session.project.show(data.get("at"), data.get("shown") is True),
    "reorder": lambda session, data: session.project.reorder(data.get("at"), data.get("to")),
    "remove": lambda session, data: session.project.remove(data.get("at")),
    "prompt": lambda session, data: session.project.prompt(data.get("target"), Prompt.from_dict(data)),
    "take": lambda session, data: session.project.take(_where(data), data.get("index")),
    "everybody": lambda session, data: take_everybody(session.project),
    "another": lambda session, data: take_next(session.project, data.get("target")),
    "auto": lambda session, data: session.project.auto(),
    "edge": lambda session, data: session.project.adjust_edge(EdgeAdjustment.from_dict(data)),
    "recipe": _recipe,
    "next": _next,
    "bring_back": _bring_back,
    "undo": lambda session, data: session.project.undo(),
    "redo": lambda session, data: session.project.redo(),
    "go": lambda session, data: session.project.go(data.get("at")),
    "resume": lambda session, data: None,
    "restart": _restart,
    "adjust": _adjust,
    "transfer": _transfer,
    "correct": _correct,
    "matched": _matched,
    "thumbnails": lambda session, data: None,  # made by ``make_thumbnail`` before
    "save": _save,
}
