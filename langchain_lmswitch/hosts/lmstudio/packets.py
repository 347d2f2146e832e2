"""The packets of an answer as our events."""

import json
from collections.abc import Mapping
from typing import Any

from langchain_lmswitch.types.events import (
    Finished,
    Fragment,
    PredictEvent,
    PromptProgress,
    ToolCallArguments,
    ToolCallEnded,
    ToolCallFailed,
    ToolCallStarted,
)

TERMINAL = frozenset({"success", "error"})
"""Types of the packet after which nothing more comes on a channel."""


class PacketReader:
    """Reads the packets of one answer, in order; packets of unknown types are passed over."""

    def __init__(self) -> None:
        self._cached_tokens: int | None = None
        self._calls = _CallReader()

    def read(self, packet: Mapping[str, Any]) -> tuple[PredictEvent, ...]:
        """Turn one packet into the events it stands for."""
        match packet:
            case {"type": "fragment", "fragment": {"content": str()}}:
                return (_fragment(packet["fragment"]),)
            case {"type": "promptProcessingProgress", "progress": int() | float() as fraction}:
                return (self._progress(fraction, packet.get("details")),)
            case {"type": "success"}:
                stats = packet.get("stats")
                return (self._finished(stats if isinstance(stats, Mapping) else {}),)
            case {"type": str(kind)} if kind.startswith("toolCallGeneration"):
                return self._calls.read(packet)
            case _:
                return ()

    def _progress(self, fraction: float, details: Any) -> PromptProgress:
        known = details if isinstance(details, Mapping) else {}
        self._cached_tokens = _number(known.get("cachedTokenCount"))
        return PromptProgress(
            fraction=min(1.0, max(0.0, fraction)),
            cached_tokens=self._cached_tokens,
            total_tokens=_number(known.get("totalPromptTokenCount")),
        )

    def _finished(self, stats: Mapping[str, Any]) -> Finished:
        return Finished(
            stop_reason=str(stats.get("stopReason", "unknown")),
            prompt_tokens=_number(stats.get("promptTokensCount")),
            predicted_tokens=_number(stats.get("predictedTokensCount")),
            cached_tokens=self._cached_tokens,
            time_to_first_token_s=_real(stats.get("timeToFirstTokenSec")),
            tokens_per_second=_real(stats.get("tokensPerSecond")),
        )


class _CallReader:
    """Reads tool calls, which may come in pieces or only as a whole.

    Whatever the host leaves out is made up for, so that a reader of `ToolCallStarted` and
    `ToolCallArguments` alone has seen every call. Arguments that do not begin as a JSON object are
    held back until the host has read them: some models write calls in tags of their own.
    """

    def __init__(self) -> None:
        self._index = 0
        self._id: str | None = None
        self._started = False
        self._has_arguments = False
        self._held_back = False

    def read(self, packet: Mapping[str, Any]) -> tuple[PredictEvent, ...]:
        match packet:
            case {"type": "toolCallGenerationStart"}:
                self._id = _word(packet.get("toolCallId"))
                return ()
            case {"type": "toolCallGenerationNameReceived", "name": str(name)}:
                return self._start(name)
            case {"type": "toolCallGenerationArgumentFragmentGenerated", "content": str(text)}:
                return (*self._start(None), *self._piece(text))
            case {"type": "toolCallGenerationEnd", "toolCallRequest": {"name": str(name)}}:
                return self._end(name, packet["toolCallRequest"])
            case {"type": "toolCallGenerationFailed"}:
                return self._fail(packet)
            case _:
                return ()

    def _start(self, name: str | None) -> tuple[PredictEvent, ...]:
        if self._started:
            return ()
        self._started = True
        return (ToolCallStarted(index=self._index, id=self._id, name=name),)

    def _piece(self, text: str) -> tuple[PredictEvent, ...]:
        begins = not self._has_arguments and not self._held_back and bool(text.strip())
        self._held_back = self._held_back or (begins and not text.lstrip().startswith("{"))
        told = self._has_arguments or begins
        return (self._arguments(text),) if told and not self._held_back else ()

    def _arguments(self, text: str) -> ToolCallArguments:
        self._has_arguments = True
        return ToolCallArguments(index=self._index, text=text)

    def _end(self, name: str, call: Mapping[str, Any]) -> tuple[PredictEvent, ...]:
        self._id = _word(call.get("id")) or self._id
        given = call.get("arguments")
        arguments = given if isinstance(given, Mapping) else {}
        events = list(self._start(name))
        if not self._has_arguments:
            events.append(self._arguments(json.dumps(arguments)))
        events.append(ToolCallEnded(index=self._index, name=name, arguments=arguments, id=self._id))
        self._next()
        return tuple(events)

    def _fail(self, packet: Mapping[str, Any]) -> tuple[PredictEvent, ...]:
        error = packet.get("error")
        words = error.get("title") if isinstance(error, Mapping) else error
        failed = ToolCallFailed(
            index=self._index,
            error=str(words or "the host could not read the tool call"),
            raw=_word(packet.get("rawContent")) or "",
        )
        self._next()
        return (failed,)

    def _next(self) -> None:
        self._index += 1
        self._id = None
        self._started = self._has_arguments = self._held_back = False


def _fragment(fragment: Mapping[str, Any]) -> Fragment:
    kind = fragment.get("reasoningType", "none")
    tag = kind in {"reasoningStartTag", "reasoningEndTag"}
    tokens = _number(fragment.get("tokensCount"))
    return Fragment(
        text="" if tag else fragment["content"],
        tokens=1 if tokens is None else tokens,
        reasoning=kind not in {"none", None},
    )


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _real(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
