"""Drafts of a prompt, and what is given up when one is too long."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from langchain_core.messages import BaseMessage

from langchain_lmswitch.context import blocks
from langchain_lmswitch.context.clipping import clipped
from langchain_lmswitch.context.recall import Hit
from langchain_lmswitch.context.units import Unit

_LEAST_TOKENS: Final = 48
"""Less of a message tells nothing."""
_CUT: Final = 0.9
"""Characters and tokens are not in the same ratio everywhere in a text."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A unit that stands in the prompt."""

    at: int
    """Its index in the conversation."""
    unit: Unit
    """As it stands there: cut, if it was too large."""
    tokens: int


@dataclass(frozen=True, slots=True)
class Put:
    """A passage that is put back."""

    hit: Hit
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a prompt is made of."""

    system: tuple[BaseMessage, ...]
    conversation: tuple[Unit, ...]
    """All units, also those left out: they tell who said what was recalled, and when."""
    pieces: tuple[Piece, ...]
    """In the order of time."""
    asker: int | None
    """Index of the last user message in the conversation; `None` if there is none."""
    puts: tuple[Put, ...] = ()
    """In the order of time."""
    summary: str = ""
    summary_tokens: int = 0
    summarized_messages: int = 0
    """How many of those left out the summary tells of."""
    standing: tuple[str, ...] = ()
    standing_tokens: int = 0

    @property
    def left_out(self) -> bool:
        """Whether anything of the conversation is missing."""
        return len(self.pieces) < len(self.conversation)

    def messages(self) -> tuple[BaseMessage, ...]:
        """Write the prompt.

        1. The system prompt, with standing instructions and the summary.
        2. The recent units, the user first: templates want that.
        3. What is recalled stands in the last user message, before its text.
        """
        told = blocks.system_block(summary=self.summary, standing=self.standing)
        written = [*blocks.with_system(self.system, told)]  # 1
        if self.left_out and self.pieces and not self.pieces[0].unit.asks:
            written.append(blocks.gap())  # 2
        for piece in self.pieces:
            written += self._said(piece)
        return tuple(written)

    def _said(self, piece: Piece) -> Iterable[BaseMessage]:
        if piece.at != self.asker or not self.puts:
            return piece.unit.messages
        block = blocks.recall_block([one.hit for one in self.puts], self.conversation)  # 3
        first, *rest = piece.unit.messages
        return (blocks.with_text(first, before=block), *rest)


def relieved(draft: Draft, excess_tokens: int) -> Draft | None:
    """Give up what can be missed best; `None` if nothing is left to give up.

    1. Recalled passages, the weakest first.
    2. The summary, then the standing instructions.
    3. Recent units before the last user message, the oldest first.
    4. Steps of a tool loop before the last one, the oldest first.
    5. Half of the last unit, if it is not the user's.
    6. Half of the user's message.
    """
    if draft.puts:  # 1
        return replace(draft, puts=_without_weakest(draft.puts, excess_tokens))
    if draft.summary:  # 2
        return replace(draft, summary="", summary_tokens=0, summarized_messages=0)
    if draft.standing:
        return replace(draft, standing=(), standing_tokens=0)
    kept = _without_oldest(draft, excess_tokens)  # 3, 4
    if len(kept) < len(draft.pieces):
        return replace(draft, pieces=kept)
    largest = max(
        kept, key=lambda one: (one.at != draft.asker and one.tokens > 2 * _LEAST_TOKENS, one.tokens)
    )
    if largest.tokens <= _LEAST_TOKENS:
        return None
    cut = _halved(largest, excess_tokens)  # 5, 6
    if cut is None:
        return None
    return replace(draft, pieces=tuple(cut if one is largest else one for one in kept))


def cut_to(unit: Unit, tokens: int, most_tokens: int, *, query: str = "") -> Unit:
    """Cut a unit of `tokens` to `most_tokens`, about."""
    chars = _chars(unit)
    return clipped(unit, int(chars * most_tokens / max(tokens, 1) * _CUT), query=query)


def _chars(unit: Unit) -> int:
    arguments = sum(
        len(str(value))
        for message in unit.messages
        for one in getattr(message, "tool_calls", ())
        for value in one["args"].values()
    )
    return len(unit.text) + arguments


def _without_weakest(puts: tuple[Put, ...], excess_tokens: int) -> tuple[Put, ...]:
    weakest = sorted(puts, key=lambda one: one.hit.score)
    gone: set[int] = set()
    for put in weakest:
        if excess_tokens <= 0:
            break
        gone.add(id(put))
        excess_tokens -= put.tokens
    return tuple(one for one in puts if id(one) not in gone)


def _without_oldest(draft: Draft, excess_tokens: int) -> tuple[Piece, ...]:
    asker = draft.asker if draft.asker is not None else len(draft.conversation)
    last = draft.pieces[-1].at
    gone: set[int] = set()
    for before_asker in (True, False):
        for piece in draft.pieces:
            spare = piece.at < asker if before_asker else asker < piece.at < last
            if spare and excess_tokens > 0:
                gone.add(piece.at)
                excess_tokens -= piece.tokens
    return tuple(one for one in draft.pieces if one.at not in gone)


def _halved(piece: Piece, excess_tokens: int) -> Piece | None:
    wanted = max(piece.tokens - excess_tokens, piece.tokens // 2, _LEAST_TOKENS)
    unit = cut_to(piece.unit, piece.tokens, min(wanted, piece.tokens * 9 // 10))
    if _chars(unit) >= _chars(piece.unit):
        return None
    return Piece(piece.at, unit, min(wanted, piece.tokens * 9 // 10))
