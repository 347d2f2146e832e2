"""What a live view has heard, and what it shows of it; nothing is shown here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Literal, assert_never

from langchain_lmswitch.notebook.words import lapse
from langchain_lmswitch.types.events import LoadProgress
from langchain_lmswitch.types.history import (
    AnswerSpan,
    Departure,
    LoadSpan,
    MemorySample,
    Note,
    Occupancy,
    Span,
    WaitSpan,
)
from langchain_lmswitch.types.units import size

MOST_STEPS: Final = 12
"""What happened before is counted only."""
_WAITED_S: Final = 0.1
"""A wait that was shorter is not worth a line."""

StepKind = Literal["wait", "left", "load", "answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened, or happens."""

    kind: StepKind
    number: int
    at_s: float
    """When it began: Unix time."""
    key: str
    text: str
    why: str = ""
    part: float | None = None
    """How far it has come, from 0 to 1; `None` if that is not known, or it is over."""
    over: bool = True
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that was heard since a live view began; each note makes a new one."""

    begun_s: float
    sample: MemorySample | None = None
    occupancy: Occupancy | None = None
    progress: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Key -> part of its load that is done."""
    spans: tuple[Span | Departure, ...] = ()
    """In the order in which they were heard of first."""
    dropped: int = 0
    """How many are not kept any more."""

    def heard(self, note: Note) -> "Scene":
        """Take a note in."""
        match note:
            case MemorySample():
                return replace(self, sample=note)
            case Occupancy():
                return replace(self, occupancy=note)
            case LoadProgress():
                done = MappingProxyType({**self.progress, note.key: note.fraction})
                return replace(self, progress=done)
            case Departure() | LoadSpan() | WaitSpan() | AnswerSpan():
                return self._with(note)
            case _:
                assert_never(note)

    @property
    def busy(self) -> bool:
        """Whether anything is under way, so that seconds pass."""
        return any(not isinstance(one, Departure) and one.ended_s is None for one in self.spans)

    def steps(self, now_s: float) -> Iterator[Step]:
        """Give what happened, in order."""
        for number, span in enumerate(self.spans, self.dropped):
            if step := self._step(span, number, now_s):
                yield step

    def _with(self, span: Span | Departure) -> "Scene":
        known = [_same(one, span) for one in self.spans]
        if any(known):
            at = known.index(True)
            return replace(self, spans=(*self.spans[:at], span, *self.spans[at + 1 :]))
        spans = (*self.spans, span)
        dropped = max(0, len(spans) - MOST_STEPS)
        return replace(self, spans=spans[dropped:], dropped=self.dropped + dropped)

    def _step(self, span: Span | Departure, number: int, now_s: float) -> Step | None:
        if isinstance(span, Departure):
            text = f"left, to make room for {span.room_for}" if span.room_for else ""
            text = text or ("was unloaded" if span.asked else "is no longer in memory")
            return Step(kind="left", number=number, at_s=span.at_s, key=span.key, text=text)
        over = span.ended_s is not None
        took_s = (now_s if span.ended_s is None else span.ended_s) - span.started_s
        if isinstance(span, WaitSpan) and over and took_s < _WAITED_S:
            return None
        loading = isinstance(span, LoadSpan) and not over
        return Step(
            kind=_kind(span),
            number=number,
            at_s=span.started_s,
            key=span.key,
            text=_text(span, took_s),
            why=_why(span),
            part=self.progress.get(span.key, 0.0) if loading else None,
            over=over,
            failed=not isinstance(span, WaitSpan) and bool(span.failed),
        )


def _same(one: Span | Departure, other: Span | Departure) -> bool:
    if isinstance(one, Departure) or isinstance(other, Departure):
        return False
    return type(one) is type(other) and one.number == other.number


def _kind(span: Span) -> StepKind:
    match span:
        case LoadSpan():
            return "load"
        case WaitSpan():
            return "wait"
        case AnswerSpan():
            return "answer"
        case _:
            assert_never(span)


def _text(span: Span, took_s: float) -> str:
    took = lapse(took_s)
    match span:
        case WaitSpan():
            return f"waited {took}" if span.ended_s else f"is waited for, {took}"
        case LoadSpan(failed="", ended_s=None):
            expected = f" about {size(span.expected_bytes)}" if span.expected_bytes else ""
            return f"is being loaded,{expected or ' size unknown'}, {took}"
        case LoadSpan(failed=""):
            return f"loaded in {took}"
        case LoadSpan():
            return f"could not be loaded: {span.failed}, after {took}"
        case AnswerSpan():
            return _answer_text(span, took)
        case _:
            assert_never(span)


def _answer_text(span: AnswerSpan, took: str) -> str:
    task = f" ({span.task})" if span.task else ""
    if span.failed:
        return f"broke off{task}: {span.failed}, after {took}"
    if span.ended_s is None:
        doing = "reads the prompt" if span.first_token_s is None else "is answering"
        return f"{doing}{task}, {took}"
    parts = [f"answered{task} in {took}"]
    if span.tokens is not None:
        parts.append(f"{span.tokens} tokens")
    if span.first_token_s is not None:
        parts.append(f"the first after {lapse(span.first_token_s - span.started_s)}")
    return ", ".join(parts)


def _why(span: Span) -> str:
    match span:
        case WaitSpan():
            return "" if span.ended_s else span.reason
        case AnswerSpan():
            return span.reason
        case LoadSpan():
            return ""
        case _:
            assert_never(span)
