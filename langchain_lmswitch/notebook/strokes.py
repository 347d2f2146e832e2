"""What all that is drawn has in common."""

from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.notebook.axis import Axis
from langchain_lmswitch.notebook.palette import Look, Palette
from langchain_lmswitch.notebook.words import short
from langchain_lmswitch.types.displays.sheets import printable

FONT_PT: Final = 8.5
_CHAR_IN: Final = FONT_PT / 72 * 0.54
"""How wide a letter is, on average."""
_NAME_CHARS: Final = 28
_LEAST_IN: Final = 0.02
"""A bar that is narrower would not be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brush:
    """How things are drawn, and where."""

    palette: Palette
    looks: dict[str, Look]
    axis: Axis
    width_in: float
    """Of the plot: from 0 to 1."""

    def span(self, start_s: float, end_s: float) -> tuple[float, float]:
        """Give the left edge and the width of what took a while."""
        left = self.axis.x(start_s)
        return left, max(_LEAST_IN / self.width_in, self.axis.x(end_s) - left)

    def text_width(self, text: str) -> float:
        """Reckon how wide a text is, as a part of the plot."""
        return (len(text) + 1) * _CHAR_IN / self.width_in


def named(key: str) -> str:
    """Write the name of a model; dollars would begin a formula."""
    return short(printable(key), _NAME_CHARS).replace("$", r"\$")


def on(color: str) -> str:
    """Choose black or white, whichever is read better on a color."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    bright = 0.299 * red + 0.587 * green + 0.114 * blue
    return "#000000" if bright > 150 else "#ffffff"  # noqa: PLR2004 - of 255
