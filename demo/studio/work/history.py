"""The one history of a visitor's work: every choice that was made, by name, to be taken back or done again."""

from dataclasses import dataclass, field, replace

import numpy as np

from demo.studio.suggestions import Suggestion
from demo.studio.uploaded_picture import UploadedPicture
from iph.adjustments import NEUTRAL, Adjustments
from iph.mapping import ColorMapping, check_amount
from iph.masks.edge_adjust import EdgeAdjustment
from iph.placement import Placement

MOST = 40  # steps; a mask of a proxy weighs up to 4 MB, and steps share those that did not change
MOST_PICTURES = 24  # originals that steps can be gone back to


@dataclass(frozen=True)
class Amounts:
    """How much of the change is taken, and of its luminance and chroma, 0 to 2."""

    strength: float = 1.0
    luminance: float = 1.0
    chroma: float = 1.0


@dataclass(frozen=True)
class Transfer:
    """The colour transfer of the paper's eq. 7, 0 to 2: the smaller r2, the more of the reference's own colours.

    In match, r2 below 1 also goes beyond what the match believes of the reference (``iph.match.look``).
    """

    r1: float = 1.0
    r2: float = 1.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            check_amount(name, value)


@dataclass(frozen=True, eq=False)
class Look:
    """A recipe's colour change at full strength, by the recipe's name, without what was adjusted by hand."""

    name: str
    mapping: ColorMapping


@dataclass(frozen=True, eq=False)
class Choices:
    """What the visitor decided about one person.

    picture: theirs, None where they are part of a finished composite. foreground: (h, w) float32 in its proxy, or in
    the composite's, before ``edge``; ``found`` says that it is not that picture's own alpha or mask file. other: the
    photo that was opened for their look, and ``offers`` what can be taken from it. region: the reference, in the
    photo's proxy or, ``elsewhere``, in the other photo's; label: what it is called. look: a recipe's, in the place of
    the region's. shown: whether they are seen.
    """

    picture: UploadedPicture | None = None
    placement: Placement | None = None
    foreground: np.ndarray | None = None
    found: bool = False
    other: UploadedPicture | None = None
    offers: tuple[Suggestion, ...] = ()
    region: np.ndarray | None = None
    elsewhere: bool = False
    label: str = ""
    edge: EdgeAdjustment = field(default_factory=EdgeAdjustment)
    amounts: Amounts = field(default_factory=Amounts)
    transfer: Transfer = field(default_factory=Transfer)
    adjustments: Adjustments = NEUTRAL
    look: Look | None = None
    shown: bool = True

    @property
    def look_only(self) -> "Choices":
        """Of it what is good for other pictures too."""
        return Choices(amounts=self.amounts, transfer=self.transfer, adjustments=self.adjustments)


@dataclass(frozen=True, eq=False)
class Work:
    """All that the visitor decided. Nothing in it is ever changed, so that a step of the history is one of these.

    pictures: what is under everybody, the "background" or the finished "composite", and its "mask" where it came as a
    file. suggestions: what of it can be taken as reference. people: who is pasted, the lowest first; ``active`` is the
    one whom the page's tools are for.
    """

    pictures: dict[str, UploadedPicture] = field(default_factory=dict)
    suggestions: tuple[Suggestion, ...] = ()
    people: tuple[Choices, ...] = (Choices(),)
    active: int = 0

    @property
    def person(self) -> Choices:
        """Whom the tools are for."""
        return self.people[self.active]

    def having(self, person: Choices, at: int | None = None) -> "Work":
        """With somebody as they are now. at: who of the people, the active one unless it is said."""
        at = self.active if at is None else at
        return replace(self, people=(*self.people[:at], person, *self.people[at + 1 :]))

    @property
    def originals(self) -> dict[str, UploadedPicture]:
        """Every picture that it needs, by id."""
        used = [*self.pictures.values(), *(one for person in self.people for one in (person.picture, person.other))]
        return {picture.id: picture for picture in used if picture is not None}


@dataclass(frozen=True, eq=False)
class Step:
    """A choice by name, and everything as it was then."""

    name: str
    work: Work


@dataclass(frozen=True, eq=False)
class History:
    """``steps`` from the first result on, of which ``at`` is the one that is seen."""

    steps: tuple[Step, ...] = ()
    at: int = 0

    @property
    def past(self) -> tuple[Step, ...]:
        """What can be gone back to."""
        return self.steps[: self.at]

    @property
    def future(self) -> tuple[Step, ...]:
        """What was taken back."""
        return self.steps[self.at + 1 :]

    @property
    def originals(self) -> dict[str, UploadedPicture]:
        """Every picture that a step needs, by id."""
        return {name: picture for step in self.steps for name, picture in step.work.originals.items()}

    def added(self, name: str, work: Work) -> "History":
        """With one more step, in the place of what was taken back."""
        steps = (*self.steps[: self.at + 1], Step(name, work))[-MOST:]
        while len(steps) > 1 and len(History(steps).originals) > MOST_PICTURES:
            steps = steps[1:]
        return History(steps, len(steps) - 1)

    def amended(self, work: Work) -> "History":
        """With other work at the step that is seen: what is no decision, as who is active, needs no step."""
        if not self.steps:
            return self
        step = replace(self.steps[self.at], work=work)
        return History((*self.past, step, *self.future), self.at)

    def moved(self, at: int) -> "History":
        """The same, seen at another step."""
        return replace(self, at=at)
