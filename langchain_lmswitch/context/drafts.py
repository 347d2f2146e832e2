"""Drafts of a prompt, and what is given up when one is too long."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from langchain_core.messages import BaseMessage

from langchain_lmswitch.context import blocks
from langchain_lmswitch.context.clipping import chars_of, clipped
from langchain_lmswitch.context.contents import IMAGE_TOKENS, images_of
from langchain_lmswitch.context.recall import Hit
from langchain_lmswitch.context.units import Unit

_FEW_CHARS: Final = 400
"""Of what came after the question so much stays while the question can be cut."""
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
    recalled_less: bool = False
    """Whether there was no room for all that would have been put back."""
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

    def begins_as(self, other: "Draft") -> bool:
        """Whether only what is recalled differs, which stands near the end."""
        return (self.pieces, self.standing, self.summary) == (
            other.pieces,
            other.standing,
            other.summary,
        )

    def _said(self, piece: Piece) -> Iterable[BaseMessage]:
        if piece.at != self.asker or not self.puts:
            return piece.unit.messages
        block = blocks.recall_block([one.hit for one in self.puts], self.conversation)  # 3
        first, *rest = piece.unit.messages
        return (blocks.with_text(first, before=block), *rest)


def relieved(draft: Draft, excess_tokens: int, *, cut: bool = True) -> Draft | None:
    """Give up what can be missed best; `None` if nothing is left to give up.

    1. Recalled passages, the weakest first.
    2. The summary, then the standing instructions.
    3. Recent units before the last user message, the oldest first.
    4. Steps of a tool loop before the last one, the oldest first.
    5. Half of the last unit, if it is not the user's.
    6. Half of the user's message; its images stay.
    7. What is left of the last unit.

    Args:
        draft: What is too long.
        excess_tokens: By how much.
        cut: Whether a message may be cut.
    """
    if draft.puts:  # 1
        puts = _without_weakest(draft.puts, excess_tokens)
        return replace(draft, puts=puts, recalled_less=True)
    if draft.summary:  # 2
        return replace(draft, summary="", summary_tokens=0, summarized_messages=0)
    if draft.standing:
        return replace(draft, standing=(), standing_tokens=0)
    kept = _without_oldest(draft, excess_tokens)  # 3, 4
    if len(kept) < len(draft.pieces):
        return replace(draft, pieces=kept)
    return _shortened(draft, excess_tokens) if cut else None


def _shortened(draft: Draft, excess_tokens: int) -> Draft | None:
    for whole in sorted(draft.pieces, key=lambda one: _worth(one, draft.asker)):  # 5, 6, 7
        less = _halved(whole, excess_tokens, images=whole.at == draft.asker)
        if less is not None:
            pieces = tuple(less if one is whole else one for one in draft.pieces)
            return replace(draft, pieces=pieces)
    return None


def cut_to(
    unit: Unit, tokens: int, most_tokens: int, *, query: str = "", images: bool = True
) -> Unit:
    """Cut a unit of `tokens` to `most_tokens`, about; with its images only if there is room."""
    pictures = sum(map(images_of, unit.messages)) * IMAGE_TOKENS
    share = (most_tokens - pictures * images) / max(tokens - pictures, 1)
    chars = int(chars_of(unit) * min(max(share, 0.0), 1.0) * _CUT)
    return clipped(unit, chars, query=query, images=images)


def _worth(piece: Piece, asker: int | None) -> int:
    if piece.at == asker:
        return 1
    return 0 if chars_of(piece.unit) > _FEW_CHARS else 2


def _without_weakest(puts: tuple[Put, ...], excess_tokens: int) -> tuple[Put, ...]:
    weakest = sorted(puts, key=lambda one: one.hit.score)
    # Where estimates are far off, half of them may be enough though all seem too little.
    most_tokens = max(sum(one.tokens for one in puts) // 2, 1)
    left_tokens = min(excess_tokens, most_tokens)
    gone: set[int] = set()
    for put in weakest:
        if left_tokens <= 0:
            break
        gone.add(id(put))
        left_tokens -= put.tokens
    return tuple(one for one in puts if id(one) not in gone)


def _without_oldest(draft: Draft, excess_tokens: int) -> tuple[Piece, ...]:
    asker = -1 if draft.asker is None else draft.asker
    last = draft.pieces[-1].at
    gone: set[int] = set()
    for before_asker in (True, False):
        for piece in draft.pieces:
            spare = piece.at < asker if before_asker else asker < piece.at < last
            if spare and excess_tokens > 0:
                gone.add(piece.at)
                excess_tokens -= piece.tokens
    return tuple(one for one in draft.pieces if one.at not in gone)


def _halved(piece: Piece, excess_tokens: int, *, images: bool) -> Piece | None:
    """Cut what is too much off a piece, but at most half of it; `None` if it gets no shorter."""
    wanted = max(piece.tokens - excess_tokens, piece.tokens // 2)
    unit = cut_to(piece.unit, piece.tokens, wanted, images=images)
    if _size(unit) >= _size(piece.unit):
        return None
    return Piece(piece.at, unit, max(wanted, 1))


def _size(unit: Unit) -> tuple[int, int]:
    return sum(map(images_of, unit.messages)), chars_of(unit)
