"""Counting the finished prompt with the loaded model's own template and tokenizer."""

from collections.abc import Sequence
from typing import Any, Final

from langchain_core.messages import BaseMessage

from langchain_lmswitch.context.window import Fitted, budget, fit, most_tokens
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.messages.conversation import conversation
from langchain_lmswitch.types.models import Resident
from langchain_lmswitch.types.options import RouterOptions
from langchain_lmswitch.types.requests import JsonObject

IMAGE_TOKENS: Final = 1024
"""Kept free for each image: what it really costs is known to its projector only."""


async def fit_exactly(
    host: Host, resident: Resident, messages: Sequence[BaseMessage], options: RouterOptions
) -> Fitted:
    """Choose what fits the loaded context of `resident`.

    1. An instance that does not tell its context gets the whole conversation.
    2. So does one for which it fits whatever the tokenizer makes of it: counting takes two calls.
    3. Else `context.window.fit` chooses, by exact counts of the model's own tokenizer.

    Raises:
        ContextTooLong: The system prompt and the last turn alone do not fit.
        UnknownModel: The instance is gone.
    """
    if not resident.context_tokens:  # 1
        return Fitted(messages=tuple(messages), tokens=None)
    limit_tokens = budget(resident.context_tokens, max_tokens=options.get("max_tokens"))
    if _surely_fits(messages, options, limit_tokens):  # 2
        return Fitted(messages=tuple(messages), tokens=None)
    flow = fit(messages, budget_tokens=limit_tokens)  # 3
    asked = next(flow)
    while True:
        tokens = await count(host, resident.identifier, asked, options)
        try:
            asked = flow.send(tokens)
        except StopIteration as done:
            fitted: Fitted = done.value
            return fitted


def _surely_fits(
    messages: Sequence[BaseMessage], options: RouterOptions, limit_tokens: int
) -> bool:
    texts, images = _without_images(conversation(messages, options))
    most = most_tokens(texts, tools=options.get("tools") or ()) + images * IMAGE_TOKENS
    return most <= limit_tokens


async def count(
    host: Host,
    identifier: str,
    messages: Sequence[BaseMessage],
    options: RouterOptions,
) -> int:
    """Count the tokens of a conversation as the model will read it, template and tools included.

    Raises:
        UnknownModel: The instance is gone.
    """
    texts, images = _without_images(conversation(messages, options))
    prompt = await host.render(identifier, texts, tools=options.get("tools") or ())
    return await host.count_tokens(identifier, prompt) + images * IMAGE_TOKENS


def _without_images(entries: Sequence[JsonObject]) -> tuple[list[dict[str, Any]], int]:
    texts, images = [], 0
    for entry in entries:
        kept = [part for part in entry["content"] if part["type"] != "image"]
        images += len(entry["content"]) - len(kept)
        texts.append({**entry, "content": kept or [{"type": "text", "text": ""}]})
    return texts, images
