"""The summary of what was evicted: what of it stands in the prompt, and what is to be written."""

import hashlib
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.chunks import Chunk
from langchain_lmswitch.context.telling import HEADING, SummaryBlock, block_of, entry_of
from langchain_lmswitch.context.tree import Piece, leaves_of, told, wanted
from langchain_lmswitch.context.units import Unit


def texts_told(
    evicted: Sequence[Chunk], units: Sequence[Unit], cache: ContextCache
) -> tuple[str, ...]:
    """List the texts that `block_told` wants counted."""
    found = told(leaves_of(evicted, units), units, cache.summaries.get)
    return (HEADING, *map(entry_of, found)) if found else ()


def block_told(
    evicted: Sequence[Chunk],
    units: Sequence[Unit],
    cache: ContextCache,
    *,
    most_tokens: int,
    tokens_of: Callable[[str], int],
) -> SummaryBlock:
    """Give the summary block for what was evicted, within its share of the budget.

    As long as the same is evicted it stays the same, though summaries may have been written since:
    it stands near the beginning of the prompt, and a server would have to read all of it again.

    Args:
        evicted: The first chunks of the conversation.
        units: The units of the conversation.
        cache: Has the summaries.
        most_tokens: What the block may take.
        tokens_of: Counts what `texts_told` lists.
    """
    said = b"".join(one.digest for one in evicted)
    key = hashlib.blake2b(said, digest_size=16).digest(), most_tokens
    block = cache.blocks.get(key)
    if block is None:
        found = told(leaves_of(evicted, units), units, cache.summaries.get)
        block = block_of(found, most_tokens=most_tokens, tokens_of=tokens_of)
        cache.blocks.put(key, block)
    return block


def next_piece(
    chunks: Sequence[Chunk],
    units: Sequence[Unit],
    cache: ContextCache,
    *,
    given_up: AbstractSet[bytes] = frozenset(),
) -> Piece | None:
    """Say which summary should be written next; `None` if there is nothing to do.

    Args:
        chunks: The first chunks of the conversation: closed, and evicted or evicted next.
        units: The units of the conversation.
        cache: Has the summaries that there are.
        given_up: Keys of what nobody could summarize.
    """
    leaves = leaves_of(chunks, units)
    return next(wanted(leaves, units, cache.summaries.get, given_up=given_up), None)
