"""What a number about a method is called, which way is better, and to how many digits it is printed."""

import math
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Quantity:
    """A column of a table: its name in data, its title for people, its direction and its digits after the point."""

    name: str
    title: str
    direction: Literal["higher", "lower"]  # which is better
    digits: int = field(default=2, kw_only=True)

    @property
    def higher_is_better(self) -> bool:
        return self.direction == "higher"

    @property
    def sign(self) -> int:
        """What a value is multiplied by so that more is better."""
        return 1 if self.higher_is_better else -1

    @property
    def heading(self) -> str:
        """The title with the arrow that says which way is better."""
        return f"{self.title} {'↑' if self.higher_is_better else '↓'}"

    def text(self, value: float | None, absent: str = "–", signed: bool = False) -> str:
        """``value`` as it is printed; ``absent`` for none and NaN."""
        if value is None or math.isnan(value):
            return absent
        return f"{value:{'+' if signed else ''}.{self.digits}f}"
