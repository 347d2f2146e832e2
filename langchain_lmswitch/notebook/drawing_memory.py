"""Draws who held how much memory."""

from collections.abc import Iterator, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from langchain_lmswitch.notebook.bands import Panel
from langchain_lmswitch.notebook.palette import Look
from langchain_lmswitch.notebook.strokes import FONT_PT, Brush, named, on
from langchain_lmswitch.types.units import size

_LINE_SHARE: Final = 0.13
"""Of the height of a panel, that a line of words takes."""


class _Stack:
    """Layers on one another, from the bottom up."""

    def __init__(self, axes: Axes, panel: Panel, brush: Brush) -> None:
        self._axes = axes
        self._line_bytes = _LINE_SHARE * panel.top_bytes
        self._brush = brush
        self._xs = [brush.axis.x(at_s) for at_s in panel.times_s]
        self._tops = [0] * len(self._xs)

    def add(self, heights: Sequence[int], look: Look, *, name: str) -> None:
        """Draw a layer on top of the others."""
        bottoms = self._tops
        self._tops = [one + more for one, more in zip(bottoms, heights, strict=True)]
        self._axes.fill_between(
            self._xs,
            bottoms,
            self._tops,
            step="post",
            facecolor=look.color,
            hatch=look.hatch or None,
            edgecolor=self._brush.palette.paper or "none",
            linewidth=0,
        )
        self._name(heights, bottoms, look, name)

    def _name(self, heights: Sequence[int], bottoms: Sequence[int], look: Look, name: str) -> None:
        """Write the name and the size where the layer is widest, the size elsewhere."""
        found = sorted(_plateaus(heights, bottoms, self._xs), key=lambda one: one[0] - one[1])
        for number, (left, right, at) in enumerate(found):
            sized = size(heights[at])
            texts = [sized] if number else [f"{name}, {sized}", f"{name}\n{sized}", name, sized]
            fits = [text for text in texts if self._fits(text, right - left, heights[at])]
            if fits:
                middle = bottoms[at] + heights[at] / 2
                self._write((left + right) / 2, middle, fits[0], on(look.color))

    def _fits(self, text: str, width: float, height_bytes: int) -> bool:
        rows = text.split("\n")
        tall = len(rows) * self._line_bytes
        return max(map(self._brush.text_width, rows)) <= width and tall <= height_bytes

    def _write(self, x: float, y: float, text: str, color: str) -> None:
        self._axes.text(x, y, text, ha="center", va="center", fontsize=FONT_PT, color=color)


def draw_memory(axes: Axes, panel: Panel, brush: Brush) -> None:
    """Draw models from the bottom up, other programs on top of them, and the limit."""
    axes.set_ylim(0, panel.top_bytes)
    axes.set_yticks(*_words(panel))
    stack = _Stack(axes, panel, brush)
    for band in panel.bands:
        stack.add(band.heights, brush.looks[band.key], name=named(band.key))
    if panel.others:
        stack.add(panel.others, Look(color=brush.palette.others), name="other programs")
    _comings(axes, panel, brush)
    if panel.limit_bytes is not None:
        axes.axhline(panel.limit_bytes, color=brush.palette.ink, linewidth=1.0, linestyle="--")


def _words(panel: Panel) -> tuple[list[float], list[str]]:
    """Say beside the drawing what it shows: at its middle, and at the limit."""
    middle = 0.42 * min(panel.top_bytes, panel.limit_bytes or panel.top_bytes)
    named = "\n".join(filter(None, (panel.name, panel.note)))
    if panel.limit_bytes is None:
        return [middle], [named]
    limit = f"{panel.limit_name} {size(panel.limit_bytes)}".strip()
    return [middle, panel.limit_bytes], [named, limit]


def _comings(axes: Axes, panel: Panel, brush: Brush) -> None:
    for coming in panel.coming:
        left, width = brush.span(coming.start_s, coming.end_s)
        axes.add_artist(
            Rectangle(
                (left, coming.bottom_bytes),
                width,
                coming.height_bytes,
                fill=False,
                edgecolor=brush.looks[coming.key].color,
                hatch="/////",
                linewidth=0.8,
            )
        )


def _plateaus(
    heights: Sequence[int], bottoms: Sequence[int], xs: Sequence[float]
) -> Iterator[tuple[float, float, int]]:
    """Give each part in which a layer stays as it is: its edges, and its first time."""
    steps, start = list(zip(heights, bottoms, strict=True)), 0
    for at in range(1, len(xs)):
        if steps[at] != steps[start] or at == len(xs) - 1:
            if heights[start]:
                yield xs[start], xs[at], start
            start = at
