"""What a conversation costs: asked once for each unit and each tokenizer."""

import hashlib
from collections.abc import Generator, Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_lmswitch.context.asking import Ask, CountPrompt, CountTexts
from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.contents import (
    IMAGE_TOKENS,
    calls_of,
    digest_of,
    images_of,
    text_of,
)
from langchain_lmswitch.context.transcripts import Transcript
from langchain_lmswitch.context.units import Unit

_WORD: Final = "x"
_LEAST_OVERHEAD: Final = 4


def unit_costs(
    transcript: Transcript, tokenizer: str, overhead: int, cache: ContextCache
) -> Generator[Ask, Any, Sequence[int]]:
    """Count the units of a conversation that were not counted before.

    Args:
        transcript: The conversation.
        tokenizer: Names who counts.
        overhead: Tokens that a template puts around each message.
        cache: Where counts are kept.
    """
    known = transcript.costs.get(tokenizer, ())
    new = transcript.parted.units[len(known) :]
    counts = {one.digest: cache.counts.get((tokenizer, one.digest)) for one in new}
    unknown = {one.digest: one for one in new if counts[one.digest] is None}
    if unknown:
        counted = yield CountTexts(tuple(map(_countable, unknown.values())))
        for digest, tokens in zip(unknown, counted, strict=True):
            counts[digest] = tokens
            cache.counts.put((tokenizer, digest), tokens)
    more = ((counts[one.digest] or 0) + _around(one, overhead) for one in new)
    # Another thread may have been here meanwhile, with the same outcome.
    costs = (*known, *more)
    transcript.costs[tokenizer] = costs
    return costs


def template_overhead(tokenizer: str, cache: ContextCache) -> Generator[Ask, Any, int]:
    """Count what a template puts around each message."""
    key = (tokenizer, b"overhead")
    known = cache.counts.get(key)
    if known is None:
        one, said = HumanMessage(_WORD), AIMessage(_WORD)
        few = yield CountPrompt((one,))
        more = yield CountPrompt((one, said, one))
        known = max((more - few + 1) // 2, _LEAST_OVERHEAD)
        cache.counts.put(key, known)
    return known


def fixed_tokens(
    system: Sequence[BaseMessage], tokenizer: str, cache: ContextCache
) -> Generator[Ask, Any, int]:
    """Count what is in every prompt: the system prompt, tools, and what the template adds once."""
    digest = hashlib.blake2b(b"".join(map(digest_of, system)), digest_size=16).digest()
    known = cache.counts.get((tokenizer, b"fixed" + digest))
    if known is None:
        known = yield CountPrompt((*system, HumanMessage(_WORD)))
        cache.counts.put((tokenizer, b"fixed" + digest), known)
    return known


def text_tokens(text: str, tokenizer: str, cache: ContextCache) -> Generator[Ask, Any, int]:
    """Count a text."""
    if not text:
        return 0
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    known = cache.counts.get((tokenizer, digest))
    if known is None:
        [known] = yield CountTexts((text,))
        cache.counts.put((tokenizer, digest), known)
    return known


def _countable(unit: Unit) -> str:
    said = (part for one in unit.messages for part in (text_of(one), calls_of(one)))
    return "\n".join(filter(None, said))


def _around(unit: Unit, overhead: int) -> int:
    messages = len(unit.messages)
    # Calls and results stand in markup of their own, as wide as that of a message.
    calls = messages if messages > 1 else 0
    return (messages + calls) * overhead + sum(map(images_of, unit.messages)) * IMAGE_TOKENS
