"""The lanes of a timeline: what each model did, and when."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from langchain_lmswitch.types.history import AnswerSpan, LoadSpan, Past, WaitSpan

BarKind = Literal["wait", "load", "resident", "answer"]

_FAILED: Final = "failed"

MOST_LANES: Final = 12
MOST_ROWS: Final = 3
"""Answers at the same time that are drawn one below the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Something that took a while."""

    kind: BarKind
    start_s: float
    end_s: float
    label: str = ""
    failed: bool = False
    row: int = 0
    """Which of the answers at the same time it is, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A model left memory."""

    at_s: float
    label: str
    evicted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What one model did."""

    key: str
    bars: tuple[Bar, ...] = ()
    marks: tuple[Mark, ...] = ()
    rows: int = 1
    """Answers at the same time, at most."""

    @property
    def begins_s(self) -> float:
        """When it was first heard of."""
        return min([bar.start_s for bar in self.bars] + [mark.at_s for mark in self.marks])


def lanes(past: Past, *, from_s: float, to_s: float) -> tuple[Lane, ...]:
    """Give a lane to each model that did anything between two moments, the first one first.

    Of more than `MOST_LANES`, those that did most.
    """
    bars = [(key, bar) for key, bar in _bars(past) if bar.end_s >= from_s and bar.start_s <= to_s]
    marks = [(key, mark) for key, mark in _marks(past) if from_s <= mark.at_s <= to_s]
    found = [_lane(key, bars, marks, from_s, to_s) for key in {key for key, _ in [*bars, *marks]}]
    busiest = sorted(found, key=lambda one: (-len(one.bars), one.key))[:MOST_LANES]
    return tuple(sorted(busiest, key=lambda one: (one.begins_s, one.key)))


def _lane(
    key: str,
    bars: Sequence[tuple[str, Bar]],
    marks: Sequence[tuple[str, Mark]],
    from_s: float,
    to_s: float,
) -> Lane:
    mine = [_clipped(bar, from_s, to_s) for owner, bar in bars if owner == key]
    answers = tuple(_in_rows([bar for bar in mine if bar.kind == "answer"]))
    return Lane(
        key=key,
        bars=(*(bar for bar in mine if bar.kind != "answer"), *answers),
        marks=tuple(mark for owner, mark in marks if owner == key),
        rows=max([bar.row + 1 for bar in answers], default=1),
    )


def _bars(past: Past) -> Iterator[tuple[str, Bar]]:
    spans: list[WaitSpan | LoadSpan | AnswerSpan] = [*past.waits, *past.loads, *past.answers]
    for span in spans:
        end_s = past.now_s if span.ended_s is None else span.ended_s
        yield span.key, _bar(span, end_s)
    yield from _residents(past)


def _bar(span: WaitSpan | LoadSpan | AnswerSpan, end_s: float) -> Bar:
    match span:
        case WaitSpan():
            return Bar(kind="wait", start_s=span.started_s, end_s=end_s)
        case LoadSpan():
            failed = bool(span.failed)
            label = _FAILED if failed else ""
            return Bar(kind="load", start_s=span.started_s, end_s=end_s, label=label, failed=failed)
        case AnswerSpan():
            failed = bool(span.failed)
            label = f"{span.task}, {_FAILED}" if failed else span.task
            return Bar(
                kind="answer", start_s=span.started_s, end_s=end_s, label=label, failed=failed
            )


def _residents(past: Past) -> Iterator[tuple[str, Bar]]:
    """Tell when each model was in memory."""
    since: dict[str, tuple[str, float]] = {}
    for occupancy in past.occupancies:
        there = {one.identifier: one.key for one in occupancy.shares}
        for identifier in [one for one in since if one not in there]:
            key, start_s = since.pop(identifier)
            yield key, Bar(kind="resident", start_s=start_s, end_s=occupancy.at_s)
        for identifier, key in there.items():
            since.setdefault(identifier, (key, occupancy.at_s))
    for key, start_s in since.values():
        yield key, Bar(kind="resident", start_s=start_s, end_s=past.now_s)


def _marks(past: Past) -> Iterator[tuple[str, Mark]]:
    for one in past.departures:
        label = "evicted" if one.room_for else "unloaded" if one.asked else "gone"
        yield one.key, Mark(at_s=one.at_s, label=label, evicted=bool(one.room_for))


def _clipped(bar: Bar, from_s: float, to_s: float) -> Bar:
    return replace(bar, start_s=max(bar.start_s, from_s), end_s=min(bar.end_s, to_s))


def _in_rows(answers: Iterable[Bar]) -> Iterator[Bar]:
    """Put answers at the same time below one another; what finds no row shares the last one."""
    free_s = [float("-inf")] * MOST_ROWS
    for bar in sorted(answers, key=lambda one: one.start_s):
        row = next((row for row, at_s in enumerate(free_s) if at_s <= bar.start_s), MOST_ROWS - 1)
        free_s[row] = max(free_s[row], bar.end_s)
        yield replace(bar, row=row)
