"""Draws what each model did."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from langchain_lmswitch.notebook.lanes import Bar, Lane
from langchain_lmswitch.notebook.strokes import FONT_PT, Brush, named, on

_TALL: Final = 0.76
"""Of a bar, as a part of its lane."""
_MARK: Final = 0.008
"""Half the width of a mark, as a part of the plot."""
_BEYOND: Final = 1.02
"""As far as words may reach, a little over the edge."""
_SPACE: Final = 0.005
"""Before words that stand beside something."""


def draw_lanes(axes: Axes, lanes: Sequence[Lane], brush: Brush) -> None:
    """Draw a lane for each model, the first one on top."""
    axes.set_ylim(len(lanes), 0)
    axes.set_yticks(
        [number + 0.5 for number in range(len(lanes))],
        [named(lane.key) for lane in lanes],
    )
    for number, lane in enumerate(lanes):
        _lane(axes, lane, number, brush)


def _lane(axes: Axes, lane: Lane, number: int, brush: Brush) -> None:
    color = brush.looks[lane.key].color
    for bar in lane.bars:
        match bar.kind:
            case "wait":
                _wait(axes, bar, number, brush)
            case "load":
                _box(axes, bar, number, brush, edgecolor=color, fill=False, hatch="/////")
            case "resident":
                _box(axes, bar, number, brush, facecolor=color, alpha=0.35, linewidth=0)
            case "answer":
                _answer(axes, bar, lane, number, brush)
    for text, left in _labels(lane, brush):
        axes.text(left, number + 0.5, text, va="center", fontsize=FONT_PT, color=brush.palette.ink)
    for mark in lane.marks:
        axes.plot(
            [brush.axis.x(mark.at_s)],
            [number + 0.5],
            marker="x",
            markersize=5.5,
            markeredgewidth=1.5,
            color=brush.palette.ink,
            zorder=4,
        )


def _box(axes: Axes, bar: Bar, number: int, brush: Brush, **style: object) -> None:
    left, width = brush.span(bar.start_s, bar.end_s)
    if bar.failed:
        style["edgecolor"] = brush.palette.warning
    bottom = number + (1 - _TALL) / 2
    axes.add_artist(Rectangle((left, bottom), width, _TALL, **{"linewidth": 0.8, **style}))  # type: ignore[arg-type]  # its own options


def _wait(axes: Axes, bar: Bar, number: int, brush: Brush) -> None:
    left, width = brush.span(bar.start_s, bar.end_s)
    axes.plot(
        [left, left + width],
        [number + 0.5] * 2,
        linestyle=":",
        linewidth=1.4,
        color=brush.palette.ink,
        zorder=3,
    )


def _answer(axes: Axes, bar: Bar, lane: Lane, number: int, brush: Brush) -> None:
    left, width = brush.span(bar.start_s, bar.end_s)
    tall = _TALL / lane.rows
    bottom = number + (1 - _TALL) / 2 + tall * bar.row
    color = brush.looks[lane.key].color
    edge = brush.palette.warning if bar.failed else "none"
    axes.add_artist(
        Rectangle((left, bottom), width, tall, facecolor=color, edgecolor=edge, linewidth=1.2)
    )
    if _inside(bar, lane, brush):
        axes.text(
            left + width / 2,
            bottom + tall / 2,
            bar.label,
            ha="center",
            va="center",
            fontsize=FONT_PT,
            color=on(color),
        )


def _inside(bar: Bar, lane: Lane, brush: Brush) -> bool:
    _, width = brush.span(bar.start_s, bar.end_s)
    fits = brush.text_width(bar.label) <= width
    return bar.kind == "answer" and lane.rows == 1 and fits


def _labels(lane: Lane, brush: Brush) -> Iterator[tuple[str, float]]:
    """Give the words beside bars and marks, and where: only where there is room for them."""
    if lane.rows > 1:
        return
    waiting = [
        (bar.label, sum(brush.span(bar.start_s, bar.end_s)))
        for bar in lane.bars
        if bar.label and not _inside(bar, lane, brush)
    ]
    waiting += [(mark.label, brush.axis.x(mark.at_s) + _MARK) for mark in lane.marks]
    reached, edges = 0.0, _Edges(lane, brush)
    for text, left in sorted(waiting, key=lambda one: one[1]):
        start = left + _SPACE
        end = start + brush.text_width(text)
        if start >= reached and end <= edges.after(start):
            reached = end
            yield text, start


class _Edges:
    """Where things begin in a lane; of many, the next one is found without looking at all."""

    def __init__(self, lane: Lane, brush: Brush) -> None:
        marks = [(brush.axis.x(mark.at_s) - _MARK, 2 * _MARK) for mark in lane.marks]
        spans = [(bar.kind, brush.span(bar.start_s, bar.end_s)) for bar in lane.bars]
        taken = sorted([*marks, *(span for kind, span in spans if kind != "resident")])
        self._taken = [left for left, _ in taken]
        self._reached = list(accumulate((left + width for left, width in taken), max))
        self._residents = sorted(left for kind, (left, _) in spans if kind == "resident")

    def after(self, x: float) -> float:
        """Tell where the next thing begins; that a model is in memory already is no hindrance."""
        taken = self._taken[bisect_right(self._reached, x) :][:1]
        resident = self._residents[bisect_right(self._residents, x) :][:1]
        return min([*taken, *resident], default=_BEYOND)
