"""An answer's events as message chunks, and their sum as the message."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.messages.ai import add_ai_message_chunks

from langchain_lmswitch.messages.incoming import chunk, last_chunk, usage
from langchain_lmswitch.testing import split, tool_call
from langchain_lmswitch.types.events import (
    Finished,
    Fragment,
    PredictEvent,
    PromptProgress,
    ToolCallEnded,
    ToolCallFailed,
)

DONE = Finished(stop_reason="eosFound", prompt_tokens=7, predicted_tokens=3)


def chunks(events: Sequence[PredictEvent], finished: Finished = DONE) -> list[AIMessageChunk]:
    pieces = [piece for event in events if (piece := chunk(event)) is not None]
    return [*pieces, last_chunk(finished, model="tiny", decision={"model": "tiny"})]


def message(events: Sequence[PredictEvent], finished: Finished = DONE) -> AIMessage:
    added = message_chunk_to_message(add_ai_message_chunks(*chunks(events, finished)))
    assert isinstance(added, AIMessage)
    return added


@given(st.text())
def test_chunks_add_up_to_the_text(said: str) -> None:
    assert message([Fragment(text=piece) for piece in split(said)]).content == said


def test_nothing_to_show() -> None:
    """Progress, a call's end and the end have no chunk of their own."""
    assert chunk(PromptProgress(fraction=0.5)) is None
    assert chunk(ToolCallEnded(index=0, name="f")) is None
    assert chunk(DONE) is None


def test_reasoning_is_kept_apart() -> None:
    added = message(
        [
            Fragment(text="Let me ", reasoning=True),
            Fragment(text="think.", reasoning=True),
            Fragment(text="Four."),
        ]
    )

    assert added.content == "Four."
    assert added.additional_kwargs["reasoning_content"] == "Let me think."


def test_tool_calls_are_put_together() -> None:
    added = message(
        [
            Fragment(text="I will look."),
            *tool_call("look_up", {"city_name": "Oslo", "days": [1, 2]}),
            *tool_call("add", {"a": 1}, index=1),
        ]
    )

    assert added.content == "I will look."
    assert [(one["name"], one["args"], one["id"]) for one in added.tool_calls] == [
        ("look_up", {"city_name": "Oslo", "days": [1, 2]}, "call-0"),
        ("add", {"a": 1}, "call-1"),
    ]


def test_call_that_cannot_be_read() -> None:
    added = message([ToolCallFailed(index=0, error="no JSON", raw="look_up(Oslo)")])

    assert added.tool_calls == []
    assert [one["args"] for one in added.invalid_tool_calls] == ["look_up(Oslo)"]


def test_usage_is_counted_once() -> None:
    pieces = chunks([Fragment(text="a"), Fragment(text="b"), *tool_call("f")])

    assert [piece.usage_metadata for piece in pieces[:-1]] == [None] * (len(pieces) - 1)
    assert pieces[-1].usage_metadata == {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}


def test_metadata_stands_on_the_last_chunk_only() -> None:
    """Chunks are merged by adding, and strings would be written twice."""
    pieces = chunks([Fragment(text="a"), Fragment(text="b")])

    assert [piece.response_metadata for piece in pieces[:-1]] == [{}, {}]
    assert [piece.chunk_position for piece in pieces] == [None, None, "last"]
    assert message([]).response_metadata == {
        "model_name": "tiny",
        "model_provider": "lmstudio",
        "finish_reason": "stop",
        "stop_reason": "eosFound",
        "time_to_first_token_s": None,
        "tokens_per_second": None,
        "lmswitch": {"model": "tiny"},
    }


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("eosFound", "stop"),
        ("stopStringFound", "stop"),
        ("userStopped", "stop"),
        ("toolCalls", "tool_calls"),
        ("maxPredictedTokensReached", "length"),
        ("contextLengthReached", "length"),
        ("modelUnloaded", "modelUnloaded"),
        ("somethingNewer", "somethingNewer"),
    ],
)
def test_finish_reasons(stop_reason: str, finish_reason: str) -> None:
    """LangChain's words, and the host's own where it knows more."""
    metadata = message([], Finished(stop_reason=stop_reason)).response_metadata

    assert (metadata["finish_reason"], metadata["stop_reason"]) == (finish_reason, stop_reason)


@pytest.mark.parametrize(
    ("counted", "details"),
    [
        ({"prompt_tokens": 7, "predicted_tokens": 3, "cached_tokens": 5}, {"cache_read": 5}),
        ({"prompt_tokens": 7, "predicted_tokens": 0, "cached_tokens": 0}, {"cache_read": 0}),
        ({"prompt_tokens": 7, "predicted_tokens": 3}, None),
    ],
)
def test_usage(counted: dict[str, int], details: Any) -> None:
    found = usage(Finished(stop_reason="eosFound", **counted))

    assert found is not None
    assert found.get("input_token_details") == details


@pytest.mark.parametrize("counted", [{}, {"prompt_tokens": 7}, {"predicted_tokens": 3}])
def test_usage_that_was_not_counted_is_none(counted: dict[str, int]) -> None:
    assert usage(Finished(stop_reason="eosFound", **counted)) is None
