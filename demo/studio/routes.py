"""The plain routes of the studio's page: take a session, upload a file, do an event, see a picture, leave.

A session is opened by its name, in the address, and its key, in a header that a page of another site cannot send. Every
event carries an id of its own: asked again, because its answer was lost, it is answered again but not done again. The
answer is the page's whole state with a ``turn`` that grows, so that an old one never overtakes a newer one.
"""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from math import ceil
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from demo.plain_routes import PlainRoute, Refusal
from demo.rate_limit import RateLimit
from demo.studio import gallery
from demo.studio.events import EVENTS, handle, make_thumbnail
from demo.studio.session_store import SessionStore
from demo.studio.uploaded_picture import MAX_BYTES
from demo.studio.uploads import receive, too_large
from demo.studio.visitor_session import VisitorSession
from demo.work_queue import WorkQueue

UPLOAD_COST = 4  # requests
PICTURE = {"Cache-Control": "private, max-age=3600, immutable", "X-Content-Type-Options": "nosniff"}
KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
Id = Annotated[str, Field(pattern=r"^[0-9a-f]{24,64}$")]
Key = Annotated[str, Header(alias="X-Session-Key", max_length=64)]


class Event(BaseModel):
    model_config = ConfigDict(extra="forbid")
    request: Id
    page: Id
    event: Literal[tuple(EVENTS)]
    data: dict = {}


def studio_router(store: SessionStore, work: WorkQueue, limit: RateLimit) -> APIRouter:
    """store: the sessions; work: where events are done; limit: how much one client may ask."""
    router = APIRouter(prefix="/studio", route_class=PlainRoute)

    def client_of(request: Request, cost: float = 1) -> str:
        """Who asks, counted. Raises Refusal where they ask too much."""
        client = request.client.host if request.client else ""
        if wait := limit.wait(client, cost):
            raise Refusal(429, "busy", f"Too many requests from this address: please wait {ceil(wait)} seconds.", wait)
        return client

    @router.post("/session", status_code=201)
    def take(request: Request) -> dict:
        session = store.take(client_of(request))
        return {"session": session.name, "key": session.key}

    @router.put("/session/{name}/upload", status_code=201)
    async def upload(name: str, request: Request, key: Key = "") -> dict:
        client_of(request, UPLOAD_COST)
        with store.using(name, key) as session:
            length = request.headers.get("content-length", "")
            if length.isdecimal() and int(length) > MAX_BYTES:
                raise too_large(MAX_BYTES)
            path = session.new_upload()
            await receive(request.stream(), path, MAX_BYTES)
        return {"upload": path.name}

    @router.post("/session/{name}/event")
    async def event(name: str, asked: Event, request: Request, key: Key = "") -> Response:
        client = client_of(request)

        async def do() -> dict:  # it may outlive the request, and keeps its place and the session until it ends
            takes_over = asked.event == "resume"
            with work.place(client), store.using(name, key, asked.page, takes_over) as session:
                if asked.event == "thumbnails":
                    while await in_turn(session, partial(make_thumbnail, session, asked.data)):
                        pass
                return await in_turn(session, partial(handle, session, asked.event, asked.data, asked.request))

        return JSONResponse(await work.answer(do(), request.receive()))

    async def in_turn(session: VisitorSession, step: Callable) -> object:
        async with session.order:  # before a thread is asked for, so that nobody waits in one
            return await work.run(step)

    @router.post("/session/{name}/leave", status_code=204)
    async def leave(name: str, request: Request) -> None:
        try:  # a beacon has no headers and calls its JSON plain text
            said = json.loads(await request.body())
            key, page = str(said["key"]), str(said["page"])
        except (ValueError, TypeError, KeyError, RecursionError):
            raise Refusal(422, "invalid", "expected the key and the page") from None
        await asyncio.to_thread(store.leave, name, key, page)

    @router.get("/file/{folder}/{name}")
    def file(folder: str, name: str) -> Response:
        path, kept_as = store.picture(folder, name) or (None, None)
        if path is None or not path.is_file():
            raise Refusal(404, "gone", "This picture is no longer on the server.")
        return FileResponse(path, filename=kept_as, headers=PICTURE if kept_as is None else KEPT)

    @router.get("/card/{name}.jpg")
    def card(name: str) -> Response:
        """A ready composite of the gallery, in small."""
        example = next((one for one in gallery.EXAMPLES if one.id == name), None)
        if example is None:
            raise Refusal(404, "gone", "There is no such example.")
        return FileResponse(example.file("card"), headers={"Cache-Control": "max-age=3600"})

    return router
