"""What a method from elsewhere says of itself: in a submitted result, beside its pictures or beside its code."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bench.methods.bibtex import key_of
from iph.errors import InputError
from iph.files import read_bounded

MOST = 65_536  # bytes of a card
CARD = "method.toml"  # beside submitted pictures


def _bibtex(entry: str) -> str:
    if entry:
        key_of(entry)
    return entry


Url = Annotated[str, Field(pattern=r"^(https?://[^\s<>\"']+)?$", max_length=300)]  # no script behind a link
Line = Annotated[str, Field(max_length=300)]


class MethodCard(BaseModel):
    """The facts of a method that tables and the dashboard show."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str = Field(min_length=1, max_length=80)
    citation: Line
    year: int = Field(ge=1980, le=2100)
    venue: Line = ""
    kind: Literal["classical", "generic", "interactive"]
    looks_at: Literal["background", "reference"]
    licence: Line = ""
    parameters: int | None = Field(default=None, ge=0)
    note: Line = ""
    authors: Annotated[tuple[Line, ...], Field(max_length=100)] = ()
    paper: Url = ""
    code: Url = ""
    hardware: Line = ""
    bibtex: Annotated[str, AfterValidator(_bibtex)] = ""

    def facts(self) -> dict:
        """What a table says of the method: what the card does."""
        return self.model_dump(exclude_unset=True, exclude={"name"})


class NamedCard(MethodCard):
    """A card that also says the method's short name, by which rows are kept."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.+_-]*$", max_length=60)


class PictureCard(NamedCard):
    """``method.toml`` beside pictures: whose they are, and what they are measured on."""

    citation: Line = ""
    licence: Line = Field(min_length=1)
    authors: Annotated[tuple[Line, ...], Field(min_length=1, max_length=100)]
    dataset: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)
    protocol: str = "strict"
    size: str | None = None

    def facts(self) -> dict:
        """What a table says of the method."""
        given = self.model_dump(exclude_unset=True, exclude={"name", "dataset", "protocol", "size"})
        return {"citation": f"{', '.join(self.authors)}: {self.title}"} | given


Card = TypeVar("Card", bound=MethodCard)


def read_card(path: Path, form: type[Card] = MethodCard) -> Card | None:
    """The facts in a JSON or TOML file, None where there is none. InputError that names the first wrong field."""
    wanted = f"expected facts of a method as bench/README.md has them in {path}"
    try:
        data = read_bounded(path, MOST)
        if len(data) > MOST:
            raise InputError(f"{wanted}, in at most {MOST} bytes, but it is longer")
        if path.suffix == ".toml":
            return form.model_validate(tomllib.loads(data.decode("utf-8")))
        return form.model_validate_json(data)
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise InputError(f"{wanted}: {fault(error)}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{wanted}, but it is no TOML in UTF-8: {error}") from None


def card_beside(folder: Path) -> MethodCard | None:
    """The card of a folder of pictures: ``method.toml``, or ``method.json``."""
    return read_card(folder / CARD, PictureCard) or read_card(folder / "method.json")


def fault(error: ValidationError) -> str:
    """Where the first wrong field is, and what is wrong with it."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg'].removeprefix('Value error, ')}"
