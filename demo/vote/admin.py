"""The admin page of a study: live counts, pause, export, exclude raters with a reason. Behind the study's admin token.

The token travels in the address's fragment, which browsers never send, and then in a header.
"""

import hmac
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from fastapi import APIRouter, Depends, Header, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from demo.plain_routes import refusal
from demo.vote.routes import LINE, Body, StudyRoute, Text
from userstudy.votes.reading import pair_counts, rater_table
from userstudy.votes.sessions import Sessions
from userstudy.votes.tokens import ForeignToken, admin_token, anonymous_id
from userstudy.votes.transfer import export_votes

ASSETS = Path(__file__).with_name("assets")
TYPES = {"csv": "text/csv", "jsonl": "application/jsonl", "parquet": "application/vnd.apache.parquet"}


class State(Body):
    action: Literal["open", "pause", "close"]
    reason: str = Field("", max_length=500, pattern=LINE)


class Judgement(Body):
    action: Literal["exclude", "include"]
    rater: str = Field(max_length=64, pattern=LINE)
    reason: str = Field(min_length=1, max_length=500, pattern=LINE)


class Participant(Body):
    origin: Literal["prolific", "mturk"]
    participant: Text


def admin_router(sessions: Sessions) -> APIRouter:
    store, row, study = sessions.store, sessions.row, sessions.study

    def allowed(authorization: Annotated[str, Header()] = "") -> None:
        given = authorization.removeprefix("Bearer ").encode()
        # The key is read each time: once renewed, no server takes an earlier link.
        if not hmac.compare_digest(given, admin_token(row.secret, store.admin_key(row.id)).encode()):
            raise ForeignToken("this is not the study's admin token; `python -m userstudy status` tells how to get it")

    page = APIRouter(prefix="/admin")
    api = APIRouter(prefix="/api", route_class=StudyRoute, dependencies=[Depends(allowed)])

    @page.get("", response_class=HTMLResponse, include_in_schema=False)
    @page.get("/", response_class=HTMLResponse, include_in_schema=False)
    def show() -> HTMLResponse:
        parts = {name: (ASSETS / f"vote_admin.{name}").read_text(encoding="utf-8") for name in ("html", "css", "js")}
        text = parts["html"].replace("/* css */", parts["css"]).replace("/* js */", parts["js"])
        return HTMLResponse(text, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})

    @api.get("/summary")
    def summary() -> dict:
        people = rater_table(store, row)
        methods = study.methods_of(study.file.pairs) if study.file.pairs else ()
        return {
            "name": row.name,
            "title": study.file.title,
            "state": store.state(row.id),
            "seats": study.file.raters.number,
            "methods": methods,
            "wins": _wins(pair_counts(store, row), methods),
            "raters": people.astype(object).where(people.notna(), None).to_dict("records"),
        }

    @api.post("/state")
    def set_state(body: State) -> dict:
        store.set_state(row.id, body.action, body.reason)
        sessions.forget_networks()
        return {"state": store.state(row.id)}

    @api.post("/rater")
    def judge(body: Judgement) -> dict:
        change = store.exclude if body.action == "exclude" else store.include
        change(row.id, body.rater, body.reason)
        return {"excluded": store.excluded(row.id)}

    @api.post("/find")
    def find(body: Participant) -> dict:
        """The anonymous id of a panel's participant, to pay or to exclude: it is computed, not looked up."""
        return {"rater": anonymous_id(row.secret, body.origin, body.participant.strip())}

    @api.get("/export/{form}")
    def export(form: str) -> Response:
        if form not in TYPES:
            return refusal(404, "invalid", f"expected a form among {', '.join(TYPES)}, got {form}")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{row.name}.{form}"
            about = export_votes(store, row, path)
            data = path.read_bytes()
        headers = {"Content-Disposition": f'attachment; filename="{path.name}"', "X-Content-SHA256": about["sha256"]}
        return Response(data, media_type=TYPES[form], headers=headers)

    page.include_router(api)
    return page


def _wins(counts: pd.DataFrame, methods: tuple[str, ...]) -> dict:
    """``wins[i][j]``: times i was preferred to j; ``other[i][j]``: answers on that pair that prefer neither."""
    place = {name: at for at, name in enumerate(methods)}
    wins = [[0] * len(methods) for _ in methods]
    other = [[0] * len(methods) for _ in methods]
    for left, right, choice, votes in counts.itertuples(index=False):
        one, two = place[left], place[right]
        if choice in ("left", "right"):
            winner, loser = (one, two) if choice == "left" else (two, one)
            wins[winner][loser] += int(votes)
        else:
            other[one][two] += int(votes)
            other[two][one] += int(votes)
    return {"wins": wins, "other": other}
