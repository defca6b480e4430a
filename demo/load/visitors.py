"""One editor, one caller of the API, one rater: what each does, with the pauses of people."""

import asyncio
import json
import random
import secrets
import time

from aiohttp import ClientSession, FormData

from demo.load.pictures import Pictures
from demo.load.timing import Refused, Timing, ask

AMOUNTS = (1,) * 5 + (0,) * 8 + (True,)  # of /harmonize: the look whole, nothing by hand, pasted
REGIONS = ([0.02, 0.1, 0.3, 0.6], [0.05, 0.5, 0.25, 0.95], [0.8, 0.05, 0.98, 0.4])


async def edit(client: ClientSession, pictures: Pictures, timing: Timing, pace: float, rng: random.Random) -> None:
    """One editor's visit: a photo and a person, three references, sliders, a close look, the download."""
    who, taken = "editor", {}

    async def think(least: float, most: float) -> None:
        await asyncio.sleep(pace * rng.uniform(least, most))

    async def do(event: str, **data: object) -> dict:
        asked = {"request": secrets.token_hex(16), "page": taken["page"], "event": event, "data": data}
        answer = json.loads(await ask(client, "POST", f"{taken['place']}/event", json=asked, headers=taken["key"]))
        if answer["message"] and answer["message"]["error"]:
            raise Refused(answer["message"]["text"])
        return answer

    async def work() -> None:
        for kind, content, name in (
            ("background", pictures.photo, "photo.jpg"),
            ("person", pictures.person, "person.png"),
        ):
            upload = None
            with timing.waits(who, "upload"):
                answer = await ask(client, "PUT", f"{taken['place']}/upload", data=content, headers=taken["key"])
                upload = json.loads(answer)["upload"]
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
            await ask(client, "GET", f"{taken['place']}/crop", params=window, headers=taken["key"])
        await think(1, 4)
        with timing.waits(who, "download"):
            file = (await do("save", what="photo"))["file"]
            await ask(client, "GET", f"/studio/{file['address']}")

    with timing.waits(who, "page"):
        await ask(client, "GET", "/")
    await think(1, 4)
    with timing.waits(who, "session"):
        answer = json.loads(await ask(client, "POST", "/studio/session"))
        place = f"/studio/session/{answer['session']}"
        taken |= {"place": place, "key": {"X-Session-Key": answer["key"]}, "page": secrets.token_hex(16)}
    if not taken:
        return
    await work()
    await think(1, 2)
    said = json.dumps({"key": taken["key"]["X-Session-Key"], "page": taken["page"]})
    with timing.waits(who, "leave"):
        await ask(client, "POST", f"{taken['place']}/leave", data=said)


async def call(client: ClientSession, pictures: Pictures, timing: Timing, pace: float, rng: random.Random) -> None:
    """One program: a photo and its mask up, ``/harmonize``, the photo down; then a pause of eight seconds."""
    who = "API client"
    with timing.waits(who, "harmonize, with its files"):
        files = []
        for name, content in (("photo.jpg", pictures.photo), ("mask.png", pictures.mask)):
            form = FormData()
            form.add_field("files", content, filename=name)
            (path,) = json.loads(await ask(client, "POST", "/gradio_api/upload", data=form))
            files.append({"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}})
        begun = time.perf_counter()
        data = [*files, None, REGIONS[0], None, *AMOUNTS]
        asked = json.loads(await ask(client, "POST", "/gradio_api/call/harmonize", json={"data": data}))
        answer = await ask(client, "GET", f"/gradio_api/call/harmonize/{asked['event_id']}")
        kind, said = answer.decode().strip().splitlines()[-2:]
        if kind != "event: complete":
            raise Refused(said.removeprefix("data: "))
        timing.seconds[who, "harmonize"].append(time.perf_counter() - begun)
        result = json.loads(said.removeprefix("data: "))[0]
        await ask(client, "GET", f"/gradio_api/file={result['path']}")
    await asyncio.sleep(pace * rng.uniform(7, 9))


async def rate(client: ClientSession, timing: Timing, pace: float, rng: random.Random) -> None:
    """One rater: in, and an answer to every trial after looking at its pictures."""
    who, answer = "rater", {}
    await asyncio.sleep(pace * rng.uniform(0, 10))
    with timing.waits(who, "page"):
        await ask(client, "GET", "/study/")
    with timing.waits(who, "enter"):
        device = {"width": 1280, "height": 800}
        answer = json.loads(await ask(client, "POST", "/study/api/enter", json={"consent": True, "device": device}))
    headers = {"Authorization": f"Bearer {answer.get('token')}"}
    while answer.get("upcoming"):
        trial = answer["upcoming"][0]
        for name in trial["pictures"]:
            with timing.waits(who, "picture"):
                await ask(client, "GET", f"/study/api/picture/{name}.png")
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
            answer = json.loads(await ask(client, "POST", "/study/api/vote", json=vote, headers=headers))
        if answer is before:
            return
