"""A live view at one moment, as HTML and as text: the same facts in both."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

from langchain_lmswitch.notebook.meter import Meter, Part, meters
from langchain_lmswitch.notebook.palette import COLORS
from langchain_lmswitch.notebook.scene import Scene, Step
from langchain_lmswitch.notebook.words import lapse
from langchain_lmswitch.types.displays.sheets import printable
from langchain_lmswitch.types.units import plural

QUIET: Final = "Nothing has happened yet."

INDENT: Final = 10 * " "
"""Before what belongs to the line above."""

_GREY: Final = "rgba(127,127,127,.45)"
_TRACK: Final = "rgba(127,127,127,.18)"
_BAR: Final = (
    "display:flex;height:.8em;margin:.15em 0;border-radius:.2em;overflow:hidden;"
    f"background:{_TRACK}"
)
_TABLE: Final = "border:none;border-collapse:collapse;font-size:inherit;color:inherit"
_CELL: Final = "padding:.1em .8em .1em 0;text-align:left;vertical-align:top;border:none"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is shown of a scene at one moment."""

    steps: tuple[Step, ...]
    earlier: int
    """Steps that are not shown any more."""
    meters: tuple[Meter, ...]
    begun_s: float
    colors: tuple[str, ...]
    """Keys of all models, in the order of their colors."""

    def __repr__(self) -> str:
        return "\n".join(lines(self))

    def _repr_html_(self) -> str:
        return html(self)


def view(scene: Scene, now_s: float) -> View:
    """Show a scene as it is now."""
    found = tuple(meters(scene.sample, scene.occupancy))
    steps = tuple(scene.steps(now_s))
    models = [part.key for meter in found for part in meter.parts if part.key]
    keys = dict.fromkeys([*(step.key for step in steps), *models])
    return View(
        steps=steps,
        earlier=scene.dropped,
        meters=found,
        begun_s=scene.begun_s,
        colors=tuple(keys),
    )


def lines(shown: View) -> Iterator[str]:
    """Write it as lines of text."""
    yield from (printable(meter.text) for meter in shown.meters)
    if shown.earlier:
        yield f"({plural(shown.earlier, 'earlier step')})"
    if not shown.steps:
        yield QUIET
    for step in shown.steps:
        yield line(step, shown.begun_s)
        if step.why:
            yield f"{INDENT}{printable(step.why)}"


def line(step: Step, begun_s: float) -> str:
    """Write one step as a line of text."""
    since = lapse(max(0.0, step.at_s - begun_s))
    part = "" if step.part is None else f" {_blocks(step.part)} {step.part:.0%}"
    return f"{since:>8}  {printable(step.key)} {printable(step.text)}{part}"


def html(shown: View) -> str:
    """Write it as HTML; the colors of text and page are those of the page around it."""
    rows = "".join(_row(step, shown) for step in shown.steps)
    bars = "".join(_meter(meter, shown) for meter in shown.meters)
    earlier = f"<div>({plural(shown.earlier, 'earlier step')})</div>" if shown.earlier else ""
    table = f'<table style="{_TABLE}">{rows}</table>'
    return (
        '<div style="font-size:.95em;line-height:1.45;max-width:60em">'
        f"{bars}{earlier}{table if rows else QUIET}</div>"
    )


def _meter(meter: Meter, shown: View) -> str:
    whole = meter.total_bytes or sum(part.held_bytes for part in meter.parts) or 1
    parts = "".join(_part(part, whole, shown) for part in meter.parts)
    return f'<div>{_safe(meter.text)}<div style="{_BAR}">{parts}</div></div>'


def _part(part: Part, whole_bytes: int, shown: View) -> str:
    width = min(100.0, 100 * part.held_bytes / whole_bytes)
    color = _color(part.key, shown) if part.key else _GREY
    name = _safe(part.name)
    return f'<div title="{name}" style="width:{width:.2f}%;background:{color}"></div>'


def _row(step: Step, shown: View) -> str:
    since = lapse(max(0.0, step.at_s - shown.begun_s))
    text = _safe(step.text)
    if step.failed:
        text = f"\u26a0 {text}"
    if step.part is not None:
        done = f'<div style="width:{step.part:.0%};background:{_color(step.key, shown)}"></div>'
        text += f' {step.part:.0%}<div style="{_BAR}">{done}</div>'
    if step.why:
        text += f'<div style="opacity:.7">{_safe(step.why)}</div>'
    square = f'<span style="color:{_color(step.key, shown)}">\u25a0</span>'
    cells = (
        f'<td style="{_CELL};white-space:nowrap;opacity:.7">{since}</td>'
        f'<td style="{_CELL};white-space:nowrap">{square} {_safe(step.key)}</td>'
        f'<td style="{_CELL}">{text}</td>'
    )
    return f'<tr style="background:none">{cells}</tr>'


def _color(key: str, shown: View) -> str:
    return COLORS[shown.colors.index(key) % len(COLORS)]


def _blocks(part: float) -> str:
    done = round(10 * min(1.0, max(0.0, part)))
    return "\u2588" * done + "\u2591" * (10 - done)


def _safe(text: str) -> str:
    return escape(printable(text), quote=True)
