"""LM Studio's answer as LangChain's message chunks."""

from collections.abc import Mapping
from typing import Any, Final, assert_never

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.messages.tool import invalid_tool_call, tool_call_chunk

from langchain_lmswitch.types.decisions import Decision
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

PROVIDER: Final = "lmstudio"
"""`ls_provider` and `response_metadata["model_provider"]` must agree, or usage is ignored."""

_FINISH_REASONS: Final[Mapping[str, str]] = {
    "eosFound": "stop",
    "stopStringFound": "stop",
    "userStopped": "stop",
    "toolCalls": "tool_calls",
    "maxPredictedTokensReached": "length",
    "contextLengthReached": "length",
}


class Chunks:
    """Turns what a request yields into message chunks; the decision goes into the last one."""

    def __init__(self) -> None:
        self._decision: Decision | None = None

    def next(self, event: Decision | PredictEvent) -> AIMessageChunk | None:
        """Give the chunk for an event, or `None` where there is nothing to show."""
        if isinstance(event, Decision):
            self._decision = event
            return None
        if isinstance(event, Finished) and self._decision is not None:
            decision = self._decision
            return last_chunk(event, model=decision.model, decision=decision.to_dict())
        return chunk(event)


def chunk(event: PredictEvent) -> AIMessageChunk | None:
    """Turn one event of an answer into a message chunk; `None` where there is nothing to show.

    The metadata that every answer needs (model, decision) is added by `last_chunk`.
    """
    match event:
        case Fragment(reasoning=True):
            return AIMessageChunk(content="", additional_kwargs={"reasoning_content": event.text})
        case Fragment():
            return AIMessageChunk(content=event.text)
        case ToolCallStarted():
            return _call(event.index, name=event.name, call_id=event.id, args="")
        case ToolCallArguments():
            return _call(event.index, name=None, call_id=None, args=event.text)
        case ToolCallFailed():
            wrong = invalid_tool_call(args=event.raw, error=event.error)
            return AIMessageChunk(content="", invalid_tool_calls=[wrong])
        case PromptProgress() | ToolCallEnded() | Finished():
            return None
        case _:
            assert_never(event)


def last_chunk(finished: Finished, *, model: str, decision: Mapping[str, Any]) -> AIMessageChunk:
    """Build the chunk that ends an answer: usage, stop reason, timings and the decision.

    Chunks are merged by adding, and strings concatenate: so each key stands on this one only.
    """
    return AIMessageChunk(
        content="",
        chunk_position="last",
        usage_metadata=usage(finished),
        response_metadata={
            "model_name": model,
            "model_provider": PROVIDER,
            "finish_reason": _FINISH_REASONS.get(finished.stop_reason, finished.stop_reason),
            "stop_reason": finished.stop_reason,
            "time_to_first_token_s": finished.time_to_first_token_s,
            "tokens_per_second": finished.tokens_per_second,
            "lmswitch": dict(decision),
        },
    )


def usage(finished: Finished) -> UsageMetadata | None:
    """Token usage; `None` if the host did not count."""
    if finished.prompt_tokens is None or finished.predicted_tokens is None:
        return None
    counted = UsageMetadata(
        input_tokens=finished.prompt_tokens,
        output_tokens=finished.predicted_tokens,
        total_tokens=finished.prompt_tokens + finished.predicted_tokens,
    )
    if finished.cached_tokens is not None:
        counted["input_token_details"] = InputTokenDetails(cache_read=finished.cached_tokens)
    return counted


def _call(index: int, *, name: str | None, call_id: str | None, args: str) -> AIMessageChunk:
    piece = tool_call_chunk(name=name, id=call_id, args=args, index=index)
    return AIMessageChunk(content="", tool_call_chunks=[piece])
