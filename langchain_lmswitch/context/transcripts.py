"""Conversations as they were seen before: the next turn costs what is new in it."""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from operator import is_
from threading import Lock
from typing import Any, Final

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    ToolMessage,
)

from langchain_lmswitch.context.chunks import Chunk, chunks_of
from langchain_lmswitch.context.units import Parted, Unit, parted

MOST_TRANSCRIPTS: Final = 64
_BEGINNING: Final = 200
"""Characters of each of the first messages that tell conversations apart."""

Marks = tuple[list[Any], ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation in its parts, with what was worked out about them."""

    messages: tuple[BaseMessage, ...]
    marks: Marks
    parted: Parted
    chunks: tuple[Chunk, ...]
    costs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """By tokenizer, the tokens of the units that were counted, from the first on."""


class Transcripts:
    """The last conversations, to be gone on with; any thread may use them."""

    def __init__(self, most: int = MOST_TRANSCRIPTS) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[str, ...], Transcript] = OrderedDict()
        self._lock = Lock()

    def of(self, messages: Sequence[BaseMessage]) -> Transcript:
        """Split a conversation, as far as it is not the beginning of one seen before.

        What comes out depends on the messages alone. A message that was changed in its place is a
        new one.
        """
        marks = _marks(messages)
        key = tuple(str(one)[:_BEGINNING] for one in marks[0][:3])
        with self._lock:
            before = self._kept.get(key)
        transcript = _extended(before, messages, marks) if before else _new(messages, marks)
        with self._lock:
            self._kept[key] = transcript
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return transcript


def _marks(messages: Sequence[BaseMessage]) -> Marks:
    """Give what tells messages apart, in lists that compare in next to no time.

    Lists look at whether their items are the same objects before they compare them.
    """
    kinds = [*map(type, messages)]
    return (
        [one.content for one in messages],
        kinds,
        [one.name for one in messages],
        [one.id for one in messages],
        [one.additional_kwargs for one in messages],
        [one.tool_calls if isinstance(one, AIMessage) else None for one in messages],
        # Most messages have nothing more to tell, and there may be many.
        [
            None if kind is HumanMessage else _more(one)
            for kind, one in zip(kinds, messages, strict=True)
        ],
    )


def _more(message: BaseMessage) -> Any:
    if isinstance(message, AIMessage):
        return message.invalid_tool_calls or None
    if isinstance(message, ToolMessage):
        return message.tool_call_id, message.status
    return message.role if isinstance(message, ChatMessage) else None


def _new(messages: Sequence[BaseMessage], marks: Marks) -> Transcript:
    parts = parted(messages)
    return Transcript(tuple(messages), _copied(marks), parts, chunks_of(parts.units))


def _extended(before: Transcript, messages: Sequence[BaseMessage], marks: Marks) -> Transcript:
    same = _same(before.marks, marks)
    if same == len(marks[0]) == len(before.marks[0]) and _identical(before.messages, messages):
        return before
    units = before.parted.units
    count = bisect_left(units, same + 1, key=_end)
    # Results may still be added to the last unit that is the same, so it is made again.
    kept = _own(units[: max(count - 1, 0)], before.messages, messages)
    parts = parted(messages, before=before.parted, kept=kept)
    chunks = chunks_of(parts.units, before=before.chunks, kept=len(kept))
    costs = {who: tokens[: len(kept)] for who, tokens in before.costs.items()}
    return Transcript(tuple(messages), _copied(marks, before.marks, same), parts, chunks, costs)


def _own(
    units: tuple[Unit, ...], before: Sequence[BaseMessage], now: Sequence[BaseMessage]
) -> tuple[Unit, ...]:
    """Put the caller's own messages in the place of equal ones, which others may change later."""
    pairs = enumerate(zip(before, now, strict=False))
    other = next((at for at, (old, new) in pairs if old is not new), len(before))
    good = bisect_right(units, other, key=_end)
    renewed = (
        Unit(one.first, tuple(now[one.first : _end(one)]), one.digest, one.asks)
        for one in units[good:]
    )
    return (*units[:good], *renewed)


def _end(unit: Unit) -> int:
    return unit.first + len(unit.messages)


def _identical(before: Sequence[BaseMessage], now: Sequence[BaseMessage]) -> bool:
    return all(map(is_, before, now))


def _same(before: Marks, now: Marks) -> int:
    """Count the messages at the beginning that are the same."""
    most = min(len(before[0]), len(now[0]))

    def differs(count: int) -> bool:
        return any(old[:count] != new[:count] for old, new in zip(before, now, strict=True))

    if not differs(most):
        return most
    return bisect_left(range(most + 1), x=True, key=differs) - 1


def _copied(marks: Marks, before: Marks = ([],) * 7, same: int = 0) -> Marks:
    """Keep lists and mappings from being changed by who made them; most are kept already."""
    return tuple(
        [
            *old[:same],
            *(deepcopy(one) if isinstance(one, list | dict) else one for one in new[same:]),
        ]
        for old, new in zip(before, marks, strict=True)
    )
