"""The page's state: what a page is told about a project, one JSON value with the addresses of the pictures in it."""

import cv2
import numpy as np

from demo.outlines import outline
from demo.studio.project import Project
from demo.studio.served_pictures import ServedPictures
from demo.studio.uploaded_picture import UploadedPicture

PREVIEW_SIDE = 320
BEHIND = 128  # grey


def state_of(project: Project, pictures: ServedPictures) -> dict:
    """The project as the page shows it. ``turn`` grows with every state, ``file`` is the newest file to be kept."""
    now, shown = project.choices, project.pictures
    return {
        "turn": pictures.next_turn(),
        "slots": {kind: _preview(kind, picture, pictures) for kind, picture in shown.items()},
        "photo": None if project.base is None else _whole("photo", project.base, pictures),
        "cutout": _whole("person", shown["person"], pictures) if "person" in shown else None,
        "person": None if now.placement is None else _person(project, pictures),
        "other": _whole("other", shown["other"], pictures) if "other" in shown else None,
        "work": project.base is not None and project.holder is not None,
        "asks": project.holder is not None and now.foreground is None,
        "result": _result(project, pictures),
        "outlines": _outlines(project),
        "suggestions": {where: _suggestions(project, where, pictures) for where in project.suggestions},
        "label": now.label,
        "elsewhere": now.elsewhere,
        "amounts": vars(project.amounts),
        "undo": bool(project.past),
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
        small = picture.on_screen(cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA))
        if picture.alpha is None:
            return small
        alpha = cv2.resize(picture.alpha, size, interpolation=cv2.INTER_AREA)
        return np.dstack([small, np.rint(alpha * 255).astype(np.uint8)])

    return {"file": pictures.show(f"preview-{kind}", pixels, picture), "name": picture.path.name}


def _whole(name: str, picture: UploadedPicture, pictures: ServedPictures) -> dict:
    height, width = picture.pixels.shape[:2]
    file = pictures.show(name, lambda: _visible(picture), picture)
    original = {"full_width": picture.size[0], "full_height": picture.size[1], "ending": picture.ending}
    return {"file": file, "width": width, "height": height, **original}


def _visible(picture: UploadedPicture) -> np.ndarray:
    """A picture as it is seen, (h, w, 3) uint8: what lies behind transparent pixels is anything, and stays hidden."""
    shown = picture.on_screen(picture.pixels)
    return shown if picture.alpha is None else np.where(picture.alpha[..., None] > 0, shown, np.uint8(BEHIND))


def _person(project: Project, pictures: ServedPictures) -> dict:
    """The person who can be moved: their picture, where it stands, and what of it is seen while it is dragged."""
    scene, now, mapping = project.scene, project.choices, project.mapping
    x, y, width, height = cv2.boundingRect((now.foreground >= 0.5).astype(np.uint8))
    rows, columns = now.foreground.shape
    sprite = pictures.show(
        "sprite",
        lambda: scene.sprite(mapping.blended(**vars(project.amounts))),
        now.foreground,
        mapping,
        project.amounts,
    )
    return {
        "width": columns,
        "height": rows,
        "sprite": sprite,
        "placement": now.placement.to_dict(),
        "box": [x / columns, y / rows, (x + width) / columns, (y + height) / rows],
    }


def _result(project: Project, pictures: ServedPictures) -> dict | None:
    """The patch of the photo that changes: as it was, at full strength, and as the sliders have it."""
    scene, mapping = project.scene, project.mapping
    if mapping is None:
        return None
    x, y, width, height = scene.crop
    was = pictures.show("was", lambda: scene.patch(None), scene)
    full = pictures.show("full", lambda: scene.patch(mapping), scene, mapping)
    asked = vars(project.amounts)
    if set(asked.values()) == {1.0}:
        now = full
    else:
        now = pictures.show("now", lambda: scene.patch(mapping.blended(**asked)), scene, mapping, project.amounts)
    return {"x": x, "y": y, "width": width, "height": height, "was": was, "full": full, "now": now}


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
                "taken": project.choices.region is region,
            }
        )
    return listed


def _thumb(where: str, index: int) -> str:
    return f"thumb-{where}-{index}"


def _outlines(project: Project) -> dict[str, str]:
    """Foreground and reference as they lie on each picture that the page can show."""
    scene, now = project.scene, project.choices
    shown = {"foreground": "", "reference": "", "cutout": "", "other": ""}
    if scene is not None:
        shown["foreground"] = outline(scene.mask)
    if now.foreground is not None:
        shown["cutout"] = outline(now.foreground)
    if now.region is not None and now.elsewhere:
        shown["other"] = outline(now.region)
    elif now.region is not None and scene is not None:
        shown["reference"] = outline(np.minimum(now.region, 1 - scene.mask))
    return shown
