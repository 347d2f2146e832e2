"""Draws a timeline. Whoever imports this imports matplotlib."""

import warnings
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from os import PathLike
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from PIL import Image

from langchain_lmswitch.notebook.axis import Axis, Stretch
from langchain_lmswitch.notebook.drawing_lanes import draw_lanes
from langchain_lmswitch.notebook.drawing_memory import draw_memory
from langchain_lmswitch.notebook.layout import Layout
from langchain_lmswitch.notebook.palette import Palette, Theme, looks, palette
from langchain_lmswitch.notebook.strokes import FONT_PT, Brush
from langchain_lmswitch.types.units import duration

WIDTH_IN: Final = 8.0
_LEFT_IN: Final = 1.98
"""For the names of models."""
_RIGHT_IN: Final = 0.12
_PANEL_IN: Final = 1.25
_LANE_IN: Final = 0.34
_TOP_IN: Final = 0.12
_BOTTOM_IN: Final = 0.56
_GAP_IN: Final = 0.14
_TICK_IN: Final = 0.62
_DPIS: Final = (150, 100)
_MOST_BYTES: Final = 30_000
"""Of a picture in a notebook, which has to stay small."""
_COLORS: Final = 64
"""Of a small picture: a color for each model, and the edges of letters on each."""
_LAST_TICK: Final = 0.99
"""Of the width: the label of a later one would be cut off."""
_CLOCK_FROM_S: Final = 3_600
"""A longer time is told by the clock, a shorter one from its beginning."""


def draw(layout: Layout, theme: Theme | None, *, above_in: float = 0.0) -> Figure:
    """Draw memory above, a lane for each model below, and the time they share.

    Args:
        layout: What to draw.
        theme: For which background; `None` is for any.
        above_in: Height that is left free above all, in inches.
    """
    colors = palette(theme)
    heights_in = [_PANEL_IN] * len(layout.panels) + [_LANE_IN * len(layout.lanes)]
    drawn_in = _TOP_IN + sum(heights_in) + _GAP_IN * len(layout.panels) + _BOTTOM_IN
    figure = Figure((WIDTH_IN, drawn_in + above_in), dpi=100, facecolor=colors.paper or "none")
    brush = Brush(
        palette=colors,
        looks=looks([lane.key for lane in layout.lanes]),
        axis=layout.axis,
        width_in=WIDTH_IN - _LEFT_IN - _RIGHT_IN,
    )
    top_in = drawn_in - _TOP_IN
    for number, tall_in in enumerate(heights_in):
        bottom_in = top_in - tall_in
        axes = _axes(figure, brush, bottom_in, tall_in)
        if number < len(layout.panels):
            draw_memory(axes, layout.panels[number], brush)
        else:
            draw_lanes(axes, layout.lanes, brush)
            axes.tick_params(axis="y", labelsize=FONT_PT - 0.5)
            _time(axes, layout.axis, brush)
        top_in = bottom_in - _GAP_IN
    _legend(figure, layout, colors)
    return figure


def png(figure: Figure) -> bytes:
    """Write a figure sharp enough for fine screens, unless that is too large for a notebook."""
    for dpi in _DPIS:
        if len(written := _png(figure, dpi)) <= _MOST_BYTES:
            break
    return written


def save(figure: Figure, place: str | PathLike[str] | BytesIO, **how: Any) -> None:
    """Write a figure; letters that its font lacks are boxes, and no reason to warn anybody."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from", UserWarning)
        figure.savefig(place, **how)


def _png(figure: Figure, dpi: int) -> bytes:
    drawn, small = BytesIO(), BytesIO()
    save(figure, drawn, format="png", dpi=dpi)
    with Image.open(drawn) as image:
        few = image.quantize(_COLORS, method=Image.Quantize.FASTOCTREE)
        few.save(small, format="png", optimize=True)
    return small.getvalue()


def _axes(figure: Figure, brush: Brush, bottom_in: float, tall_in: float) -> Axes:
    """Make room for one part of the picture, with the silences marked that are cut."""
    width_in, height_in = figure.get_size_inches()
    axes = figure.add_axes(
        (
            _LEFT_IN / width_in,
            bottom_in / height_in,
            brush.width_in / width_in,
            tall_in / height_in,
        )
    )
    _bare(axes, brush.palette)
    _cuts(axes, brush.axis, brush.palette)
    return axes


def _bare(axes: Axes, colors: Palette) -> None:
    axes.set_xlim(0, 1)
    axes.set_facecolor("none")
    axes.tick_params(length=0, labelsize=FONT_PT, colors=colors.ink, pad=3)
    axes.set_xticks([])
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(colors.faint)


def _cuts(axes: Axes, time: Axis, colors: Palette) -> None:
    for cut in time.cuts:
        for x in (cut.left, cut.right):
            axes.axvline(x, color=colors.ink, linewidth=0.6, linestyle=(0, (1, 3)), alpha=0.7)


def _time(axes: Axes, time: Axis, brush: Brush) -> None:
    ticks = _ticks(time, brush)
    axes.set_xticks([time.x(at_s) for at_s in ticks], [_moment(at_s, time) for at_s in ticks])
    axes.tick_params(axis="x", length=2, color=brush.palette.faint)
    for cut, text in _silences(time, brush):
        axes.annotate(
            text,
            ((cut.left + cut.right) / 2, 0),
            xycoords="axes fraction",
            xytext=(0, -14),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=FONT_PT - 1.5,
            color=brush.palette.ink,
            style="italic",
        )


def _ticks(time: Axis, brush: Brush) -> list[float]:
    """Give round moments, by the clock or from the beginning."""
    origin = datetime.fromtimestamp(time.from_s).astimezone()
    if time.to_s - time.from_s >= _CLOCK_FROM_S:
        origin = origin.replace(hour=0, minute=0, second=0, microsecond=0)
    least_apart = _TICK_IN / brush.width_in
    found = time.ticks(least_apart=least_apart, origin_s=origin.timestamp())
    return [at_s for at_s in found if time.x(at_s) <= _LAST_TICK]


def _silences(time: Axis, brush: Brush) -> Iterator[tuple[Stretch, str]]:
    """Say how long the silences were that are cut, as far as there is room."""
    reached = 0.0
    for cut in time.cuts:
        text = f"\u2026{duration(round(cut.to_s - cut.from_s))}\u2026"
        middle, width = (cut.left + cut.right) / 2, 0.8 * brush.text_width(text)
        if middle - width / 2 >= reached:
            reached = middle + width / 2
            yield cut, text


def _moment(at_s: float, time: Axis) -> str:
    if time.to_s - time.from_s >= _CLOCK_FROM_S:
        return datetime.fromtimestamp(at_s).astimezone().strftime("%H:%M")
    since_s = round(at_s - time.from_s, 1)
    if time.to_s - time.from_s < 60:  # noqa: PLR2004 - seconds
        return f"{since_s:g} s"
    return f"{int(since_s) // 60}:{int(since_s) % 60:02}"


def _legend(figure: Figure, layout: Layout, colors: Palette) -> None:
    figure.legend(
        handles=list(_handles(layout, colors)),
        loc="lower right",
        bbox_to_anchor=(1 - _RIGHT_IN / WIDTH_IN, 0.0),
        bbox_transform=figure.transFigure,
        ncols=5,
        frameon=False,
        fontsize=FONT_PT - 1,
        labelcolor=colors.ink,
        handlelength=1.6,
        handleheight=0.8,
        columnspacing=1.4,
        borderaxespad=0.2,
    )


def _handles(layout: Layout, colors: Palette) -> Iterator[Patch | Line2D]:
    """Explain what there is to be seen."""
    ink, kinds = colors.ink, {bar.kind for lane in layout.lanes for bar in lane.bars}
    if "wait" in kinds:
        yield Line2D([], [], color=ink, linestyle=":", linewidth=1.4, label="waiting")
    if "load" in kinds:
        yield Patch(facecolor="none", edgecolor=ink, hatch="/////", linewidth=0.8, label="loading")
    if "resident" in kinds:
        yield Patch(facecolor=ink, alpha=0.35, label="in memory")
    if "answer" in kinds:
        yield Patch(facecolor=ink, label="answering")
    if any(lane.marks for lane in layout.lanes):
        yield Line2D([], [], color=ink, marker="x", linestyle="", markersize=5, label="left memory")
