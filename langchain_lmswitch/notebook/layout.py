"""What a timeline shows: time, lanes and memory, laid out; nothing is drawn here."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from langchain_lmswitch.notebook.axis import Axis, Interval, axis
from langchain_lmswitch.notebook.bands import Panel, panels
from langchain_lmswitch.notebook.lanes import Lane, lanes
from langchain_lmswitch.types.history import AnswerSpan, Departure, LoadSpan, Past, WaitSpan

_BEFORE: Final = 0.02
_AFTER: Final = 0.09
"""Of the time shown, before the first and after the last that happened, which may need words."""
_LEAST_S: Final = 0.5
"""Less time is not shown."""

Happening = LoadSpan | WaitSpan | AnswerSpan | Departure


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A timeline, ready to be drawn."""

    axis: Axis
    lanes: tuple[Lane, ...]
    panels: tuple[Panel, ...]


def since(past: Past, last_s: float | None) -> Past:
    """Leave out what was over more than `last_s` seconds ago; `None` leaves out nothing."""
    if last_s is None:
        return past
    from_s = past.now_s - last_s
    return replace(
        past,
        loads=tuple(one for one in past.loads if _end_s(one, past) >= from_s),
        waits=tuple(one for one in past.waits if _end_s(one, past) >= from_s),
        answers=tuple(one for one in past.answers if _end_s(one, past) >= from_s),
        departures=tuple(one for one in past.departures if one.at_s >= from_s),
    )


def happenings(past: Past) -> tuple[Happening, ...]:
    """List what happened, in the order in which it began."""
    found: list[Happening] = [*past.loads, *past.waits, *past.answers, *past.departures]
    return tuple(sorted(found, key=_start_s))


def layout(past: Past, last_s: float | None = None) -> Layout | None:
    """Lay out what is remembered; `None` if nothing has happened."""
    seen = since(past, last_s)
    busy = [*_intervals(seen)]
    if not busy:
        return None
    from_s, to_s = _margins(busy, min(start for start, _ in busy), max(end for _, end in busy))
    if last_s is not None:
        from_s = max(from_s, past.now_s - last_s)
    found = lanes(seen, from_s=from_s, to_s=to_s)
    keys = [lane.key for lane in found]
    return Layout(
        axis=axis(busy, from_s=from_s, to_s=to_s),
        lanes=found,
        panels=panels(seen, keys, from_s=from_s, to_s=min(to_s, past.now_s)),
    )


def _margins(busy: list[Interval], from_s: float, to_s: float) -> tuple[float, float]:
    """Add a little time at either end, by what is drawn to scale."""
    loud_s = axis(busy, from_s=from_s, to_s=to_s).loud_s
    shown_s = max(loud_s, _LEAST_S)
    return from_s - _BEFORE * shown_s, to_s + _AFTER * shown_s + (shown_s - loud_s)


def _intervals(past: Past) -> Iterator[Interval]:
    """Tell when something happened; that a model is in memory is no event."""
    for one in happenings(past):
        yield _start_s(one), _end_s(one, past)


def _start_s(one: Happening) -> float:
    return one.at_s if isinstance(one, Departure) else one.started_s


def _end_s(one: Happening, past: Past) -> float:
    if isinstance(one, Departure):
        return one.at_s
    return past.now_s if one.ended_s is None else one.ended_s
