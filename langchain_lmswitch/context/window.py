"""The recent window: the system prompt and as many whole turns as fit, counted exactly."""

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Final

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from langchain_lmswitch.errors import ContextTooLong
from langchain_lmswitch.types.requests import JsonObject

_TEMPLATE_TOKENS: Final = 512

Turn = tuple[BaseMessage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """The messages that are sent, and what was left out."""

    messages: tuple[BaseMessage, ...]
    tokens: int | None
    """Of the finished prompt, as the model's own tokenizer counts it; `None` if not counted."""
    dropped: int = 0
    """Messages left out."""


def turns(messages: Sequence[BaseMessage]) -> list[Turn]:
    """Split a conversation into whole turns: a user message and all that follows it.

    System messages belong to none. Consecutive user messages are one turn, so that a tool
    result never stands without its call, nor an answer without its question.
    """
    found: list[list[BaseMessage]] = []
    for message in messages:
        if isinstance(message, SystemMessage):
            continue
        follows_user = bool(found) and isinstance(found[-1][-1], HumanMessage)
        if not found or (isinstance(message, HumanMessage) and not follows_user):
            found.append([])
        found[-1].append(message)
    return [tuple(turn) for turn in found]


def fit(
    messages: Sequence[BaseMessage], *, budget_tokens: int
) -> Generator[tuple[BaseMessage, ...], int, Fitted]:
    """Choose the most recent turns that fit; a flow without IO.

    It yields conversations to be counted and is sent their exact token counts:

    1. The whole conversation; if it fits, nothing is left out.
    2. The system prompt and the last turn; if that does not fit, nothing helps.
    3. In between, by bisection: the most turns that fit.

    Args:
        messages: The conversation, system messages anywhere.
        budget_tokens: What the prompt may take; the context less what the answer needs.

    Raises:
        ContextTooLong: The system prompt and the last turn alone exceed the budget.
    """
    system = tuple(one for one in messages if isinstance(one, SystemMessage))
    rest = turns(messages)
    tokens = yield tuple(messages)  # 1
    if tokens <= budget_tokens:
        return Fitted(messages=tuple(messages), tokens=tokens)
    best = _tail(system, rest, 1)
    best_tokens = yield best  # 2
    if best_tokens > budget_tokens:
        raise ContextTooLong(tokens=best_tokens, limit_tokens=budget_tokens)
    fits, too_many = 1, len(rest)
    while too_many - fits > 1:  # 3
        middle = (fits + too_many) // 2
        tokens = yield _tail(system, rest, middle)
        if tokens <= budget_tokens:
            fits, best, best_tokens = middle, _tail(system, rest, middle), tokens
        else:
            too_many = middle
    return Fitted(messages=best, tokens=best_tokens, dropped=len(messages) - len(best))


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


def _tail(system: Turn, rest: Sequence[Turn], count: int) -> tuple[BaseMessage, ...]:
    return (*system, *(message for turn in rest[-count:] for message in turn))
