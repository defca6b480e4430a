"""The page's state: what a page is told about a project, one JSON value with the addresses of the pictures in it."""

import cv2
import numpy as np

from demo.outlines import outline
from demo.studio.project import Project
from demo.studio.scene import Scene
from demo.studio.served_pictures import ServedPictures
from demo.studio.uploaded_picture import BEHIND, UploadedPicture
from demo.studio.work.history import Choices
from demo.studio.work.kept import KEPT
from demo.studio.work.stack import cover as seen_of
from iph.mapping import ColorMapping

PREVIEW_SIDE = 320
LAYER_SIDE = 96
FAR = 15  # L*, between the means of person and reference: more than skin or clothes usually differ by


def state_of(project: Project, pictures: ServedPictures) -> dict:
    """The project as the page shows it. ``turn`` grows with every state, ``file`` is the newest file to be kept."""
    now, shown = project.choices, project.pictures
    return {
        "turn": pictures.next_turn(),
        "slots": {kind: _preview(kind, picture, pictures) for kind, picture in shown.items()},
        "photo": None if project.base is None else _whole("photo", project.base, pictures),
        "cutout": _whole("person", shown["person"], pictures) if "person" in shown else None,
        "person": _person(project, pictures) if now.placement is not None and now.shown else None,
        "other": _whole("other", shown["other"], pictures) if "other" in shown else None,
        "work": project.base is not None and project.holder is not None,
        "asks": project.holder is not None and now.foreground is None,
        "result": _result(project, pictures),
        "rest": _rest(project, pictures),
        "people": _people(project, pictures),
        "active": project.work.active,
        "saves": project.mapping is not None and bool(project.shown),
        "originals": project.originals,
        "outlines": _outlines(project),
        "suggestions": {where: _suggestions(project, where, pictures) for where in project.suggestions},
        "label": now.look.name if now.look else now.label,
        "recipe": now.look is not None,
        "look": None if project.change is None else project.change.to_dict(),
        "far": _far(project),
        "matched": _matched(project, pictures),
        "clicked": [target for target, click in project.clicks.items() if click is not None],
        "elsewhere": now.elsewhere,
        "amounts": vars(project.amounts),
        "transfer": vars(now.transfer),
        "adjustments": now.adjustments.to_dict(),
        "edge": now.edge.to_dict(),
        "mask": _mask(project, pictures),
        "history": {"at": project.history.at, "steps": [step.name for step in project.history.steps]},
        "file": pictures.handed,
    }


def make_thumbnail(project: Project, where: str, pictures: ServedPictures) -> bool:
    """Show in small what one suggestion of the "photo" or the "other" one would give, the first without a thumbnail.
    False if all have one."""
    scene, other = project.scene, project.pictures.get("other") if where == "other" else None
    missing = [entry for entry in _suggestions(project, where, pictures) if entry["thumb"] is None]
    if scene is None or not missing:
        return False
    index = missing[0]["index"]
    chosen = project.suggestions[where][index]
    pictures.show(_thumb(where, index), lambda: scene.thumbnail(chosen, other), scene, chosen)
    return True


def _preview(kind: str, picture: UploadedPicture, pictures: ServedPictures) -> dict:
    scale = min(1.0, PREVIEW_SIDE / max(picture.pixels.shape))
    size = tuple(max(1, round(side * scale)) for side in picture.pixels.shape[1::-1])

    def pixels() -> np.ndarray:
        small = cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA)
        if picture.alpha is None:
            return small
        alpha = cv2.resize(picture.alpha, size, interpolation=cv2.INTER_AREA)
        return np.dstack([small, np.rint(alpha * 255).astype(np.uint8)])

    return {"file": pictures.show(f"preview-{kind}", pixels, picture), "name": picture.path.name}


def _whole(name: str, picture: UploadedPicture, pictures: ServedPictures) -> dict:
    height, width = picture.pixels.shape[:2]
    file = pictures.show(name, lambda: _visible(picture), picture)
    original = {"full_width": picture.size[0], "full_height": picture.size[1], "ending": picture.ending}
    original |= {"bits": picture.bits, "profile": picture.profile}
    return {"file": file, "width": width, "height": height, **original}


def _visible(picture: UploadedPicture) -> np.ndarray:
    """A picture as it is seen, (h, w, 3) uint8: what lies behind transparent pixels is anything, and stays hidden."""
    return (
        picture.pixels
        if picture.alpha is None
        else np.where(picture.alpha[..., None] > 0, picture.pixels, np.uint8(BEHIND))
    )


def _person(project: Project, pictures: ServedPictures) -> dict:
    """The person who can be moved: their picture, where it stands, and what of it is seen while it is dragged."""
    scene, now, mapping, cutout = project.scene, project.choices, project.mapping, project.cutout
    x, y, width, height = cv2.boundingRect((cutout >= 0.5).astype(np.uint8))
    rows, columns = cutout.shape
    sprite = pictures.show(
        "sprite",
        lambda: scene.sprite(project.change),
        scene,
        mapping,
        project.amounts,
        now.adjustments,
    )
    return {
        "width": columns,
        "height": rows,
        "sprite": sprite,
        "placement": now.placement.to_dict(),
        "box": [x / columns, y / rows, (x + width) / columns, (y + height) / rows],
    }


def _mask(project: Project, pictures: ServedPictures) -> str | None:
    """The person's mask on their picture, grey."""
    cutout = project.cutout
    if cutout is None:
        return None
    return pictures.show("mask", lambda: _grey(cutout), cutout)


def _grey(mask: np.ndarray) -> np.ndarray:
    return np.repeat(np.rint(mask * 255).astype(np.uint8)[..., None], 3, 2)


def _result(project: Project, pictures: ServedPictures) -> dict | None:
    """The patch of the photo that changes with the active person: before everything, before their change, their cover,
    at full strength, and as the sliders have it; None where they are hidden."""
    scene, mapping, active = project.scene, project.mapping, project.choices
    if mapping is None or not active.shown:
        return None
    x, y, width, height = scene.crop
    patch = {"x": x, "y": y, "width": width, "height": height}
    people = project.shown
    if len(people) > 1:
        return patch | _among_others(project, people, pictures)
    was = pictures.show("was", lambda: scene.patch(None), scene)
    cover = pictures.show("cover", lambda: _grey(scene.mask[y : y + height, x : x + width]), scene)
    full = pictures.show("full", lambda: scene.patch(mapping), scene, mapping)
    now = (
        full if project.is_plain else pictures.show("now", lambda: scene.patch(project.change), *_look(project, active))
    )
    return patch | {"was": was, "from": was, "cover": cover, "full": full, "now": now}


def _among_others(project: Project, people: list[Choices], pictures: ServedPictures) -> dict:
    """The same where others are shown: they lie below and above the active person as they are."""
    active, window = project.choices, project.scene.crop
    at, changes = people.index(active), [project.change_of(person) for person in people]
    scenes = [project.scene_of(person) for person in people]
    others = [thing for person in people if person is not active for thing in _look(project, person)]

    def patch(name: str, change: ColorMapping | None, *made_of: object) -> str:
        listed = [*changes[:at], change, *changes[at + 1 :]]
        return pictures.show(name, lambda: project.laid(people, listed, window)[0], *made_of, *others)

    was = pictures.show("was", lambda: project.laid(people, [None] * len(people), window)[0], *scenes)
    cover = pictures.show("cover", lambda: _grey(seen_of(project.laid(people, changes, window)[1], at)), *scenes)
    before = patch("from", None, scenes[at])
    full = patch("full", project.mapping, scenes[at], project.mapping)
    now = full if project.is_plain else patch("now", project.change, *_look(project, active))
    return {"was": was, "from": before, "cover": cover, "full": full, "now": now}


def _rest(project: Project, pictures: ServedPictures) -> dict | None:
    """The photo with everybody but the active person, as they were pasted and as they are; None where there is nobody
    else to be seen."""
    people = [person for person in project.shown if person is not project.choices]
    if not people:
        return None
    scenes = [project.scene_of(person) for person in people]
    looks = [thing for person in people for thing in _look(project, person)]
    was = pictures.show("rest-was", lambda: project.laid(people, [None] * len(people))[0], *scenes)
    changes = [project.change_of(person) for person in people]
    return {"was": was, "now": pictures.show("rest-now", lambda: project.laid(people, changes)[0], *looks)}


def _look(project: Project, person: Choices) -> tuple:
    """All that somebody's look is made of."""
    return project.scene_of(person), project.mapping_of(person), person.amounts, person.adjustments


def _people(project: Project, pictures: ServedPictures) -> list[dict]:
    """Who is pasted, the lowest first: what they are called, a small picture, and their outline on the photo."""
    listed = []
    for at, person in enumerate(project.work.people):
        if person.placement is None:
            continue
        cutout = project.cutout_of(person)
        thumb = pictures.show(f"layer-{at}", lambda: _small(person.picture, cutout), person.picture, cutout)  # noqa: B023
        path = _outline_of(project.scene_of(person))
        listed.append({"name": person.picture.path.name, "shown": person.shown, "thumb": thumb, "outline": path})
    return listed


def _small(picture: UploadedPicture, cutout: np.ndarray) -> np.ndarray:
    """Somebody alone, RGBA (h, w, 4) uint8."""
    x, y, width, height = cv2.boundingRect((cutout >= 0.5).astype(np.uint8))
    window = np.s_[y : y + height, x : x + width]
    scale = min(1.0, LAYER_SIDE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    pixels, alpha = (
        cv2.resize(plane[window], size, interpolation=cv2.INTER_AREA) for plane in (picture.pixels, cutout)
    )
    return np.dstack([pixels, np.rint(alpha * 255).astype(np.uint8)])


def _matched(project: Project, pictures: ServedPictures) -> dict | None:
    """Two overlays, of the person and of what they were matched with; None where they are not looked at."""
    scene, now = project.scene, project.choices
    if not project.shows_match or scene is None or now.region is None or now.look is not None:
        return None
    other = project.pictures["other"] if now.elsewhere else None
    return {
        name: pictures.show(f"matched-{name}", lambda at=at: scene.matched(now.region, other)[at], scene, now.region)
        for at, name in enumerate(("person", "reference"))
    }


def _far(project: Project) -> str:
    """Where the look is taken whole and the person is still far "darker" or "lighter" than the reference: which."""
    scene, now, change = project.scene, project.choices, project.change
    if change is None or now.look is not None or now.amounts.strength * now.amounts.luminance < 1:
        return ""
    other = project.pictures["other"] if now.elsewhere else None
    made_of = scene, project.mapping, now.amounts, now.adjustments
    gap = KEPT.get("gap", lambda: scene.gap(change, now.region, other), lambda _: 64, *made_of)
    return "" if abs(gap) < FAR else "darker" if gap > 0 else "lighter"


def _suggestions(project: Project, where: str, pictures: ServedPictures) -> list[dict]:
    """What can be taken now, with a thumbnail where one was made for this very composite."""
    scene, listed = project.scene, []
    for index, suggestion in enumerate(project.suggestions[where]):
        region = suggestion.region
        if where == "photo" and scene is not None and not (np.minimum(region, 1 - scene.mask) >= 0.5).any():
            continue  # the person stands before it
        listed.append(
            {
                "index": index,
                "label": suggestion.label,
                "thumb": pictures.find(_thumb(where, index), scene, suggestion),
                "outline": outline(region),
                "taken": project.choices.region is region and project.choices.look is None,
            }
        )
    return listed


def _thumb(where: str, index: int) -> str:
    return f"thumb-{where}-{index}"


def _outline_of(scene: Scene) -> str:
    """Of the person on the photo."""
    return KEPT.get("outline", lambda: outline(scene.mask), len, scene)


def _outlines(project: Project) -> dict[str, str]:
    """Foreground and reference as they lie on each picture that the page can show."""
    scene, now = project.scene, project.choices
    shown = {"foreground": "", "reference": "", "cutout": "", "other": ""}
    if scene is not None and now.shown:
        shown["foreground"] = _outline_of(scene)
    if project.cutout is not None:
        shown["cutout"] = outline(project.cutout)
    if now.look is not None:
        return shown  # of no region here
    if now.region is not None and now.elsewhere:
        shown["other"] = outline(now.region)
    elif now.region is not None and scene is not None:
        pasted = [project.scene_of(person).mask for person in project.shown]
        shown["reference"] = outline(np.minimum(now.region, 1 - np.maximum.reduce([scene.mask, *pasted])))
    return shown
