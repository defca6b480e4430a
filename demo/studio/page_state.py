"""What the page is told about a project: one JSON value, with pictures as files beside it."""

import cv2
import numpy as np

from demo.studio.project import Project
from demo.studio.served_pictures import Pictures
from demo.studio.uploaded_picture import Opened

PREVIEW_SIDE = 320
BEHIND = 128  # grey
SMOOTH = 1.5  # pixels: an outline shows where, not every hair
SPECK = 16  # pixels: smaller pieces of a mask are not outlined


def answer(project: Project, pictures: Pictures, **more: object) -> dict:
    """The project as the page shows it. more: what else to tell, such as a ``message`` or a ``file`` to keep."""
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
        **more,
    }


def make_thumbnails(project: Project, where: str, pictures: Pictures) -> None:
    """Show in small what each suggestion of the "photo" or the "other" one would give."""
    with project.lock:
        scene, listed = project.scene, [entry["index"] for entry in _suggestions(project, where, pictures)]
        suggestions, other = project.suggestions[where], project.pictures.get("other") if where == "other" else None
    for index in listed if scene is not None else []:
        chosen = suggestions[index]
        with project.lock:  # one at a time, so that a click need not wait for all of them
            if project.scene is not scene:
                return
            pictures.show(_thumb(where, index), lambda c=chosen: scene.thumbnail(c, other), scene, chosen)


def outline(mask: np.ndarray) -> str:
    """The outline of a mask (h, w) as an SVG path in its pixels, holes included."""
    smooth = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), SMOOTH, borderType=cv2.BORDER_REPLICATE)
    inside = (smooth if smooth.max() >= 0.5 else mask) >= 0.5
    edges, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    large = [edge for edge in edges if cv2.contourArea(edge) >= SPECK] or edges
    lines = [cv2.approxPolyDP(edge, 0.7, True)[:, 0] for edge in large]  # each (K, 2)
    return "".join("M" + "L".join(f"{x} {y}" for x, y in points) + "Z" for points in lines)


def _preview(kind: str, picture: Opened, pictures: Pictures) -> dict:
    scale = min(1.0, PREVIEW_SIDE / max(picture.pixels.shape))
    size = tuple(max(1, round(side * scale)) for side in picture.pixels.shape[1::-1])

    def pixels() -> np.ndarray:
        small = picture.on_screen(cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA))
        if picture.alpha is None:
            return small
        alpha = cv2.resize(picture.alpha, size, interpolation=cv2.INTER_AREA)
        return np.dstack([small, np.rint(alpha * 255).astype(np.uint8)])

    return {"file": pictures.show(f"preview-{kind}", pixels, picture), "name": picture.path.name}


def _whole(name: str, picture: Opened, pictures: Pictures) -> dict:
    height, width = picture.pixels.shape[:2]
    file = pictures.show(name, lambda: _visible(picture), picture)
    original = {"full_width": picture.size[0], "full_height": picture.size[1], "ending": picture.ending}
    return {"file": file, "width": width, "height": height, **original}


def _visible(picture: Opened) -> np.ndarray:
    """A picture as it is seen, (h, w, 3) uint8: what lies behind transparent pixels is anything, and stays hidden."""
    shown = picture.on_screen(picture.pixels)
    return shown if picture.alpha is None else np.where(picture.alpha[..., None] > 0, shown, np.uint8(BEHIND))


def _person(project: Project, pictures: Pictures) -> dict:
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


def _result(project: Project, pictures: Pictures) -> dict | None:
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


def _suggestions(project: Project, where: str, pictures: Pictures) -> list[dict]:
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
