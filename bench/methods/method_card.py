"""What a method from elsewhere says of itself: in a submitted result, beside its pictures or beside its code."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from iph.errors import InputError


class MethodCard(BaseModel):
    """The facts of a method that tables and the dashboard show."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str = Field(min_length=1, max_length=80)
    citation: str
    year: int = Field(ge=1980, le=2100)
    venue: str = ""
    kind: Literal["classical", "generic", "interactive"]
    looks_at: Literal["background", "reference"]
    licence: str = ""
    parameters: int | None = Field(default=None, ge=0)
    note: str = ""


def read_card(path: Path) -> MethodCard | None:
    """The facts in a JSON file, None where there is none. Raises InputError that names the first wrong field."""
    try:
        return MethodCard.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise InputError(f"expected facts of a method as bench/README.md has them in {path}: {fault(error)}") from None


def fault(error: ValidationError) -> str:
    """Where the first wrong field is, and what is wrong with it."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
