"""The context of a model as a budget for the prompt."""

import json
from collections.abc import Sequence
from typing import Final

from langchain_lmswitch.types.requests import JsonObject

_TEMPLATE_TOKENS: Final = 512


def budget(context_tokens: int, *, max_tokens: int | None) -> int:
    """Tokens the prompt may take: the context less the answer.

    The answer gets what the caller asked for, but at most half of the context; unasked, a
    quarter of it and at most 1,024 tokens.
    """
    reserve = max_tokens if max_tokens is not None else min(1024, context_tokens // 4)
    return context_tokens - min(reserve, context_tokens // 2)


def most_tokens(entries: Sequence[JsonObject], *, tools: Sequence[JsonObject] = ()) -> int:
    """Bound the tokens of a finished prompt from above, without a tokenizer.

    Byte-level tokenizers, and those that fall back to bytes, make no more tokens than there are
    bytes. The JSON around the text covers what a template puts around each turn; what it adds
    once (a default system prompt, instructions for tools) is allowed for.
    """
    text = json.dumps([list(entries), list(tools)], ensure_ascii=False)
    return len(text.encode("utf-8", "surrogatepass")) + _TEMPLATE_TOKENS
