"""What one visitor does to their work, each a step of its history: pictures, masks and choices, kept on the server.

The cheap part of ``iph`` runs on proxies as often as something moves; the recipe that comes out of it is then replayed
on the originals, which stay on disk as they were uploaded.
"""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from demo.file_names import file_name
from demo.studio import prompts
from demo.studio.prompts import Prompt
from demo.studio.scene import Scene
from demo.studio.suggestions import hidden, suggestions
from demo.studio.uploaded_picture import UploadedPicture, open_picture
from demo.studio.work import opening
from demo.studio.work.history import MOST_PICTURES, Amounts, History, Transfer
from demo.studio.work.placing import free_place
from demo.studio.work.seen_work import SeenWork
from demo.work_queue import Stopped, go_on
from iph.adjustments import Adjustments
from iph.errors import InputError
from iph.mapping import ColorMapping
from iph.masks.edge_adjust import EdgeAdjustment
from iph.placement import Placement

KINDS = ("background", "person", "added", "composite", "mask", "other")
TARGETS = ("reference", "person", "other")
STROKES = {
    "click": "Click",
    "box": "Box",
    "brush": "Brush",
    "erase": "Eraser",
    "hint": "Smart select",
    "hint_away": "Smart select, away",
}
WHERE = {"reference": "reference", "person": "person", "other": "other photo"}


class Project(SeenWork):
    """One visitor's work. What raises InputError has changed nothing. Not for several threads at once."""

    def __init__(self, folder: Path) -> None:
        """folder: for the originals, empty."""
        self.folder = folder
        self._clear()

    def _clear(self) -> None:
        super().__init__()
        self.history = History()
        self.shelf: dict[str, UploadedPicture] = {}  # brought again by a page whose server lost them, by id
        self.clicks: dict[str, Prompt | None] = {}  # what a target's mask comes of, where that is a click
        self.shows_match = False  # whether what was matched is looked at

    def start_over(self) -> None:
        """Forget everything and delete the originals."""
        self._clear()
        for original in self.folder.iterdir():
            shutil.rmtree(original)

    def open(
        self, kind: str, upload: Path, name: str, placement: Placement | None = None, id: str = ""
    ) -> tuple[str, ...]:
        """Take an uploaded file over, as one of ``KINDS``: in the place of what was open as that, or somebody "added".
        id: what the page calls it. Returns what is worth saying about it, in sentences."""
        if kind not in KINDS:
            raise InputError(f"expected one of {', '.join(KINDS)}, got {str(kind)[:20]!r}")
        kept = self._keep(upload, name)
        before, held = dict(self.__dict__), set(self.pictures)
        try:
            picture = open_picture(kept, id or kept.parent.name)
            go_on()
            self._take(kind, picture)
            self._get_ready(placement)
            named = picture.path.name
            self._remember(f"{kind.capitalize()}: {named}" if kind in held else f"Opened {named}")
        except InputError as error:
            self.__dict__.update(before)
            if isinstance(error, Stopped):
                shutil.move(kept, upload)  # its page may come back and ask again
            shutil.rmtree(kept.parent)
            raise
        self.tidy()
        return self.pictures["person" if kind == "added" else kind].notes

    def swap(self) -> tuple[str, ...]:
        """Let the active person's photo be the background, and who is found in the background be the person. Returns
        what is worth saying about it, in sentences."""
        before = self.work
        try:
            self.work = opening.exchanged(before)
            self._get_ready()
        except InputError:
            self.work = before
            raise
        self.clicks = {}
        self._remember("Swapped background and person")
        return self.pictures["person"].notes

    def put_on_shelf(self, upload: Path, name: str, id: str) -> None:
        """Take an original over again that a page kept, to be used by what it brings back next."""
        if len(self.shelf) > MOST_PICTURES + 2 * opening.MOST_PEOPLE:
            raise InputError("expected fewer photos of one work")
        kept = self._keep(upload, name)
        try:
            self.shelf[id] = open_picture(kept, id)
        except InputError:
            shutil.rmtree(kept.parent)
            raise

    def _keep(self, upload: Path, name: str) -> Path:
        kept = Path(tempfile.mkdtemp(dir=self.folder)) / file_name(name)
        shutil.move(upload, kept)
        return kept

    @property
    def originals(self) -> list[str]:
        """The ids of all pictures that the work and its steps need."""
        return sorted({**self.history.originals, **self.work.originals})

    def tidy(self) -> None:
        """Delete the originals that no step can go back to."""
        used = {**self.shelf, **self.history.originals, **self.work.originals}.values()
        in_use = {one.path.parent for one in used}
        for folder in self.folder.iterdir():
            if folder not in in_use:
                shutil.rmtree(folder)

    def _take(self, kind: str, picture: UploadedPicture) -> None:
        was_composite, self.clicks = "composite" in self.work.pictures, {}
        if kind == "mask":
            self.work = opening.with_mask(self.work, picture)
        elif kind == "other":
            self.work = opening.with_other(self.work, picture)
        elif kind in ("person", "added"):
            self.work = opening.with_person(self.work, picture, kind)
        else:
            self.work = opening.with_background(self.work, picture, kind)
        if kind == "composite" or was_composite != ("composite" in self.work.pictures):
            self.history = History()  # other work

    def _get_ready(self, placement: Placement | None = None) -> None:
        """Once everything is there: suggestions, a place for everybody, a first reference."""
        composite = "composite" in self.work.pictures
        if self.base is None or self.holder is None or self.choices.foreground is None:
            return
        go_on()
        if not self.work.suggestions:
            # What a placed person covers now may be free after the next move, so nothing is hidden there.
            covered = hidden(self.choices.foreground if composite else None, self.base.alpha)
            found = tuple(suggestions("photo", self.base.pixels, covered))
            self.work = replace(self.work, suggestions=found)
        for at, person in enumerate(self.work.people):
            if not composite and person.placement is None:
                there = [one.region for one in self.work.suggestions if one.person]
                there += [self.scene_of(one).mask for one in self.work.people if one.placement and one.shown]
                placed = placement or free_place(self.base.pixels.shape, person.foreground, there)
                self.work = self.work.having(replace(person, placement=placed), at)
            if person.region is None:
                self._take_first(at)
                self._now(at, look=person.look)  # a recipe's is good for any photo

    def _take_first(self, at: int | None = None) -> None:
        """The first suggestion that the person does not cover."""
        for suggestion in self.work.suggestions:
            try:
                self._choose(at, region=suggestion.region, elsewhere=False, label=suggestion.label, look=None)
                return
            except InputError as error:
                reason = error
        raise reason

    def place(self, placement: Placement) -> None:
        """Move or scale the person."""
        if self.choices.placement is None:
            raise InputError("there is nobody to move: a background and a person were expected")
        before = self.choices.placement
        what = "Mirrored" if before.mirrored != placement.mirrored else "Moved"
        what = "Turned" if before.angle != placement.angle else what
        self.settle("Resized" if before.height != placement.height else what, placement=placement)

    def select(self, at: object) -> None:
        """Let the tools be for another of the people; no step."""
        self.work, self.clicks = replace(self.work, active=self._one_of(at)), {}
        self.history = self.history.amended(self.work)

    def show(self, at: object, shown: bool) -> None:
        """Let one of the people be seen, or hide them."""
        person = self.work.people[self._one_of(at)]
        if shown != person.shown:
            self.work = self.work.having(replace(person, shown=shown), at)
            self._remember(f"{'Shown' if shown else 'Hidden'}: {person.picture.path.name}")

    def reorder(self, at: object, to: object) -> None:
        """Let one of the people lie elsewhere in the order, 0 below all others."""
        people, active = list(self.work.people), self.choices
        people.insert(self._one_of(to), people.pop(self._one_of(at)))
        if at != to:
            self.work = replace(self.work, people=tuple(people), active=people.index(active))
            self._remember("Order")

    def remove(self, at: object) -> None:
        """One of several people is not there any more."""
        gone, people = self.work.people[self._one_of(at)], list(self.work.people)
        if len(people) == 1:
            raise InputError("expected somebody else before the last person is removed")
        del people[at]
        active = min(self.work.active - (self.work.active > at), len(people) - 1)
        self.work = replace(self.work, people=tuple(people), active=active)
        self._remember(f"Removed: {gone.picture.path.name}")

    def _one_of(self, at: object) -> int:
        """The number of one of the placed people. Raises InputError for anything else."""
        people = self.work.people
        if isinstance(at, bool) or not isinstance(at, int) or not 0 <= at < len(people) or not people[at].placement:
            raise InputError(f"expected the number of one of {len(people)} people, got {str(at)[:20]!r}")
        return at

    def prompt(self, target: str, prompt: Prompt) -> None:
        """Point at something. target: "reference" in the photo, "other" in the other photo, "person": the mask."""
        now, picture = self.choices, self.looked_at(target)
        name, click = f"{STROKES[prompt.kind]}: {WHERE[target]}", prompt if prompt.kind == "click" else None
        if target == "person":
            mask = prompts.subject(picture.pixels, prompt, now.foreground)
            visible = mask if picture.alpha is None else np.minimum(mask, picture.alpha)
            adds = prompt.kind in ("brush", "hint") and now.foreground is not None
            if adds and np.array_equal(visible, now.foreground):
                raise InputError("there is nothing to add: it belongs to the person already, or is transparent")
            self.cut_out(name, mask, click, fresh=prompt.kind in ("click", "box"))
        else:
            elsewhere = target == "other"
            if click and not elsewhere and self._is_on_others(click):
                raise InputError("somebody pasted stands there: expected somebody or something of the photo itself")
            start = now.region if now.elsewhere == elsewhere else None
            self.point_at(name, prompts.region(picture.pixels, prompt, start), elsewhere, click)

    def _is_on_others(self, click: Prompt) -> bool:
        others = [self.scene_of(person).mask for person in self.shown if person is not self.choices]
        return any(mask[prompts.at_pixel(click, mask)] >= 0.5 for mask in others)

    def looked_at(self, target: str) -> UploadedPicture | Scene:
        """What a target is pointed at in. Raises InputError where there is none."""
        if target not in TARGETS:
            raise InputError(f"expected a target out of {', '.join(TARGETS)}, got {str(target)[:20]!r}")
        picture = {"person": self.holder, "other": self.choices.other}.get(target, self.scene)
        if picture is None:
            missing = {"person": "a picture to find the person in, got none", "other": "another photo first"}
            raise InputError(f"expected {missing.get(target, 'a photo with a person in it first')}")
        return picture

    def cut_out(self, name: str, mask: np.ndarray, click: Prompt | None = None, fresh: bool = True) -> None:
        """Let the person be what a mask (h, w) of their picture shows, a step of that name. click: what it comes of;
        fresh: it may be somebody else, who gets a place of their own where the old one does not show them."""
        if self.holder.alpha is not None:  # behind transparent pixels there is nothing to show
            mask = np.minimum(mask, self.holder.alpha)
        place = self.choices.placement
        if fresh and place and not place.shows(self.base.pixels.shape, mask):
            place = None
        self.settle(name, fresh=fresh, foreground=mask, found=True, placement=place)
        self.clicks["person"] = click

    def point_at(self, name: str, region: np.ndarray, elsewhere: bool, click: Prompt | None = None) -> None:
        """Take the look from a region (h, w) of the photo or of the other one, a step of that name. click: what it
        comes of."""
        self._choose(region=region, elsewhere=elsewhere, label="Your choice", look=None)
        self.clicks["other" if elsewhere else "reference"] = click
        self._remember(name)

    def take(self, where: str, index: int) -> None:
        """Take a suggestion of the "photo" or of the "other" one."""
        listed = self.suggestions.get(where, [])
        if not isinstance(index, int) or not 0 <= index < len(listed):
            raise InputError(f"expected one of {len(listed)} suggestions, got {str(index)[:20]!r}")
        chosen = listed[index]
        self._choose(region=chosen.region, elsewhere=where == "other", label=chosen.label, look=None)
        self.clicks.pop("other" if where == "other" else "reference", None)
        self._remember(f"Reference: {chosen.label}")

    def auto(self) -> None:
        """Let the studio choose the reference."""
        if self.scene is None:
            raise InputError("expected a photo with a person in it first")
        self._take_first()
        self.clicks.pop("reference", None)
        self._remember(f"Auto: {self.choices.label}")

    def adjust(self, amounts: Amounts) -> None:
        """Set strength, luminance and chroma."""
        ColorMapping.identity().blended(amounts.strength, amounts.luminance, amounts.chroma)  # checks their range
        before = vars(self.amounts)
        changed = [name for name, value in vars(amounts).items() if value != before[name]]
        self._now(amounts=amounts)
        if changed:
            named = f"{changed[0].capitalize()} {100 * getattr(amounts, changed[0]):.0f} %"
            self._remember(named if len(changed) == 1 else "Amounts")

    def transfer(self, transfer: Transfer) -> None:
        """Set how much of the reference's own colours is taken."""
        if self.mapping is None:
            raise InputError("expected a photo with a person in it first")
        if self.choices.look is not None:
            raise InputError("the look is a recipe's, as it is: a reference was expected first")
        if transfer != self.choices.transfer:
            self._choose(transfer=transfer)
            self._remember(f"Reference's own colours {100 * (1 - transfer.r2):.0f} %")

    def correct(self, adjustments: Adjustments) -> None:
        """Set what is adjusted by hand."""
        before, after = self.choices.adjustments.to_dict(), adjustments.to_dict()
        changed = [name for name, value in after.items() if value != before[name]]
        self._now(adjustments=adjustments)
        if changed:
            named = f"{changed[0].capitalize()} {after[changed[0]]:+g}"
            self._remember(named if len(changed) == 1 else "Adjusted by hand")

    def adjust_edge(self, edge: EdgeAdjustment) -> None:
        """Move, soften or smooth the edge of the person's mask, and clean its colours."""
        if self.choices.foreground is None:
            raise InputError("expected a person first, whose edge to adjust")
        if edge != self.choices.edge:
            self.settle("Edge", edge=edge)

    def go(self, at: object) -> None:
        """Back, or on again, to a step of the history."""
        if not isinstance(at, int) or not 0 <= at < len(self.history.steps):
            raise InputError(f"expected one of {len(self.history.steps)} steps, got {str(at)[:20]!r}")
        self.history = self.history.moved(at)
        self.work = self.history.steps[at].work

    def undo(self) -> None:
        """Take the last choice back."""
        if not self.history.past:
            raise InputError("there is nothing to undo")
        self.go(self.history.at - 1)

    def redo(self) -> None:
        """Do again what was taken back last."""
        if not self.history.future:
            raise InputError("there is nothing to do again")
        self.go(self.history.at + 1)

    def _now(self, at: int | None = None, **changes) -> None:
        person = self.choices if at is None else self.work.people[at]
        self.work = self.work.having(replace(person, **changes), at)

    def _choose(self, at: int | None = None, **changes) -> None:
        """New choices about one of the people, the active one unless it is said, if a result comes out of them."""
        before = self.work
        self._now(at, **changes)
        try:
            go_on()
            self.mapping_of(self.choices if at is None else self.work.people[at])  # raises where they do not match
        except InputError:
            self.work = before
            raise

    def settle(self, name: str, fresh: bool = False, **changes) -> None:
        """The person as changed, a step of that name; if they now cover the reference, the next best takes its place.

        fresh: in a finished composite, somebody else may be the person now, so the suggestions are made anew.
        """
        before = self.work
        self._now(**changes)
        if fresh and "composite" in self.work.pictures:
            self.work = replace(self.work, suggestions=())
        try:
            self._get_ready()
            try:
                go_on()
                self.mapping  # noqa: B018
            except InputError:
                if self.choices.elsewhere:
                    raise
                self._take_first()
        except InputError:
            self.work = before
            raise
        self._remember(name)

    def _remember(self, name: str) -> None:
        """What was decided is a step, as soon as there is a result to go back to."""
        if self.scene is not None and self.choices.region is not None:
            self.history = self.history.added(name, self.work)
