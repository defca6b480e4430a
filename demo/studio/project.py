"""What one visitor is working on: pictures, masks and choices, kept on the server.

The cheap part of ``iph`` runs on proxies as often as something moves; the recipe that comes out of it is then replayed
on the originals, which stay on disk as they were uploaded.
"""

import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from demo.studio import prompts
from demo.studio.prompts import Prompt
from demo.studio.scene import Scene
from demo.studio.suggestions import Suggestion, cut_out, free_place, suggestions
from demo.studio.uploaded_picture import UploadedPicture, open_picture
from iph.errors import InputError
from iph.mapping import ColorMapping
from iph.masks import marks_from_photo
from iph.placement import Placement

UNDO = 20  # steps; a mask of a proxy weighs up to 4 MB
KINDS = ("background", "person", "composite", "mask", "other")
TARGETS = ("reference", "person", "other")


@dataclass(frozen=True)
class Amounts:
    """How much of the change is taken, and of its luminance and chroma, 0 to 2."""

    strength: float = 1.0
    luminance: float = 1.0
    chroma: float = 1.0


@dataclass(frozen=True, eq=False)
class Choices:
    """What the visitor decided, and undo takes back.

    foreground: (h, w) float32 in the person's proxy, or in the composite's where nobody is placed; ``found`` says that
    it is not that picture's own alpha or mask file. region: the reference, in the photo's proxy or, ``elsewhere``, in
    the other photo's; label: what it is called.
    """

    placement: Placement | None = None
    foreground: np.ndarray | None = None
    found: bool = False
    region: np.ndarray | None = None
    elsewhere: bool = False
    label: str = ""


class Project:
    """One visitor's work. What raises InputError has changed nothing. Not for several threads at once."""

    def __init__(self, folder: Path) -> None:
        """folder: for the originals, empty."""
        self.folder = folder
        self._clear()

    def _clear(self) -> None:
        self.pictures: dict[str, UploadedPicture] = {}
        self.choices, self.past, self.amounts = Choices(), [], Amounts()
        self.suggestions: dict[str, list[Suggestion]] = {"photo": [], "other": []}
        self._scene: Scene | None = None

    def start_over(self) -> None:
        """Forget everything and delete the originals."""
        self._clear()
        for original in self.folder.iterdir():
            shutil.rmtree(original)

    @property
    def base(self) -> UploadedPicture | None:
        """The picture under everything: the composite, or the background."""
        return self.pictures.get("composite") or self.pictures.get("background")

    @property
    def holder(self) -> UploadedPicture | None:
        """The picture that the foreground's mask belongs to."""
        return self.pictures.get("composite") or self.pictures.get("person")

    @property
    def scene(self) -> Scene | None:
        """The composite as it stands, or None as long as something is missing."""
        now = self.choices
        if self.base is None or now.foreground is None or ("composite" not in self.pictures and not now.placement):
            return None
        made = self._scene
        if made is None or made.placement is not now.placement or made.foreground is not now.foreground:
            self._scene = Scene(self.base, self.holder, now.foreground, now.placement)
        return self._scene

    @property
    def mapping(self) -> ColorMapping | None:
        """The colour change at full strength, or None as long as there is no reference."""
        scene, now = self.scene, self.choices
        if scene is None or now.region is None:
            return None
        return scene.look(now.region, self.pictures["other"] if now.elsewhere else None)

    def open(self, kind: str, upload: Path, name: str, placement: Placement | None = None) -> tuple[str, ...]:
        """Take an uploaded file over, as one of ``KINDS``. Returns what is worth saying about it, in sentences."""
        if kind not in KINDS:
            raise InputError(f"expected one of {', '.join(KINDS)}, got {str(kind)[:20]!r}")
        kept = Path(tempfile.mkdtemp(dir=self.folder)) / file_name(name)
        shutil.move(upload, kept)
        before = dict(self.__dict__)
        try:
            picture = open_picture(kept)
            {"mask": self._take_mask, "other": self._take_other}.get(kind, self._take_photo)(picture, kind)
            self._get_ready(placement)
        except InputError:
            self.__dict__.update(before)
            shutil.rmtree(kept.parent)
            raise
        in_use = {one.path.parent for one in self.pictures.values()}
        for folder in self.folder.iterdir():
            if folder not in in_use:  # the original of a picture that this one replaced
                shutil.rmtree(folder)
        return picture.notes

    def _take_photo(self, picture: UploadedPicture, kind: str) -> None:
        apart = ("background", "person") if kind == "composite" else ("composite",)
        kept = {k: v for k, v in self.pictures.items() if k not in (*apart, "mask")}
        foreground, found = self.choices.foreground, self.choices.found
        if kind == "composite":
            foreground, found = None, False
        elif kind == "person":
            found = picture.alpha is None
            foreground = cut_out(picture.pixels) if found else picture.alpha
        self.pictures, self.past, self._scene = kept | {kind: picture}, [], None
        self.suggestions = {**self.suggestions, "photo": []}
        self.choices = Choices(foreground=foreground, found=found)

    def _take_mask(self, picture: UploadedPicture, kind: str) -> None:
        if "composite" not in self.pictures:
            raise InputError("a mask belongs to a finished composite: the composite was expected first")
        shape = self.pictures["composite"].pixels.shape
        foreground, region = marks_from_photo(picture.photo(), shape)
        self.pictures = self.pictures | {kind: picture}
        self.choices = Choices(foreground=foreground, region=region, label="Blue region")

    def _take_other(self, picture: UploadedPicture, kind: str) -> None:
        self.pictures = self.pictures | {kind: picture}
        self.suggestions = {**self.suggestions, "other": suggestions("other", picture.pixels)}
        whole = self.suggestions["other"][-1]
        self._choose(region=whole.region, elsewhere=True, label=whole.label)

    def _get_ready(self, placement: Placement | None = None) -> None:
        """Once everything is there: suggestions, a place for the person, a first reference."""
        mask, placed = self.choices.foreground, "composite" not in self.pictures
        if self.base is None or self.holder is None or mask is None:
            return
        if not self.suggestions["photo"]:
            # What a placed person covers now may be free after the next move, so nothing is hidden there.
            found = suggestions("photo", self.base.pixels, None if placed else mask)
            self.suggestions = {**self.suggestions, "photo": found}
        if placed and self.choices.placement is None:
            taken = self.suggestions["photo"][0].region
            placement = placement or free_place(self.base.pixels.shape, mask, taken)
            self.choices = replace(self.choices, placement=placement)
        if self.choices.region is None:
            self._take_first()

    def _take_first(self) -> None:
        """The first suggestion that the person does not cover."""
        for suggestion in self.suggestions["photo"]:
            try:
                self._choose(region=suggestion.region, elsewhere=False, label=suggestion.label)
                return
            except InputError as error:
                reason = error
        raise reason

    def place(self, placement: Placement) -> None:
        """Move or scale the person."""
        if self.choices.placement is None:
            raise InputError("there is nobody to move: a background and a person were expected")
        self._settle(placement=placement)

    def prompt(self, target: str, prompt: Prompt) -> None:
        """Point at something. target: "reference" in the photo, "other" in the other photo, "person": the mask."""
        if target not in TARGETS:
            raise InputError(f"expected a target out of {', '.join(TARGETS)}, got {str(target)[:20]!r}")
        now = self.choices
        if target == "person":
            if self.holder is None:
                raise InputError("expected a picture to find the person in, got none")
            mask = prompts.subject(self.holder.pixels, prompt, now.foreground)
            if self.holder.alpha is not None:  # behind transparent pixels there is nothing to show
                mask = np.minimum(mask, self.holder.alpha)
            self._settle(fresh=prompt.kind in ("click", "box"), foreground=mask, found=True)
            return
        elsewhere = target == "other"
        picture = self.pictures.get("other") if elsewhere else self.scene
        if picture is None:
            raise InputError(
                "expected another photo first" if elsewhere else "expected a photo with a person in it first"
            )
        start = now.region if now.elsewhere == elsewhere else None
        self._choose(region=prompts.region(picture.pixels, prompt, start), elsewhere=elsewhere, label="Your choice")

    def take(self, where: str, index: int) -> None:
        """Take a suggestion of the "photo" or of the "other" one."""
        listed = self.suggestions.get(where, [])
        if not isinstance(index, int) or not 0 <= index < len(listed):
            raise InputError(f"expected one of {len(listed)} suggestions, got {str(index)[:20]!r}")
        self._choose(region=listed[index].region, elsewhere=where == "other", label=listed[index].label)

    def auto(self) -> None:
        """Let the studio choose the reference."""
        if self.scene is None:
            raise InputError("expected a photo with a person in it first")
        self._take_first()

    def adjust(self, amounts: Amounts) -> None:
        """Set strength, luminance and chroma."""
        ColorMapping.identity().blended(amounts.strength, amounts.luminance, amounts.chroma)  # checks their range
        self.amounts = amounts

    def undo(self) -> None:
        """Take the last choice back."""
        if not self.past:
            raise InputError("there is nothing to undo")
        self.choices, self.past = self.past[-1], self.past[:-1]

    def _choose(self, **changes) -> None:
        """The new choices, if a result comes out of them."""
        before = self.choices
        self.choices = replace(before, **changes)
        try:
            self.mapping  # noqa: B018 - raises where the choices do not go together
        except InputError:
            self.choices = before
            raise
        self._remember(before)

    def _settle(self, fresh: bool = False, **changes) -> None:
        """The person as changed; if they now cover the reference, the next best takes its place.

        fresh: in a finished composite, somebody else may be the person now, so the suggestions are made anew.
        """
        before, past, listed = self.choices, self.past, self.suggestions
        self.choices = replace(before, **changes)
        if fresh and "composite" in self.pictures:
            self.suggestions = {**listed, "photo": []}
        try:
            self._get_ready()
            try:
                self.mapping  # noqa: B018
            except InputError:
                if self.choices.elsewhere:
                    raise
                self._take_first()
        except InputError:
            self.choices, self.past, self.suggestions = before, past, listed
            raise
        self.past = past
        self._remember(before)

    def _remember(self, before: Choices) -> None:
        if before.region is not None:
            self.past = [*self.past, before][-UNDO:]


def file_name(name: str) -> str:
    """A visitor's file name with nothing in it that a file system or a page could take for something else."""
    plain = re.sub(r"[^\w .()+-]", "_", Path(name.replace("\\", "/")).name).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    return f"{(stem or plain)[:80]}{dot}{ending[:8]}" if stem else plain[:80] or "photo"
