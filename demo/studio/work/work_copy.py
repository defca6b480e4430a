"""The work as plain values for the browser to keep, and the work again out of them, on this server or another.

What is kept is the history with its masks, each once, as PNG. The originals are the visitor's own files; they come
first, as uploads, onto the project's shelf. A copy comes from a browser, so that nothing in it is believed: size,
numbers and the shapes of its masks are checked.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from demo.studio.project import Project
from demo.studio.suggestions import Suggestion, hidden, suggestions
from demo.studio.uploaded_picture import UploadedPicture
from demo.studio.work.history import MOST, Amounts, Choices, History, Look, Step, Transfer, Work
from demo.studio.work.kept import KEPT
from demo.studio.work.opening import MOST_PEOPLE, own_foreground
from iph.adjustments import Adjustments
from iph.errors import InputError
from iph.files import read_bounded
from iph.images.imagefile import read_photo
from iph.mapping import ColorMapping
from iph.masks.edge_adjust import EdgeAdjustment
from iph.placement import Placement

KIND, VERSION = "iph-work", 2
MAX_BYTES = 32 << 20
MOST_VALUES = 60_000
MOST_MASK_BYTES, MOST_MASK_PIXELS = 4 << 20, 4096 * 4096
NOT_OURS = "expected a copy of the work as this page keeps it, got something else"


def copy_of(project: Project) -> dict:
    """The history as plain values, for JSON, and what is there before it has a step."""
    kept = _Writer()
    steps = [{"name": step.name} | kept.work(step.work) for step in project.history.steps]
    written = {"kind": KIND, "version": VERSION, "at": project.history.at, "steps": steps, "masks": kept.masks}
    written["originals"] = project.originals
    return written if steps else written | {"now": kept.work(project.work)}


class _Writer:
    """``masks`` are those that were needed, each once."""

    def __init__(self) -> None:
        self.masks: list[str] = []
        self._numbers: dict[int, int] = {}

    def work(self, work: Work) -> dict:
        return {
            "pictures": {kind: picture.id for kind, picture in work.pictures.items()},
            "people": [self._person(work, person) for person in work.people],
            "active": work.active,
        }

    def _person(self, work: Work, now: Choices) -> dict:
        return {
            "picture": None if now.picture is None else now.picture.id,
            "placement": None if now.placement is None else now.placement.to_dict(),
            "foreground": self._mask(now.foreground) if now.found else None,
            "other": None if now.other is None else now.other.id,
            "region": self._region(work, now),
            "elsewhere": now.elsewhere,
            "label": now.label,
            "edge": now.edge.to_dict(),
            "amounts": vars(now.amounts),
            "transfer": vars(now.transfer),
            "adjustments": now.adjustments.to_dict(),
            "look": None if now.look is None else [now.look.name, now.look.mapping.to_dict()],
            "shown": now.shown,
        }

    def _region(self, work: Work, now: Choices) -> object:
        """A mask, or the number of a suggestion, where those can be made again from the originals alone."""
        suggested = now.offers if now.elsewhere else () if "composite" in work.pictures else work.suggestions
        for index, suggestion in enumerate(suggested):
            if suggestion.region is now.region:
                return [index]
        return self._mask(now.region)

    def _mask(self, mask: np.ndarray | None) -> int | None:
        if mask is None:
            return None
        if id(mask) not in self._numbers:
            self._numbers[id(mask)] = len(self.masks)
            self.masks.append(KEPT.get("text", partial(_as_text, mask), len, mask))  # the next copy has it too
        return self._numbers[id(mask)]


def bring_back(project: Project, path: Path) -> None:
    """Give a project, on whose shelf the originals are, the work that a file of ``copy_of`` holds.

    Raises InputError on anything else, and then changes nothing; the shelf is empty in any case.
    """
    shelf, project.shelf = project.shelf, {}
    before = project.history, project.work
    try:
        content = read_bounded(path, MAX_BYTES)
        if len(content) > MAX_BYTES or sum(content.count(mark) for mark in b"[{,:") > MOST_VALUES:
            raise InputError(NOT_OURS)
        data = json.loads(content.decode())
        if data["kind"] != KIND or data["version"] != VERSION or len(data["steps"]) > MOST:
            raise InputError(NOT_OURS)
        reader = _Reader(data["masks"], {**project.history.originals, **project.work.originals, **shelf})
        steps = [Step(str(one["name"])[:80], reader.work(one, True)) for one in data["steps"]]
        at = max(0, min(_index(data["at"]), len(steps) - 1))
        now = reader.suggesting(steps[at].work if steps else reader.work(data["now"], False))
        steps[at : at + 1] = [replace(step, work=now) for step in steps[at : at + 1]]
        project.history, project.work = History(tuple(steps), at), now
        for person in project.work.people:
            project.mapping_of(person)  # raises where the choices do not go together
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        project.history, project.work = before
        raise error if isinstance(error, InputError) else InputError(NOT_OURS) from None
    finally:
        project.tidy()


def _as_text(mask: np.ndarray) -> str:
    png = cv2.imencode(".png", np.rint(mask * 255).astype(np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 3])[1]
    return base64.b64encode(png.tobytes()).decode()


class _Reader:
    """masks: those of the copy; originals: what it may name, by id. Steps share what did not change, as they did."""

    def __init__(self, masks: list, originals: dict[str, UploadedPicture]) -> None:
        self._masks, self._originals = masks, originals
        self._read: dict[int, np.ndarray] = {}
        self._shared: dict[str, object] = {}

    def work(self, data: dict, is_step: bool) -> Work:
        """One state of the work. is_step: it has a result."""
        pictures = {str(kind): self._originals[id] for kind, id in data["pictures"].items()}
        if not set(pictures) <= {"background", "composite", "mask"} or len(pictures.keys() - {"mask"}) > 1:
            raise InputError(NOT_OURS)
        if not 0 < len(data["people"]) <= MOST_PEOPLE:
            raise InputError(NOT_OURS)
        work = Work(pictures, active=min(_index(data["active"]), len(data["people"]) - 1))
        people = [self._person(work, one) for one in data["people"]]
        base = pictures.get("composite") or pictures.get("background")
        if "background" in pictures and people[work.active].foreground is not None:
            work = replace(work, suggestions=self._suggested("photo", base))
        people = tuple(self._pointing(work, base, *one) for one in zip(people, data["people"], strict=True))
        complete = base is not None and all(
            one.region is not None and (one.placement is None) == ("composite" in pictures) for one in people
        )
        if is_step and not complete:
            raise InputError(NOT_OURS)
        return replace(work, people=people)

    def suggesting(self, work: Work) -> Work:
        """With the suggestions of a finished composite: they leave out the person as they are now."""
        composite, person = work.pictures.get("composite"), work.person
        if composite is None or person.foreground is None:
            return work
        found = tuple(suggestions("photo", composite.pixels, hidden(person.foreground, composite.alpha)))
        for one in found if person.region is not None and not person.elsewhere else ():
            if np.abs(one.region - person.region).max() < 1 / 128:  # a mask is kept in 255 steps
                person = replace(person, region=one.region)
        return replace(work, suggestions=found).having(person)

    def _person(self, work: Work, data: dict) -> Choices:
        """Somebody without their reference."""
        picture = None if data["picture"] is None else self._originals[data["picture"]]
        holder = work.pictures.get("composite") or picture
        amounts = self._once("amounts", data["amounts"], lambda values: Amounts(**_floats(values)))
        ColorMapping.identity().blended(**vars(amounts))  # checks their range
        person = Choices(
            picture=picture,
            placement=None if data["placement"] is None else self._once("place", data["placement"], _placement),
            edge=self._once("edge", data["edge"], EdgeAdjustment.from_dict),
            amounts=amounts,
            transfer=self._once("transfer", data.get("transfer", {}), lambda values: Transfer(**values)),
            adjustments=self._once("by hand", data.get("adjustments", {}), Adjustments.from_dict),
            look=self._once("look", data.get("look"), _look),
            shown=data.get("shown", True) is True,
        )
        if data["foreground"] is None:
            mask = work.pictures.get("mask")
            own = [None if one is None else one.id for one in (mask, picture)]
            return replace(person, foreground=self._once("own", own, lambda _: own_foreground(work, person)))
        return replace(person, foreground=self._mask(data["foreground"], holder.pixels.shape), found=True)

    def _pointing(self, work: Work, base: UploadedPicture | None, person: Choices, data: dict) -> Choices:
        """The same with their reference."""
        if data["other"] is not None:
            other = self._originals[data["other"]]
            person = replace(person, other=other, offers=self._suggested("other", other))
        looked_at, region = person.other if data["elsewhere"] else base, data["region"]
        if isinstance(region, list):
            (index,) = region
            region = (person.offers if data["elsewhere"] else work.suggestions)[_index(index)].region
        elif region is not None:
            region = self._mask(region, looked_at.pixels.shape)
        return replace(person, region=region, elsewhere=bool(data["elsewhere"]), label=str(data["label"])[:80])

    def _suggested(self, where: str, picture: UploadedPicture) -> tuple[Suggestion, ...]:
        def make(_: object) -> tuple[Suggestion, ...]:
            return tuple(suggestions(where, picture.pixels, hidden(None, picture.alpha)))

        return self._once(f"suggested {where}", picture.id, make)

    def _mask(self, number: object, shape: tuple[int, ...]) -> np.ndarray:
        if _index(number) not in self._read:
            png = base64.b64decode(self._masks[number], validate=True)
            self._read[number] = read_photo(png, MOST_MASK_BYTES, MOST_MASK_PIXELS).pixels[..., 0] / np.float32(255)
        if self._read[number].shape != shape[:2]:
            raise InputError("expected the work on these photos, got that on others")
        return self._read[number]

    def _once(self, kind: str, values: object, make: Callable[[object], object]) -> object:
        key = f"{kind} {json.dumps(values, sort_keys=True)}"
        if key not in self._shared:
            self._shared[key] = make(values)
        return self._shared[key]


def _placement(values: dict) -> Placement:
    return Placement(**values)


def _floats(values: dict) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}


def _look(data: list | None) -> Look | None:
    if data is None:
        return None
    name, mapping = data
    return Look(str(name)[:80], ColorMapping.from_dict(mapping))


def _index(number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise InputError(NOT_OURS)
    return number
