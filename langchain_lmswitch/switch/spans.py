"""What takes a while, from its beginning to its end."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Generic, TypeVar

from langchain_lmswitch.types.history import AnswerSpan, LoadSpan, WaitSpan

S = TypeVar("S", LoadSpan, WaitSpan, AnswerSpan)


class Spans(Generic[S]):
    """Spans of one kind: those under way, and the last of those that are over.

    Args:
        most: How many of these are remembered.
        clock: Unix time in seconds.
        tell: Is told each span, whenever it changes.
    """

    def __init__(self, *, most: int, clock: Callable[[], float], tell: Callable[[S], None]) -> None:
        self._clock = clock
        self._tell: Callable[[S], None] = tell
        self._numbers = count(1)
        self._open: dict[int, S] = {}
        self._over: deque[S] = deque(maxlen=most)

    @property
    def under_way(self) -> tuple[S, ...]:
        """Those that are not over."""
        return tuple(self._open.values())

    def all(self) -> tuple[S, ...]:
        """Give all, in the order in which they began."""
        found: list[S] = list(self._over)
        found += self._open.values()
        return tuple(sorted(found, key=lambda one: one.started_s))

    def begin(self, span: S) -> S:
        """Note one that begins, and give it its number."""
        return self.change(replace(span, number=next(self._numbers)))

    def change(self, span: S) -> S:
        """Note what is new of one that is under way."""
        self._open[span.number] = span
        self._tell(span)
        return span

    def end(self, span: S) -> None:
        """Note that one is over."""
        self._open.pop(span.number, None)
        over = replace(span, ended_s=self._clock())
        self._over.append(over)
        self._tell(over)
