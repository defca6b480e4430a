"""The plain routes of the studio's page: take a session, upload a file, do an event, see a picture, leave.

A session is opened by its name, in the address, and its key, in a header that a page of another site cannot send. Every
event carries an id of its own: asked again, because its answer was lost, it is answered again but not done again. The
answer is the page's whole state with a ``turn`` that grows, so that an old one never overtakes a newer one.
"""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from demo.plain_routes import PlainRoute, Refusal
from demo.rate_limit import UPLOAD_COST
from demo.studio import gallery
from demo.studio.events import EVENTS, handle, make_thumbnail
from demo.studio.limits import Limits
from demo.studio.session_store import SessionStore
from demo.studio.visitor_session import VisitorSession
from demo.studio.work import full_size
from demo.studio.work.full_size import Window, to_png
from demo.studio.work.work_copy import copy_of
from demo.uploads import MAX_UPLOAD, receive, too_large
from iph.errors import InputError

LOOK_COST = 0.5  # of a request: a hand that zooms asks often
WRITING = ("open", "again", "example", "save", "next")  # events that take room on the disk for long
PICTURE = {"Cache-Control": "private, max-age=3600, immutable", "X-Content-Type-Options": "nosniff"}
KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
Id = Annotated[str, Field(pattern=r"^[0-9a-f]{24,64}$")]
Side = Annotated[int, Field(ge=0, lt=1 << 20)]
Key = Annotated[str, Header(alias="X-Session-Key", max_length=64)]


class Event(BaseModel):
    model_config = ConfigDict(extra="forbid")
    request: Id
    page: Id
    event: Literal[tuple(EVENTS)]
    data: dict = {}


class Crop(BaseModel):
    model_config = ConfigDict(extra="forbid")
    view: Literal[full_size.VIEWS]
    x: Side
    y: Side
    width: Side
    height: Side
    wanted: Side


def studio_router(store: SessionStore, limits: Limits) -> APIRouter:
    """store: the sessions; limits: what one client may take."""
    router = APIRouter(prefix="/studio", route_class=PlainRoute)

    def client_of(request: Request, cost: float = 1) -> str:
        """Who asks, counted. Raises Refusal where they ask too much."""
        client = request.client.host if request.client else ""
        limits.requests.count(client, cost)
        return client

    @router.post("/session", status_code=201)
    def take(request: Request) -> dict:
        session = store.take(client_of(request))
        return {"session": session.name, "key": session.key}

    @router.put("/session/{name}/upload", status_code=201)
    async def upload(name: str, request: Request, key: Key = "") -> dict:
        client = client_of(request, UPLOAD_COST)
        length = request.headers.get("content-length", "")
        size = int(length) if length.isdecimal() else MAX_UPLOAD
        if size > MAX_UPLOAD:
            raise too_large(MAX_UPLOAD)
        with store.using(name, key) as session, limits.uploads.take(client), limits.space.reserved(client, size):
            path = session.new_upload()
            await receive(request.stream(), path, MAX_UPLOAD)
        return {"upload": path.name}

    @router.post("/session/{name}/event")
    async def event(name: str, asked: Event, request: Request, key: Key = "") -> Response:
        client = client_of(request)

        async def do() -> dict:  # it may outlive the request, and keeps its place and the session until it ends
            takes_over = asked.event == "resume"
            with limits.page.places.take(client), store.using(name, key, asked.page, takes_over) as session:
                if asked.event in WRITING:
                    limits.space.check(client)
                if asked.event == "thumbnails":
                    while await in_turn(session, partial(make_thumbnail, session, asked.data)):
                        pass
                return await in_turn(session, partial(handle, session, asked.event, asked.data, asked.request))

        return JSONResponse(await limits.page.answer(do(), request.receive()))

    async def in_turn(session: VisitorSession, step: Callable) -> object:
        async with session.order:  # before a thread is asked for, so that nobody waits in one
            return await limits.page.run(step)

    @router.get("/session/{name}/crop")
    async def crop(name: str, request: Request, asked: Annotated[Crop, Query()], key: Key = "") -> Response:
        """True pixels of a window of the work, as a PNG picture."""
        client = client_of(request, LOOK_COST)
        await request.body()  # so that what comes next is the caller leaving
        window = Window(asked.x, asked.y, asked.width, asked.height, asked.wanted)

        async def do() -> bytes:
            with limits.page.places.take(client), store.using(name, key) as session:
                return await in_turn(session, lambda: to_png(full_size.crop(session.project, asked.view, window)))

        try:
            png = await limits.page.answer(do(), request.receive())
        except InputError as error:
            raise Refusal(422, "invalid", f"The picture could not be shown closely: {error}.") from None
        return Response(png, media_type="image/png", headers=KEPT)

    @router.get("/session/{name}/work")
    async def work(name: str, request: Request, key: Key = "") -> Response:
        """The history of the work, for the browser to keep."""
        client = client_of(request, LOOK_COST)
        await request.body()

        async def do() -> dict:
            with limits.page.places.take(client), store.using(name, key) as session:
                return await in_turn(session, lambda: copy_of(session.project))

        return JSONResponse(await limits.page.answer(do(), request.receive()), headers=KEPT)

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
