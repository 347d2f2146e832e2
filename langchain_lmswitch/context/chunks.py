"""Chunks: what is evicted at once, the same whatever the budget is."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.context.units import Unit

CHUNK_TOKENS: Final = 400
"""A chunk ends at the first user message after so many; small enough for the smallest window."""
_LONG: Final = 4
"""Chunks within one long turn end at any unit, after so many times that."""
_CHARS_PER_TOKEN: Final = 4


@dataclass(frozen=True, slots=True)
class Chunk:
    """Neighboring units that come and go together."""

    start: int
    """Index of its first unit."""
    end: int
    """Index after its last unit."""
    digest: bytes
    """Of all that it says."""
    closed: bool
    """Whether no later message can become part of it."""


def chunks_of(
    units: Sequence[Unit], *, before: Sequence[Chunk] = (), kept: int = 0
) -> tuple[Chunk, ...]:
    """Cut a conversation into chunks.

    They depend on the units alone, not on a tokenizer or a budget, and a later message changes
    none but the last: so whatever was made of a chunk stays good.

    1. At the first user message after 400 tokens, by four characters to the token.
    2. In a turn that goes on, as with an agent's tool calls, at any unit after 1,600.

    Args:
        units: The conversation.
        before: The chunks of an earlier state of it.
        kept: How many of its units are still the same.
    """
    good = [one for one in before if one.closed and one.end < kept]
    start = good[-1].end if good else 0
    cuts, said = [start], 0
    for at in range(start, len(units)):
        unit = units[at]
        long = said >= _LONG * CHUNK_TOKENS  # 2
        if at > cuts[-1] and said >= CHUNK_TOKENS and (unit.asks or long):  # 1
            cuts.append(at)
            said = 0
        said += len(unit.text) // _CHARS_PER_TOKEN
    ends = [*cuts[1:], len(units)]
    more = (_chunk(units, begin, end) for begin, end in zip(cuts, ends, strict=True) if begin < end)
    return (*good, *more)


def _chunk(units: Sequence[Unit], start: int, end: int) -> Chunk:
    digest = hashlib.blake2b(b"".join(one.digest for one in units[start:end]), digest_size=16)
    return Chunk(start, end, digest.digest(), closed=end < len(units))
