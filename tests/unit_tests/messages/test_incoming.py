"""An answer's events as message chunks, and their sum as the message."""

import json
from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.messages.tool import tool_call_chunk

from langchain_lmswitch.messages.calls import spoiling
from langchain_lmswitch.messages.incoming import Chunks, usage
from langchain_lmswitch.testing import split, tool_call
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

DONE = Finished(stop_reason="eosFound", prompt_tokens=7, predicted_tokens=3)
DECISION = Decision(model="tiny", identifier="lmswitch/tiny", task="chat", reason="Why not.")


def reader(*, parallel_calls: bool = True) -> Chunks:
    ids = (f"made-up-{number}" for number in count())
    return Chunks(new_id=lambda: next(ids), parallel_calls=parallel_calls)


def chunks(
    events: Sequence[PredictEvent], finished: Finished = DONE, *, reading: Chunks | None = None
) -> list[AIMessageChunk]:
    reading = reading or reader()
    heard = [DECISION, *events, finished]
    return [piece for event in heard if (piece := reading.next(event)) is not None]


def message(
    events: Sequence[PredictEvent], finished: Finished = DONE, *, reading: Chunks | None = None
) -> AIMessage:
    added = add_ai_message_chunks(*chunks(events, finished, reading=reading))
    whole = message_chunk_to_message(added)
    assert isinstance(whole, AIMessage)
    return whole


@given(st.text())
def test_chunks_add_up_to_the_text(said: str) -> None:
    assert message([Fragment(text=piece) for piece in split(said)]).content == said


def test_nothing_to_show() -> None:
    """Progress, the decision, and the end of a call that has its id have no chunk."""
    reading = reader()
    assert reading.next(DECISION) is None
    assert reading.next(PromptProgress(fraction=0.5)) is None
    reading.next(ToolCallStarted(index=0, name="f", id="given"))
    assert reading.next(ToolCallEnded(index=0, name="f", id="given")) is None


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


def test_host_that_gives_no_ids_gets_them_made_up() -> None:
    """One that comes late, with the end of the call, is kept."""
    nameless: list[PredictEvent] = [
        ToolCallStarted(index=0, name="f"),
        ToolCallArguments(index=0, text="{}"),
        ToolCallEnded(index=0, name="f"),
        ToolCallStarted(index=1, name="g"),
        ToolCallArguments(index=1, text="{}"),
        ToolCallEnded(index=1, name="g", id="late"),
    ]
    added = message(nameless)

    assert [(one["name"], one["id"]) for one in added.tool_calls] == [
        ("f", "made-up-0"),
        ("g", "late"),
    ]


def test_one_call_at_a_time_where_that_is_wished() -> None:
    events = [*tool_call("f", {"a": 1}), *tool_call("g", {"b": 2}, index=1)]
    added = message(events, reading=reader(parallel_calls=False))

    assert [one["name"] for one in added.tool_calls] == ["f"]


CUT: list[PredictEvent] = [
    ToolCallStarted(index=0, name="delete", id="given"),
    ToolCallArguments(index=0, text='{"path": "/'),
]
FAILURES: list[tuple[list[PredictEvent], str, str | None]] = [
    ([ToolCallFailed(index=0, error="no JSON", raw="look_up(Oslo)")], "look_up(Oslo)", None),
    ([ToolCallFailed(index=0, error="no JSON", raw='{"a": 1}')], '{"a": 1}', None),
    ([*CUT, ToolCallFailed(index=0, error="broken")], '{"path": "/', "delete"),
    ([*CUT, ToolCallFailed(index=0, error="broken", raw="<raw>")], "<raw>", "delete"),
    (list(CUT), '{"path": "/', "delete"),
    ([ToolCallStarted(index=0, name="f")], "", "f"),
]


@pytest.mark.parametrize(("events", "raw", "name"), FAILURES)
def test_what_is_no_call_never_becomes_one(
    events: list[PredictEvent], raw: str, name: str | None
) -> None:
    """LangChain completes what was cut off, and would carry out half a call."""
    reading = reader()
    added = message(events, reading=reading)
    assert added.tool_calls == []
    assert [one["name"] for one in added.invalid_tool_calls] == [name]

    [wrong] = reading.mended(added).invalid_tool_calls
    assert (wrong["args"], wrong["name"]) == (raw, name)
    assert wrong["error"]
    assert wrong["id"]


def test_call_beside_one_that_failed() -> None:
    """Also in an answer that was cut off in its second call."""
    broken: list[PredictEvent] = [
        ToolCallStarted(index=1, name="g"),
        ToolCallArguments(index=1, text='{"a'),
    ]
    added = message([*tool_call("f", {"a": 1}), *broken])

    assert [one["name"] for one in added.tool_calls] == ["f"]
    assert [one["name"] for one in added.invalid_tool_calls] == ["g"]


@given(st.text(alphabet='{}[]":,\\ a1\n', max_size=25))
def test_spoiled_arguments_of_any_kind_are_not_read(arguments: str) -> None:
    spoiled = arguments + spoiling(arguments)
    [chunk] = [tool_call_chunk(name="f", args=spoiled, id="x", index=0)]

    assert AIMessageChunk(content="", tool_call_chunks=[chunk]).tool_calls == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), JSON, max_size=3))
def test_arguments_come_in_as_the_model_wrote_them(arguments: dict[str, Any]) -> None:
    (call,) = message(tool_call("f", arguments)).tool_calls
    assert call["args"] == arguments


@given(st.dictionaries(st.text(), JSON, max_size=3), st.data())
def test_call_cut_anywhere_is_no_call(arguments: dict[str, Any], data: st.DataObject) -> None:
    written = json.dumps(arguments, ensure_ascii=False)
    end = data.draw(st.integers(0, len(written)))
    events: list[PredictEvent] = [
        ToolCallStarted(index=0, name="f"),
        ToolCallArguments(index=0, text=written[:end]),
    ]

    assert message(events).tool_calls == []


def test_tokens_of_thinking_are_part_of_the_output() -> None:
    thought = [Fragment(text="Hm", tokens=2, reasoning=True), Fragment(text="Yes.")]
    counted = message(thought).usage_metadata
    assert counted is not None
    assert counted["output_token_details"] == {"reasoning": 2}


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
        "lmswitch": DECISION.to_dict(),
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
