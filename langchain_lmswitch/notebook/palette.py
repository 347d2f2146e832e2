"""Colors of the pictures: for the color-blind too, in grey too, on light and on dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Theme = Literal["light", "dark"]

COLORS: Final = ("#4477aa", "#ee7733", "#228833", "#aa3377", "#66ccee", "#bbaa33")
"""Of models. Paul Tol's bright scheme, with his vibrant orange: they differ in brightness, too."""
HATCHES: Final = ("", "...", "xxx")
"""Tell apart the models that share a color."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colors of all but models."""

    ink: str
    faint: str
    """Of lines that only lead the eye."""
    others: str
    """Of other programs."""
    warning: str
    paper: str | None
    """Of the background; `None` is transparent."""


_PALETTES: Final[dict[Theme | None, Palette]] = {
    "light": Palette(
        ink="#24292f", faint="#d0d7de", others="#afb8c1", warning="#cf222e", paper="#ffffff"
    ),
    "dark": Palette(
        ink="#e6edf3", faint="#30363d", others="#484f58", warning="#ff7b72", paper="#0d1117"
    ),
    None: Palette(
        ink="#7b848e", faint="#7b848e59", others="#7b848e80", warning="#e5534b", paper=None
    ),
}


def palette(theme: Theme | None) -> Palette:
    """Give the colors of a theme; `None` is readable on light and on dark."""
    return _PALETTES[theme]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one model is drawn, everywhere in a picture."""

    color: str
    hatch: str = ""


def looks(keys: Sequence[str]) -> dict[str, Look]:
    """Give each model a look of its own, in their order."""
    return {
        key: Look(
            color=COLORS[number % len(COLORS)],
            hatch=HATCHES[number // len(COLORS) % len(HATCHES)],
        )
        for number, key in enumerate(keys)
    }
