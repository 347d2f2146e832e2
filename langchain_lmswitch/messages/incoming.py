"""LM Studio's answer as LangChain's message chunks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, assert_never

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import ToolCallChunk

from langchain_lmswitch.messages.calls import Calls
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
    """Turns what a request yields into message chunks.

    What every answer needs once (model, usage, timings, decision) goes into the last chunk: chunks
    are merged by adding, and strings concatenate.

    Args:
        new_id: Names a tool call to which the host gave no id.
        parallel_calls: Whether an answer may have more than one tool call; LM Studio has no such
            switch, so the further ones are left out here.
    """

    def __init__(self, *, new_id: Callable[[], str], parallel_calls: bool = True) -> None:
        self._decision: Decision | None = None
        self._calls = Calls(new_id=new_id, parallel=parallel_calls)
        self._reasoning_tokens = 0

    def next(self, event: Decision | PredictEvent) -> AIMessageChunk | None:
        """Give the chunk for an event, or `None` where there is nothing to show."""
        match event:
            case Decision():
                self._decision = event
                return None
            case Fragment():
                return self._fragment(event)
            case ToolCallStarted() | ToolCallArguments() | ToolCallEnded() | ToolCallFailed():
                return _calling(self._calls.read(event))
            case PromptProgress():
                return None
            case Finished():
                return self._last(event)
            case _:
                assert_never(event)

    def mended(self, message: AIMessage) -> AIMessage:
        """Give the sum of all chunks with its invalid tool calls as the model wrote them.

        A chunk cannot say why a call is invalid; see `Calls`.
        """
        if not self._calls.invalid:
            return message
        return message.model_copy(update={"invalid_tool_calls": list(self._calls.invalid)})

    def _fragment(self, fragment: Fragment) -> AIMessageChunk:
        if not fragment.reasoning:
            return AIMessageChunk(content=fragment.text)
        self._reasoning_tokens += fragment.tokens
        return AIMessageChunk(content="", additional_kwargs={"reasoning_content": fragment.text})

    def _last(self, finished: Finished) -> AIMessageChunk:
        left_over = self._calls.close()
        decision = self._decision.to_dict() if self._decision else {}
        return AIMessageChunk(
            content="",
            tool_call_chunks=list(left_over),
            chunk_position="last",
            usage_metadata=usage(finished, reasoning_tokens=self._reasoning_tokens),
            response_metadata={
                "model_name": decision.get("model", ""),
                "model_provider": PROVIDER,
                "finish_reason": _FINISH_REASONS.get(finished.stop_reason, finished.stop_reason),
                "stop_reason": finished.stop_reason,
                "time_to_first_token_s": finished.time_to_first_token_s,
                "tokens_per_second": finished.tokens_per_second,
                "lmswitch": decision,
            },
        )


def usage(finished: Finished, *, reasoning_tokens: int = 0) -> UsageMetadata | None:
    """Token usage; `None` if the host did not count.

    Args:
        finished: The end of the answer.
        reasoning_tokens: Those of the pieces that were marked as thinking; part of the output.
    """
    if finished.prompt_tokens is None or finished.predicted_tokens is None:
        return None
    counted = UsageMetadata(
        input_tokens=finished.prompt_tokens,
        output_tokens=finished.predicted_tokens,
        total_tokens=finished.prompt_tokens + finished.predicted_tokens,
    )
    if finished.cached_tokens is not None:
        counted["input_token_details"] = InputTokenDetails(cache_read=finished.cached_tokens)
    if reasoning_tokens:
        counted["output_token_details"] = OutputTokenDetails(reasoning=reasoning_tokens)
    return counted


def _calling(pieces: Sequence[ToolCallChunk]) -> AIMessageChunk | None:
    return AIMessageChunk(content="", tool_call_chunks=list(pieces)) if pieces else None
