"""What a scripted model says, and how it becomes a stream of events."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_lmswitch.errors import ContextTooLong
from langchain_lmswitch.testing.tokens import render, split
from langchain_lmswitch.types.events import (
    Finished,
    Fragment,
    PredictEvent,
    PromptProgress,
    ToolCallArguments,
    ToolCallEnded,
    ToolCallStarted,
)
from langchain_lmswitch.types.models import Resident
from langchain_lmswitch.types.requests import JsonObject, PredictRequest

Script = str | Sequence[PredictEvent]
"""A text, which streams word by word, or the very events; a missing `Finished` is added."""

Reply = Script | Callable[[Sequence[JsonObject]], Script]
"""A script, or a function that makes one from the messages of the request."""


def in_turn(*replies: Reply) -> Reply:
    """Give one reply after the other, one for each request; the last is repeated.

    Example:
        >>> reply = in_turn("first", "second")
        >>> [script([], reply) for _ in range(3)]
        ['first', 'second', 'second']
    """
    waiting = list(replies)

    def next_reply(messages: Sequence[JsonObject]) -> Script:
        return script(messages, waiting.pop(0) if len(waiting) > 1 else waiting[0])

    return next_reply


def tool_call(
    name: str, arguments: Mapping[str, Any] | None = None, *, index: int = 0
) -> tuple[PredictEvent, ...]:
    """Make the events of one tool call, as a script of a reply.

    Example:
        >>> tool_call("get_weather", {"city_name": "Oslo"})[-1].arguments
        {'city_name': 'Oslo'}

    Args:
        name: Of the tool.
        arguments: As the model writes them.
        index: Counts the calls of one answer, from 0.
    """
    given = dict(arguments or {})
    pieces = split(json.dumps(given, ensure_ascii=False))
    call_id = f"call-{index}"
    return (
        ToolCallStarted(index=index, id=call_id, name=name),
        *(ToolCallArguments(index=index, text=piece) for piece in pieces),
        ToolCallEnded(index=index, name=name, arguments=given, id=call_id),
    )


def script(messages: Sequence[JsonObject], reply: Reply) -> Script:
    """Ask a reply for its script."""
    return reply(messages) if callable(reply) else reply


def reply_of(replies: Reply | Mapping[str, Reply], key: str, *, otherwise: Reply) -> Reply:
    """Give the reply of one model."""
    return replies.get(key, otherwise) if isinstance(replies, Mapping) else replies


def respond(resident: Resident, request: PredictRequest, reply: Reply) -> Iterator[PredictEvent]:
    """Answer a request within the context that the model was loaded with.

    Raises:
        ContextTooLong: The prompt is longer than that.
    """
    prompt_tokens = len(split(render(request.messages, request.tools)))
    room_tokens = resident.context_tokens - prompt_tokens
    if room_tokens <= 0:
        raise ContextTooLong(tokens=prompt_tokens, limit_tokens=resident.context_tokens)
    said = script(request.messages, reply)
    return answer(said, request, prompt_tokens=prompt_tokens, room_tokens=room_tokens)


def answer(
    said: Script, request: PredictRequest, *, prompt_tokens: int, room_tokens: int
) -> Iterator[PredictEvent]:
    """Stream a script as a real host would, under the limits of the request.

    0. The prompt has been read, or was cached as far as the script's `Finished` says.
    1. Text stops after `max_tokens`, or where the context of `room_tokens` is full.
    2. It stops before the first stop string.
    3. The last event is the only `Finished`; what its script left out is filled in.

    Raises:
        ValueError: A `Finished` stands before the end of the script.
    """
    told, ending = _parts(said)
    cached_tokens = ending.cached_tokens
    limit = room_tokens if request.max_tokens is None else min(request.max_tokens, room_tokens)
    kept = list(_within(told, limit))
    if len(kept) < len(told):
        full = limit == room_tokens
        ending = Finished(
            stop_reason="contextLengthReached" if full else "maxPredictedTokensReached"
        )
    if (end := _stop_at(kept, request.stop)) is not None:
        kept = list(_before(kept, end))
        ending = Finished(stop_reason="stopStringFound")
    yield PromptProgress(fraction=1.0, cached_tokens=cached_tokens, total_tokens=prompt_tokens)
    yield from kept
    yield _completed(ending, prompt_tokens=prompt_tokens, predicted_tokens=_tokens(kept))


def first_tokens(told: Iterable[PredictEvent], tokens: int) -> Iterator[PredictEvent]:
    """Give the events up to a number of tokens, without what comes after them."""
    spoken = 0
    for event in told:
        if spoken >= tokens and not isinstance(event, PromptProgress):
            return
        spoken += _tokens([event])
        yield event


def _parts(said: Script) -> tuple[list[PredictEvent], Finished]:
    if isinstance(said, str):
        told: list[PredictEvent] = [Fragment(text=token) for token in split(said)]
        return told, Finished(stop_reason="eosFound")
    told = list(said)
    if told and isinstance(told[-1], Finished):
        ending = told.pop()
    else:
        calls = any(isinstance(event, ToolCallEnded) for event in told)
        ending = Finished(stop_reason="toolCalls" if calls else "eosFound")
    if not isinstance(ending, Finished) or any(isinstance(event, Finished) for event in told):
        raise ValueError("`Finished` must be the last event of a script")
    return told, ending


def _completed(ending: Finished, *, prompt_tokens: int, predicted_tokens: int) -> Finished:
    if ending.prompt_tokens is None:
        ending = replace(ending, prompt_tokens=prompt_tokens)
    if ending.predicted_tokens is None:
        ending = replace(ending, predicted_tokens=predicted_tokens)
    return ending


def _tokens(told: Iterable[PredictEvent]) -> int:
    pieces = (event.text for event in told if isinstance(event, ToolCallArguments))
    fragments = (event.tokens for event in told if isinstance(event, Fragment))
    return sum(fragments) + sum(len(split(piece)) for piece in pieces)


def _within(told: Iterable[PredictEvent], limit: int) -> Iterator[PredictEvent]:
    spent = 0
    for event in told:
        spent += _tokens([event])
        if spent > limit:
            return
        yield event


def _stop_at(told: Iterable[PredictEvent], stops: Iterable[str]) -> int | None:
    answer = "".join(map(_answer, told))
    found = [answer.find(stop) for stop in stops if stop]
    return min((place for place in found if place >= 0), default=None)


def _before(told: Iterable[PredictEvent], end: int) -> Iterator[PredictEvent]:
    """Give the events up to a place in the answer; the fragment across it is cut."""
    place = 0
    for event in told:
        text = _answer(event)
        if text and place + len(text) > end:
            if isinstance(event, Fragment) and end > place:
                yield replace(event, text=text[: end - place])
            return
        place += len(text)
        yield event


def _answer(event: PredictEvent) -> str:
    return event.text if isinstance(event, Fragment) and not event.reasoning else ""
