"""A study's scores for the site: what ``python -m userstudy score STUDY --json`` prints."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.methods.method_card import fault
from iph.errors import InputError
from iph.files import read_small

MOST = 16 * 2**20  # bytes


class Row(BaseModel):
    """One method: its share of the worth, which sums to 1, and the letters of who cannot be told apart."""

    model_config = ConfigDict(extra="ignore")
    method: str
    wins: int
    losses: int
    worth: float | None
    worth_interval: tuple[float, float] | None = None
    rank: int | None
    letters: str


class Pairs(BaseModel):
    """What pairs of pictures came to."""

    model_config = ConfigDict(extra="ignore")
    methods: list[Row]


class Study(BaseModel):
    """A study. ``simulated``: its votes were cast by no person."""

    model_config = ConfigDict(extra="ignore")
    simulated: bool
    pairs: Pairs

    def ranked(self) -> list[Row]:
        """The methods, the best first, those without a rank last."""
        return sorted(self.pairs.methods, key=lambda row: (row.rank is None, row.rank or 0))


def read_study(path: Path) -> Study:
    """The scores in a file. Raises InputError where it holds none."""
    data = read_small(path, MOST, "file of a study's scores")
    try:
        return Study.model_validate_json(data)
    except ValidationError as error:
        found = fault(error)
        raise InputError(
            f"expected scores of pairs, as 'python -m userstudy score --json' prints them, in {path}, but {found}"
        ) from None
