"""One editor, one caller of the API, one rater: what each does, with the pauses of people."""

import asyncio
import json
import random
import secrets
import time

import httpx

from demo.load.pictures import Pictures
from demo.load.timing import Refused, Timing, checked

AMOUNTS = (1,) * 5 + (0,) * 8  # of /harmonize: the look whole, nothing by hand
REGIONS = ([0.02, 0.1, 0.3, 0.6], [0.05, 0.5, 0.25, 0.95], [0.8, 0.05, 0.98, 0.4])


async def edit(client: httpx.AsyncClient, pictures: Pictures, timing: Timing, pace: float, rng: random.Random) -> None:
    """One editor's visit: a photo and a person, three references, sliders, a close look, the download."""
    who, taken = "editor", {}

    async def think(least: float, most: float) -> None:
        await asyncio.sleep(pace * rng.uniform(least, most))

    async def do(event: str, **data: object) -> dict:
        asked = {"request": secrets.token_hex(16), "page": taken["page"], "event": event, "data": data}
        answer = checked(await client.post(f"{taken['place']}/event", json=asked, headers=taken["key"])).json()
        if answer["message"] and answer["message"]["error"]:
            raise Refused(answer["message"]["text"])
        return answer

    with timing.waits(who, "page"):
        checked(await client.get("/"))
    await think(1, 4)
    with timing.waits(who, "session"):
        answer = checked(await client.post("/studio/session")).json()
        place = f"/studio/session/{answer['session']}"
        taken |= {"place": place, "key": {"X-Session-Key": answer["key"]}, "page": secrets.token_hex(16)}
    if not taken:
        return
    for kind, content, name in (("background", pictures.photo, "photo.jpg"), ("person", pictures.person, "person.png")):
        upload = None
        with timing.waits(who, "upload"):
            answer = await client.put(f"{taken['place']}/upload", content=content, headers=taken["key"])
            upload = checked(answer).json()["upload"]
        with timing.waits(who, f"open {kind}"):
            taken["photo"] = (await do("open", kind=kind, upload=upload, name=name))["photo"]
        await think(1, 3)
    if "photo" not in taken:  # refused: nothing to work on
        return
    for x0, y0, x1, y1 in REGIONS:
        with timing.waits(who, "reference"):
            await do("prompt", target="reference", kind="box", points=[[x0, y0], [x1, y1]])
        await think(2, 6)
    for _ in range(6):
        with timing.waits(who, "slider"):
            await do(
                "adjust", **{name: round(rng.uniform(0.3, 1.3), 2) for name in ("strength", "luminance", "chroma")}
            )
        await think(0.3, 1.5)
    with timing.waits(who, "close look"):
        whole = taken["photo"]
        across, down = min(600, whole["full_width"]), min(400, whole["full_height"])
        window = {"view": "photo", "x": 0, "y": 0, "width": across, "height": down, "wanted": across}
        checked(await client.get(f"{taken['place']}/crop", params=window, headers=taken["key"]))
    await think(1, 4)
    with timing.waits(who, "download"):
        file = (await do("save", what="photo"))["file"]
        checked(await client.get(f"/studio/{file['address']}"))
    await think(1, 2)
    said = json.dumps({"key": taken["key"]["X-Session-Key"], "page": taken["page"]})
    with timing.waits(who, "leave"):
        checked(await client.post(f"{taken['place']}/leave", content=said))


async def call(client: httpx.AsyncClient, pictures: Pictures, timing: Timing, pace: float, rng: random.Random) -> None:
    """One program: a photo and its mask up, ``/harmonize``, the photo down; then a pause of eight seconds."""
    who = "API client"
    with timing.waits(who, "harmonize, with its files"):
        files = []
        for name, content in (("photo.jpg", pictures.photo), ("mask.png", pictures.mask)):
            (path,) = checked(await client.post("/gradio_api/upload", files={"files": (name, content)})).json()
            files.append({"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}})
        begun = time.perf_counter()
        data = [*files, None, REGIONS[0], None, *AMOUNTS]
        asked = checked(await client.post("/gradio_api/call/harmonize", json={"data": data})).json()
        answer = checked(await client.get(f"/gradio_api/call/harmonize/{asked['event_id']}"))
        kind, said = answer.text.strip().splitlines()[-2:]
        if kind != "event: complete":
            raise Refused(said.removeprefix("data: "))
        timing.seconds[who, "harmonize"].append(time.perf_counter() - begun)
        result = json.loads(said.removeprefix("data: "))[0]
        checked(await client.get(f"/gradio_api/file={result['path']}"))
    await asyncio.sleep(pace * rng.uniform(7, 9))


async def rate(client: httpx.AsyncClient, timing: Timing, pace: float, rng: random.Random) -> None:
    """One rater: in, and an answer to every trial after looking at its pictures."""
    who, answer = "rater", {}
    await asyncio.sleep(pace * rng.uniform(0, 10))
    with timing.waits(who, "page"):
        checked(await client.get("/study/"))
    with timing.waits(who, "enter"):
        device = {"width": 1280, "height": 800}
        answer = checked(await client.post("/study/api/enter", json={"consent": True, "device": device})).json()
    headers = {"Authorization": f"Bearer {answer.get('token')}"}
    while answer.get("upcoming"):
        trial = answer["upcoming"][0]
        for name in trial["pictures"]:
            with timing.waits(who, "picture"):
                checked(await client.get(f"/study/api/picture/{name}.png"))
        seconds = pace * rng.uniform(3, 9)
        await asyncio.sleep(seconds)
        vote = {"request_id": secrets.token_hex(8), "trial": trial["trial"], "seconds": seconds}
        if trial["task"] == "pair":
            vote["choice"] = rng.choice(["left", "right"])
        else:
            places = list(range(1, len(trial["pictures"]) + 1))
            rng.shuffle(places)
            vote |= {"choice": "ranked", "ranks": places}
        before = answer
        with timing.waits(who, "vote"):
            answer = checked(await client.post("/study/api/vote", json=vote, headers=headers)).json()
        if answer is before:
            return
