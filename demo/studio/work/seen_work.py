"""What the work looks like on its proxies: everybody's cut-out, their scene, and the change that they get."""

from functools import partial

import numpy as np

from demo.studio.scene import Scene
from demo.studio.suggestions import Suggestion
from demo.studio.uploaded_picture import BEHIND, UploadedPicture
from demo.studio.work.history import Amounts, Choices, Work
from demo.studio.work.kept import KEPT, bytes_of
from demo.studio.work.stack import laid
from iph.mapping import ColorMapping


class SeenWork:
    """``work`` as it is seen. What raises InputError does so because choices do not go together."""

    def __init__(self) -> None:
        self.work = Work()
        self._scenes: list[Scene] = []  # the latest last

    @property
    def choices(self) -> Choices:
        """What was decided about the active person."""
        return self.work.person

    @property
    def pictures(self) -> dict[str, UploadedPicture]:
        """What is open, by kind; of people the active one's."""
        now = {"person": self.choices.picture, "other": self.choices.other}
        return self.work.pictures | {kind: picture for kind, picture in now.items() if picture is not None}

    @property
    def suggestions(self) -> dict[str, tuple[Suggestion, ...]]:
        """What can be taken as reference, of the photo and of the active person's other one."""
        return {"photo": self.work.suggestions, "other": self.choices.offers}

    @property
    def base(self) -> UploadedPicture | None:
        """The picture under everything: the composite, or the background."""
        return self.work.pictures.get("composite") or self.work.pictures.get("background")

    @property
    def holder(self) -> UploadedPicture | None:
        """The picture that the foreground's mask belongs to."""
        return self.holder_of(self.choices)

    def holder_of(self, person: Choices) -> UploadedPicture | None:
        """The same of anybody."""
        return self.work.pictures.get("composite") or person.picture

    @property
    def amounts(self) -> Amounts:
        """How much of the change is taken."""
        return self.choices.amounts

    @property
    def cutout(self) -> np.ndarray | None:
        """The foreground with its edge as adjusted, (h, w) float32 in its picture's proxy; None as long as there is
        none. Behind transparent pixels there is nothing to show."""
        return self.cutout_of(self.choices)

    def cutout_of(self, person: Choices) -> np.ndarray | None:
        """The same of anybody."""
        mask, edge, holder = person.foreground, person.edge, self.holder_of(person)
        if mask is None or holder is None:
            return None
        if not edge.moves:
            return mask

        def adjusted() -> np.ndarray:
            made = edge.apply(mask, mask.shape[0] / holder.size[1])
            return made if holder.alpha is None else np.minimum(made, holder.alpha)

        return KEPT.get("cutout", adjusted, bytes_of, mask, edge, holder)

    @property
    def scene(self) -> Scene | None:
        """The active person on the photo as it stands, or None as long as something is missing."""
        return self.scene_of(self.choices)

    def scene_of(self, person: Choices) -> Scene | None:
        """The same of anybody: each is seen alone on the photo, so that nobody's look depends on another's."""
        base, holder, mask = self.base, self.holder_of(person), self.cutout_of(person)
        if base is None or mask is None or ("composite" not in self.work.pictures and not person.placement):
            return None
        made_of = base, holder, mask, person.placement, person.edge.clean
        scene = next((one for one in self._scenes if one.is_of(*made_of)), None) or Scene(*made_of)
        others = [one for one in self._scenes if one is not scene]
        self._scenes = [*others, scene][-len(self.work.people) - 1 :]
        return scene

    @property
    def mapping(self) -> ColorMapping | None:
        """The colour change at full strength, or None as long as there is no reference."""
        return self.mapping_of(self.choices)

    def mapping_of(self, person: Choices) -> ColorMapping | None:
        """The same of anybody."""
        scene = self.scene_of(person)
        if scene is None or person.region is None:
            return None
        if person.look is not None:
            return person.look.mapping.in_grey() if scene.session.is_grey else person.look.mapping
        return scene.look(person.region, person.other if person.elsewhere else None, person.transfer)

    @property
    def adjusted(self) -> ColorMapping | None:
        """The same with what was adjusted by hand; a picture without colours gets none."""
        return self.adjusted_of(self.choices)

    def adjusted_of(self, person: Choices) -> ColorMapping | None:
        """The same of anybody."""
        mapping = self.mapping_of(person)
        return None if mapping is None else self.scene_of(person).session.adjusted(mapping, person.adjustments)

    @property
    def change(self) -> ColorMapping | None:
        """The colour change as it is taken, or None as long as there is none."""
        return self.change_of(self.choices)

    def change_of(self, person: Choices) -> ColorMapping | None:
        """The same of anybody."""
        adjusted = self.adjusted_of(person)
        return None if adjusted is None else adjusted.blended(**vars(person.amounts))

    @property
    def shown(self) -> list[Choices]:
        """Who is seen, the lowest first."""
        return [person for person in self.work.people if person.shown and self.mapping_of(person) is not None]

    def laid(
        self,
        people: list[Choices],
        changes: list[ColorMapping | None],
        window: tuple[int, int, int, int] | None = None,
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """A window (x, y, width, height) of the photo's proxy, or all of it, with people on it: (h, w, 3) uint8, and
        everybody's mask."""
        rows, columns = self.base.pixels.shape[:2]
        x, y, width, height = window or (0, 0, columns, rows)
        part = np.s_[y : y + height, x : x + width]
        visible = None if self.base.alpha is None else self.base.alpha[part]
        pastes = [partial(self.scene_of(person).paste, (x, y)) for person in people]
        pixels, visible, masks = laid(np.ascontiguousarray(self.base.pixels[part]), visible, pastes, changes)
        if visible is not None:
            pixels = np.where(visible[..., None] > 0, pixels, np.uint8(BEHIND))
        return pixels, masks

    def renderings(self, people: list[Choices]) -> list[list[ColorMapping | None]]:
        """What the page needs to compare and to answer its sliders at once, each as a change for everybody shown.

        All as they were pasted; where there are others, all but the active one changed; the active one at full
        strength; and, where it is not the same, all as it is. Where the active one is hidden, the first and the last.
        """
        changes = [self.change_of(person) for person in people]
        listed = [[None] * len(people)]
        if not self.choices.shown:
            return [*listed, changes] if people else []
        at = people.index(self.choices)
        others = len(people) > 1
        for change in ([None] if others else []) + [self.mapping]:
            listed.append([*changes[:at], change, *changes[at + 1 :]])
        return listed if self.is_plain and not others else [*listed, changes]

    @property
    def is_plain(self) -> bool:
        """Whether the change is the look at full strength and nothing else."""
        return self.amounts == Amounts() and self.choices.adjustments.is_neutral
