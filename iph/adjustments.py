"""A photographer's own words for a colour change: exposure, contrast, highlights, shadows, blacks, temperature, tint,
saturation.

They are a second stage of a colour mapping and not folded into its polynomial: eleven terms refitted to the composed
change miss it by more than 7 of 255 levels (``tests/iph/test_adjustments.py``), and typed numbers would no longer do
what was typed. The stage is a function of one colour alone, so that a ``.cube`` holds it too.

Order, as in a raw developer: exposure and white balance as gains of linear light; then curves of the encoded value,
each monotone over its whole range; then saturation around Rec. 709 luma. The curves are our own.
"""

from dataclasses import asdict, dataclass, fields, replace
from numbers import Real

import numpy as np

from iph.errors import InputError
from iph.images.rgb_space import decoded_srgb, encoded_srgb

REC709 = np.array([0.2126, 0.7152, 0.0722])
HUNDRED = 100.0  # full scale of all but exposure
WARM, GREEN = 0.5, 0.4  # stops of red against blue, and of green, at full temperature and tint
DEPTH = 1.5  # stops of the encoded value at the end that shadows and highlights move
LIFT = 0.15  # of full scale, how far blacks moves black
STEEPEN = 0.7  # stops of the slope at middle grey


@dataclass(frozen=True)
class Range:
    """What a number may be, in which unit it is said, and what it does."""

    least: float
    most: float
    step: float
    unit: str
    about: str


RANGES = {
    "exposure": Range(-3, 3, 0.05, "stops", "light, as a longer exposure"),
    "contrast": Range(-100, 100, 1, "", "the slope around middle grey"),
    "highlights": Range(-100, 100, 1, "", "the light tones"),
    "shadows": Range(-100, 100, 1, "", "the dark tones"),
    "blacks": Range(-100, 100, 1, "", "how dark the darkest is"),
    "temperature": Range(-100, 100, 1, "", "white balance: below 0 colder, above warmer"),
    "tint": Range(-100, 100, 1, "", "white balance: below 0 greener, above more magenta"),
    "saturation": Range(-100, 100, 1, "", "strength of the colours, -100 is grey"),
}


@dataclass(frozen=True)
class Adjustments:
    """Numbers within ``RANGES``, 0 for no change. Raises InputError for others."""

    exposure: float = 0.0
    contrast: float = 0.0
    highlights: float = 0.0
    shadows: float = 0.0
    blacks: float = 0.0
    temperature: float = 0.0
    tint: float = 0.0
    saturation: float = 0.0

    def __post_init__(self) -> None:
        for name, allowed in RANGES.items():
            value = getattr(self, name)
            is_number = isinstance(value, Real) and not isinstance(value, bool)
            if not is_number or not allowed.least <= value <= allowed.most:
                limits = f"{allowed.least:g} to {allowed.most:g}"
                raise InputError(f"expected {name} from {limits}, as a number, got {str(value)[:20]!r}")

    @property
    def is_neutral(self) -> bool:
        """Whether nothing is changed."""
        return not any(getattr(self, one.name) for one in fields(self))

    def in_grey(self) -> "Adjustments":
        """Those that keep grey grey."""
        return replace(self, temperature=0.0, tint=0.0, saturation=0.0)

    def apply(self, colors: np.ndarray) -> np.ndarray:
        """Colours (…, 3) float, sRGB-encoded, adjusted: of the same dtype, finite where they were.

        Within [0, 1] they stay there. What lies beyond, of a wider gamut, keeps its distance to the nearest colour
        within.
        """
        if self.is_neutral:
            return colors.copy()
        inside = np.clip(colors, 0, 1)
        return saturated(self._toned(inside), self.saturation) + (colors - inside)

    def _toned(self, inside: np.ndarray) -> np.ndarray:
        gains = light_gains(self.exposure, self.temperature, self.tint).astype(inside.dtype)
        toned = inside if (gains == 1).all() else encoded_srgb(np.clip(decoded_srgb(inside) * gains, 0, 1))
        for curve in (blacks, shadows, highlights, contrast):
            amount = getattr(self, curve.__name__)
            toned = curve(toned, amount) if amount else toned
        return toned

    def to_dict(self) -> dict:
        """Plain numbers, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: object) -> "Adjustments":
        """What ``to_dict`` wrote; what is not named is 0. Raises InputError on anything else."""
        if not isinstance(data, dict) or not data.keys() <= RANGES.keys():
            raise InputError(f"expected {', '.join(RANGES)} as adjustments, got something else")
        return cls(**data)


NEUTRAL = Adjustments()


def light_gains(exposure: float, temperature: float, tint: float) -> np.ndarray:
    """Gains (3,) of linear red, green and blue. White keeps its luminance under another balance."""
    warm, magenta = WARM * temperature / HUNDRED, GREEN * tint / HUNDRED
    balance = np.exp2([warm + magenta / 2, -magenta, -warm + magenta / 2])
    return np.exp2(exposure) * balance / (balance @ REC709)


def blacks(values: np.ndarray, amount: float) -> np.ndarray:
    """Encoded values in [0, 1] with black moved by up to ``LIFT``, white kept; amount -100 to 100."""
    return np.clip(values + LIFT * amount / HUNDRED * (1 - values) ** 4, 0, 1)


def shadows(values: np.ndarray, amount: float) -> np.ndarray:
    """Encoded values in [0, 1], the darker ones multiplied; amount -100 to 100."""
    return np.clip(values * np.exp2(DEPTH * amount / HUNDRED * (1 - values) ** 3), 0, 1)


def highlights(values: np.ndarray, amount: float) -> np.ndarray:
    """``shadows`` from the other end: the lighter ones, away from white for amounts below 0."""
    return 1 - shadows(1 - values, -amount)


def contrast(values: np.ndarray, amount: float) -> np.ndarray:
    """Encoded values in [0, 1] further from middle grey, or nearer; black, grey and white stay; amount -100 to 100."""
    away = values - 0.5
    return np.clip(0.5 + away * np.exp2(STEEPEN * amount / HUNDRED * (1 - 4 * away**2)), 0, 1)


def saturated(colors: np.ndarray, amount: float) -> np.ndarray:
    """Encoded colours (…, 3) in [0, 1] further from their luma, which stays, or nearer; amount -100 to 100. No channel
    is driven out of range: there a colour goes only as far as it can."""
    if not amount:
        return colors
    luma = (colors @ REC709.astype(colors.dtype))[..., None]
    chroma = colors - luma
    above, below = chroma.max(-1, keepdims=True), -chroma.min(-1, keepdims=True)
    room = np.minimum((1 - luma) / np.maximum(above, 1e-9), luma / np.maximum(below, 1e-9))
    return np.clip(luma + np.minimum(1 + amount / HUNDRED, np.maximum(room, 1)).astype(colors.dtype) * chroma, 0, 1)
