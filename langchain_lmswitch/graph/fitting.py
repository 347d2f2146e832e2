"""Fitting a conversation into the context that was really loaded, by the model's own counts."""

import asyncio
import hashlib
import json
from collections.abc import Generator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any, Final, assert_never

from langchain_core.messages import BaseMessage

from langchain_lmswitch.context.asking import Ask, CountPrompt, CountTexts, Embed
from langchain_lmswitch.context.budget import budget, most_tokens
from langchain_lmswitch.context.contents import IMAGE_TOKENS
from langchain_lmswitch.context.fitting import FitOptions, Fitted, fit
from langchain_lmswitch.graph.state import RouterState, plain
from langchain_lmswitch.graph.summarizing import summarizer_of
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.messages.conversation import conversation
from langchain_lmswitch.messages.outgoing import text_of
from langchain_lmswitch.policy.summarizers import OFF
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.types.contexts import ContextMode, ContextReport, Overflow
from langchain_lmswitch.types.events import Compressed
from langchain_lmswitch.types.models import Resident
from langchain_lmswitch.types.options import RouterOptions
from langchain_lmswitch.types.requests import JsonObject

AT_ONCE: Final = 16
"""Texts that are counted at the same time: the host answers them one after the other anyway."""


async def fit_exactly(
    board: Switchboard, resident: Resident, messages: Sequence[BaseMessage], options: RouterOptions
) -> Fitted:
    """Choose what of a conversation is sent to `resident`.

    1. An instance that does not tell its context gets the whole conversation.
    2. So does one for which it fits whatever the tokenizer makes of it: counting takes two calls.
    3. So does any with `context="off"`.
    4. Else `context.fitting.fit` chooses, by exact counts of the model's own tokenizer; with
       `context="observe"` it only reports what it would choose.

    Raises:
        ContextTooLong: What must not be left out does not fit.
        UnknownModel: The instance is gone.
    """
    mode = mode_of(options, board.settings)
    if not resident.context_tokens or mode == "off":  # 1, 3
        return _whole(messages, ContextReport(mode=mode))
    limit_tokens = budget(resident.context_tokens, max_tokens=options.get("max_tokens"))
    if _surely_fits(messages, options, limit_tokens):  # 2
        return _whole(messages, ContextReport(mode=mode, budget_tokens=limit_tokens))
    how = _how(resident, options, board.settings, limit_tokens)
    how = replace(how, embedder=await board.embedders.name(board.settings.embedder))
    fitting = fit(messages, how, board.contexts)
    fitted = await driven(fitting, board, resident.identifier, options, embedder=how.embedder)  # 4
    if mode == "observe":
        return _whole(messages, replace(fitted.report, mode=mode))
    return fitted


async def driven(
    flow: Generator[Ask, Any, Fitted],
    board: Switchboard,
    identifier: str,
    options: RouterOptions,
    *,
    embedder: str = "",
) -> Fitted:
    """Run a fitting flow against a loaded model.

    Args:
        flow: As `context.fitting.fit` makes it.
        board: Of the model's host.
        identifier: Of the model.
        options: Of the request.
        embedder: Who embeds, by `board.embedders.name`; empty if nobody does.

    Raises:
        ContextTooLong: See `context.fitting.fit`.
        UnknownModel: The instance is gone.
    """
    try:
        asked = next(flow)
        while True:
            if isinstance(asked, Embed):
                told: Any = await board.embedders.embed(embedder, asked.texts, board.contexts)
            else:
                told = await _counted(asked, board.host, identifier, options)
            asked = flow.send(told)
    except StopIteration as done:
        fitted: Fitted = done.value
        return fitted


def compression(report: ContextReport, resident: Resident) -> Compressed | None:
    """Say that part of a conversation was left out, if it was."""
    if report.mode != "on" or not report.evicted_messages or report.tokens_after is None:
        return None
    return Compressed(
        evicted_messages=report.evicted_messages,
        recalled_passages=len(report.recalled),
        prompt_tokens=report.tokens_after,
        context_tokens=resident.context_tokens,
    )


def fitted_update(state: RouterState, fitted: Fitted) -> dict[str, Any]:
    """Write what is sent, and what became of the rest, into the router's state."""
    report = fitted.report
    told = {"context": plain(report), "prompt_tokens": report.prompt_tokens}
    return {
        "fitted": list(fitted.messages),
        "summarizable": fitted.summarizable_chunks,
        "decision": {**state["decision"], **told},
    }


def mode_of(options: RouterOptions, settings: Settings) -> ContextMode:
    """Tell what becomes of a conversation that is too long."""
    mode: Any = options.get("context")
    return mode or settings.context


def overflow_of(options: RouterOptions, settings: Settings) -> Overflow:
    """Tell what becomes of a message that is too long."""
    overflow: Any = options.get("on_overflow")
    return overflow or settings.on_overflow


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


async def _counted(
    asked: CountPrompt | CountTexts, host: Host, identifier: str, options: RouterOptions
) -> int | list[int]:
    match asked:
        case CountPrompt(messages=messages):
            return await count(host, identifier, messages, options)
        case CountTexts(texts=texts):
            return await _counts(host, identifier, texts)
        case never:
            assert_never(never)


async def _counts(host: Host, identifier: str, texts: Sequence[str]) -> list[int]:
    counted: list[int] = []
    for start in range(0, len(texts), AT_ONCE):
        some = texts[start : start + AT_ONCE]
        counted += await asyncio.gather(*(host.count_tokens(identifier, one) for one in some))
    return counted


def _how(
    resident: Resident, options: RouterOptions, settings: Settings, limit_tokens: int
) -> FitOptions:
    around = [options.get("tools"), options.get("json_schema"), options.get("send_reasoning")]
    told = hashlib.blake2b(json.dumps(around, default=str).encode(), digest_size=16).hexdigest()
    return FitOptions(
        budget_tokens=limit_tokens,
        tokenizer=resident.key,
        template=told,
        tools=bool(options.get("tools")),
        overflow=overflow_of(options, settings),
        summarized=summarizer_of(options, settings) != OFF,
    )


def _whole(messages: Sequence[BaseMessage], report: ContextReport) -> Fitted:
    return Fitted(messages=tuple(messages), report=report)


def _surely_fits(
    messages: Sequence[BaseMessage], options: RouterOptions, limit_tokens: int
) -> bool:
    said = accumulate(len(text_of(one)) for one in reversed(messages))
    if any(chars > limit_tokens for chars in said):
        return False  # It may fit all the same, but not for sure, and that is told quickly.
    texts, images = _without_images(conversation(messages, options))
    most = most_tokens(texts, tools=options.get("tools") or ()) + images * IMAGE_TOKENS
    return most <= limit_tokens


def _without_images(entries: Sequence[JsonObject]) -> tuple[list[dict[str, Any]], int]:
    texts, images = [], 0
    for entry in entries:
        kept = [part for part in entry["content"] if part["type"] != "image"]
        images += len(entry["content"]) - len(kept)
        texts.append({**entry, "content": kept or [{"type": "text", "text": ""}]})
    return texts, images
