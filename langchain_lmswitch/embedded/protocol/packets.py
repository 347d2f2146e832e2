"""The packets of a prediction, out of the events of a worker."""

from collections.abc import Iterator
from typing import Any, assert_never

from langchain_lmswitch.embedded.protocol.failures import serialized
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

Packet = dict[str, Any]


def packets(event: PredictEvent) -> Iterator[Packet]:
    """Give the packets of one event; a `Finished` has none here, see `stats`."""
    match event:
        case PromptProgress():
            yield _prompt_progress(event)
        case Fragment():
            yield {"type": "fragment", "fragment": _fragment(event)}
        case ToolCallStarted():
            yield from _tool_call_started(event)
        case ToolCallArguments(text=text):
            yield {"type": "toolCallGenerationArgumentFragmentGenerated", "content": text}
        case ToolCallEnded():
            yield {"type": "toolCallGenerationEnd", "toolCallRequest": _tool_call(event)}
        case ToolCallFailed(error=error, raw=raw):
            failed = {"type": "toolCallGenerationFailed", "error": serialized(error)}
            yield failed | ({"rawContent": raw} if raw else {})
        case Finished():
            return
        case _:
            assert_never(event)


def stats(finished: Finished, *, total_s: float, gpu_layers: int) -> dict[str, Any]:
    """Sum a prediction up; what is unknown is left out."""
    counts = (finished.prompt_tokens, finished.predicted_tokens)
    known = [count for count in counts if count is not None]
    summary = {
        "stopReason": finished.stop_reason,
        "tokensPerSecond": finished.tokens_per_second,
        "numGpuLayers": gpu_layers,
        "timeToFirstTokenSec": finished.time_to_first_token_s,
        "totalTimeSec": total_s,
        "promptTokensCount": finished.prompt_tokens,
        "predictedTokensCount": finished.predicted_tokens,
        "totalTokensCount": sum(known) if known else None,
    }
    return {name: value for name, value in summary.items() if value is not None}


def _prompt_progress(event: PromptProgress) -> Packet:
    packet: Packet = {"type": "promptProcessingProgress", "progress": event.fraction}
    if (total := event.total_tokens) is None:
        return packet
    cached = event.cached_tokens or 0
    processed = min(total, max(cached, round(event.fraction * total)))
    details = {
        "cachedTokenCount": cached,
        "totalPromptTokenCount": total,
        "processedPromptTokenCount": processed,
        "unprocessedPromptTokenCount": total - processed,
    }
    return packet | {"details": details}


def _fragment(event: Fragment) -> dict[str, Any]:
    return {
        "content": event.text,
        "tokensCount": event.tokens,
        "containsDrafted": False,
        "reasoningType": "reasoning" if event.reasoning else "none",
        "isStructural": False,
        "tokens": [],
    }


def _tool_call_started(event: ToolCallStarted) -> Iterator[Packet]:
    started = {"type": "toolCallGenerationStart"}
    yield started | ({"toolCallId": event.id} if event.id else {})
    if event.name:
        yield {"type": "toolCallGenerationNameReceived", "name": event.name}


def _tool_call(event: ToolCallEnded) -> dict[str, Any]:
    call = {"type": "function", "name": event.name, "arguments": dict(event.arguments)}
    return call | ({"id": event.id} if event.id else {})
