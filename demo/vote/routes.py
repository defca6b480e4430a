"""The plain HTTP routes of the voting page: come in, vote, undo, see pictures. No queue between a vote and its row.

A vote is answered when it is on disk. Every refusal is JSON with a ``code`` for the page and a ``message`` for people.
"""

import re
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from demo.hosting.figures import VOTES
from demo.plain_routes import PlainRoute, refusal
from demo.rate_limit import RateLimit
from demo.sentences import without_places
from demo.vote.pictures import ReadyPictures
from userstudy.design.pictures import picture_id
from userstudy.errors import InputError
from userstudy.votes.refusal import Refused
from userstudy.votes.seats import network_of
from userstudy.votes.sessions import Progress, Sessions
from userstudy.votes.tokens import ForeignToken, rater_of

STATUS = {
    **{"busy": 429, "paused": 403, "closed": 403, "full": 403, "crowded": 403, "screen": 403, "session": 403},
    **{"conflict": 409, "invalid": 422},
}
LINE = r"^[^\x00-\x1f\x7f]*$"  # no control characters: a database may refuse them, a log should not hold them
Text = Annotated[str, Field(min_length=1, max_length=128, pattern=LINE)]
RequestId = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]*$")]
Rank = Annotated[int, Field(ge=1, le=64)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Brightness(Body):
    """How many squares the brightness check showed, and how many the rater counted."""

    shown: int = Field(ge=0, le=99)
    counted: int = Field(ge=0, le=99)


class Device(Body):
    """What the votes were given on. Deliberately nothing that could point to a person."""

    width: int = Field(ge=1, le=100_000)
    height: int = Field(ge=1, le=100_000)
    ratio: float = Field(1, gt=0, le=20)
    touch: bool = False
    dark: bool = False
    brightness: Brightness | None = None


class Enter(Body):
    consent: Literal[True]
    origin: Literal["link", "prolific", "mturk"] = "link"
    participant: Text | None = None
    session: Text | None = None
    device: Device


class Vote(Body):
    request_id: RequestId
    trial: int = Field(ge=0, lt=100_000)
    choice: Annotated[str, Field(max_length=8)]
    seconds: float = Field(ge=0, lt=86_400)
    ranks: Annotated[list[Rank | None], Field(max_length=64)] | None = None


class Undo(Body):
    request_id: RequestId


class StudyRoute(PlainRoute):
    """Answers what the study refuses, and a store that cannot write."""

    body_limit = 16_384

    def explain(self, error: Exception) -> Response:
        if isinstance(error, Refused):
            return refusal(STATUS[error.code], error.code, str(error), error.seconds)
        if isinstance(error, ForeignToken):
            return refusal(401, "token", str(error))
        if isinstance(error, InputError):
            return refusal(422, "invalid", without_places(error))
        if isinstance(error, sa.exc.OperationalError | sa.exc.TimeoutError):  # disk full, database away, too busy
            return refusal(503, "store", "this cannot be saved at the moment; it is kept here and sent again", 5)
        return super().explain(error)


def study_router(sessions: Sessions, votes: RateLimit | None = None, entries: RateLimit | None = None) -> APIRouter:
    """The routes of one study. ``votes`` limits each rater, ``entries`` each client address (kept in memory only)."""
    router = APIRouter(prefix="/api", route_class=StudyRoute)
    study, secret = sessions.study, sessions.row.secret
    votes, entries = votes or RateLimit(rate=2, burst=40), entries or RateLimit(rate=1, burst=100)
    pictures = ReadyPictures({picture_id(secret, *key): path for key, path in study.pictures.items()})
    page = _page(sessions)

    def answer(progress: Progress, **more: object) -> dict:
        upcoming = [_trial(sessions, row) for row in progress.upcoming]
        facts = dict(done=progress.done, total=progress.total, outcome=progress.outcome, can_undo=progress.can_undo)
        code = getattr(study.file.completion, progress.outcome) if progress.outcome else None
        return more | facts | {"upcoming": upcoming, "completion": code}

    def take_turn(limit: RateLimit, who: str) -> None:
        if wait := limit.wait(who):
            raise Refused("busy", "too many requests at once", wait)

    def rater_token(authorization: str) -> str:
        token = authorization.removeprefix("Bearer ")
        take_turn(votes, rater_of(secret, token))  # only true tokens are remembered, by the short name in them
        return token

    @router.get("/study")
    def describe() -> dict:
        return page | {"state": sessions.store.state(sessions.row.id)}

    @router.post("/enter")
    def enter(body: Enter, request: Request) -> dict:
        address = request.client.host if request.client else None
        take_turn(entries, network_of(address) or "")
        gate = study.file.raters
        if body.device.width < gate.min_width or body.device.height < gate.min_height:
            raise Refused("screen", f"the window must be at least {gate.min_width} by {gate.min_height}")
        given = dict(panel_session=body.session, address=address)
        token = sessions.enter(body.origin, body.participant, body.device.model_dump(), **given)
        return answer(sessions.progress(token), token=token)

    @router.get("/progress")
    def progress(authorization: Annotated[str, Header()] = "") -> dict:
        return answer(sessions.progress(rater_token(authorization)))

    @router.post("/vote")
    def vote(body: Vote, authorization: Annotated[str, Header()] = "") -> dict:
        token = rater_token(authorization)
        progress = sessions.vote(token, body.request_id, body.trial, body.choice, body.seconds, body.ranks)
        VOTES.inc()
        return answer(progress)

    @router.post("/undo")
    def undo(body: Undo, authorization: Annotated[str, Header()] = "") -> dict:
        return answer(sessions.undo(rater_token(authorization), body.request_id))

    @router.get("/picture/{name}.png")
    async def picture(
        name: str,
    ) -> Response:  # async: it must not wait for a thread behind votes that wait for the disk
        if name not in pictures.files:
            return refusal(404, "invalid", "there is no such picture")
        data = pictures.ready(name) or await run_in_threadpool(pictures.load, name)
        headers = {"Cache-Control": "private, max-age=604800, immutable", "X-Content-Type-Options": "nosniff"}
        return Response(data, media_type="image/png", headers=headers)

    return router


def _page(sessions: Sessions) -> dict:
    """What the page needs to know of the study; never a code that has to be earned."""
    file = sessions.study.file
    return {
        "name": file.name,
        "title": file.title,
        "consent": _paragraphs(file.consent),
        "instructions": _paragraphs(file.instructions),
        "pairs": file.pairs and {"question": file.pairs.question, "answers": file.pairs.answers},
        "ranking": file.ranking and {"question": file.ranking.question, "ranks": file.ranking.ranks},
        "gate": file.raters.model_dump(include={"min_seconds", "min_width", "min_height", "brightness_check"}),
        "codes": file.completion.model_dump(include={"no_consent", "screened_out"}),
        "redirect": file.completion.redirect,
    }


def _paragraphs(text: str) -> str:
    """Lines that the study file breaks for its own width become one; blank lines part paragraphs."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))


def _trial(sessions: Sessions, row: sa.Row) -> dict:
    """A trial as the rater may see it: positions and opaque picture names, no kind, item or method."""
    secret, study = sessions.row.secret, sessions.study
    part = study.file.pairs if row.task == "pair" else study.file.ranking
    note = None
    if row.kind == "attention":
        note = f"To show that you are reading: choose picture {'A' if row.expected == 'left' else 'B'} here."
    return {
        "trial": row.trial,
        "task": row.task,
        "pictures": [picture_id(secret, row.item, method) for method in row.shown],
        "composite": picture_id(secret, row.item, study.composite) if part.show_composite else None,
        "note": note,
    }
