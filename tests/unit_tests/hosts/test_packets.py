"""The packets of an answer, read without a connection."""

import json
from typing import Any

import pytest

from langchain_lmswitch.hosts.lmstudio.packets import PacketReader
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


def read(*packets: dict[str, Any]) -> list[PredictEvent]:
    reader = PacketReader()
    return [event for packet in packets for event in reader.read(packet)]


def fragment(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "fragment", "fragment": {"content": text, **more}}


def test_recorded_fragment_and_success() -> None:
    """The samples were recorded from the SDK."""
    sent = json.loads(
        '{"type":"fragment","fragment":{"content":"I\'ll ","tokensCount":1,"containsDrafted":false,'
        '"reasoningType":"none","isStructural":false}}'
    )
    stats = json.loads(
        '{"type":"success","stats":{"stopReason":"toolCalls","tokensPerSecond":50.0,'
        '"numGpuLayers":-1,"timeToFirstTokenSec":0.01,"promptTokensCount":9,'
        '"predictedTokensCount":2,"totalTokensCount":11},"modelInfo":{},"predictionConfig":{}}'
    )
    assert read(sent, stats) == [
        Fragment(text="I'll ", tokens=1),
        Finished(
            stop_reason="toolCalls",
            prompt_tokens=9,
            predicted_tokens=2,
            time_to_first_token_s=0.01,
            tokens_per_second=50.0,
        ),
    ]


def test_thinking_is_told_apart_and_its_tags_are_not_text() -> None:
    kinds = ["reasoningStartTag", "reasoning", "reasoningEndTag", "none"]
    events = read(*(fragment(kind, reasoningType=kind, tokensCount=1) for kind in kinds))
    assert events == [
        Fragment(text="", reasoning=True),
        Fragment(text="reasoning", reasoning=True),
        Fragment(text="", reasoning=True),
        Fragment(text="none"),
    ]


def test_cached_prompt_tokens_are_told_again_at_the_end() -> None:
    details = {"cachedTokenCount": 7, "totalPromptTokenCount": 9}
    progress = {"type": "promptProcessingProgress", "progress": 0.5, "details": details}
    bare = {"type": "success", "stats": {"stopReason": "eosFound"}}
    assert read(progress, bare) == [
        PromptProgress(fraction=0.5, cached_tokens=7, total_tokens=9),
        Finished(stop_reason="eosFound", cached_tokens=7),
    ]


def test_a_stop_reason_newer_than_this_package_arrives_as_it_is() -> None:
    assert read({"type": "success", "stats": {"stopReason": "boredom"}}) == [
        Finished(stop_reason="boredom")
    ]


def test_a_tool_call_in_pieces() -> None:
    call = {"type": "function", "id": "c1", "name": "add", "arguments": {"a": 1}}
    assert read(
        {"type": "toolCallGenerationStart", "toolCallId": "c1"},
        {"type": "toolCallGenerationNameReceived", "name": "add"},
        {"type": "toolCallGenerationArgumentFragmentGenerated", "content": '{"a"'},
        {"type": "toolCallGenerationArgumentFragmentGenerated", "content": ": 1}"},
        {"type": "toolCallGenerationEnd", "toolCallRequest": call},
    ) == [
        ToolCallStarted(index=0, id="c1", name="add"),
        ToolCallArguments(index=0, text='{"a"'),
        ToolCallArguments(index=0, text=": 1}"),
        ToolCallEnded(index=0, name="add", arguments={"a": 1}, id="c1"),
    ]


@pytest.mark.parametrize("pieces", [["<city", ">Oslo</city>"], ["\n", "city=", "Oslo {"]])
def test_arguments_that_are_no_json_wait_for_the_host_to_read_them(pieces: list[str]) -> None:
    """Some models write calls in tags of their own, and LangChain would read the pieces as JSON."""
    name = "toolCallGenerationArgumentFragmentGenerated"
    call = {"type": "function", "name": "look_up", "arguments": {"city": "Oslo"}}
    assert read(
        {"type": "toolCallGenerationNameReceived", "name": "look_up"},
        *({"type": name, "content": piece} for piece in pieces),
        {"type": "toolCallGenerationEnd", "toolCallRequest": call},
    ) == [
        ToolCallStarted(index=0, name="look_up"),
        ToolCallArguments(index=0, text='{"city": "Oslo"}'),
        ToolCallEnded(index=0, name="look_up", arguments={"city": "Oslo"}),
    ]


def test_tool_calls_that_come_whole_are_told_in_pieces_too() -> None:
    """A reader of the pieces alone must not miss one."""
    call = {"type": "function", "id": "c1", "name": "add", "arguments": {"a_b": 1}}
    bare = {"type": "function", "name": "now"}
    assert read(
        {"type": "toolCallGenerationEnd", "toolCallRequest": call},
        {"type": "toolCallGenerationEnd", "toolCallRequest": bare},
    ) == [
        ToolCallStarted(index=0, id="c1", name="add"),
        ToolCallArguments(index=0, text='{"a_b": 1}'),
        ToolCallEnded(index=0, name="add", arguments={"a_b": 1}, id="c1"),
        ToolCallStarted(index=1, name="now"),
        ToolCallArguments(index=1, text="{}"),
        ToolCallEnded(index=1, name="now"),
    ]


@pytest.mark.parametrize("error", ["bad JSON", {"title": "bad JSON"}])
def test_a_tool_call_that_cannot_be_read_keeps_its_text(error: Any) -> None:
    failed = {"type": "toolCallGenerationFailed", "error": error, "rawContent": '{"a'}
    assert read(failed) == [ToolCallFailed(index=0, error="bad JSON", raw='{"a')]


@pytest.mark.parametrize(
    "packet",
    [{}, {"type": "newThing"}, {"type": "fragment"}, {"type": "toolCallGenerationEnd"}, fragment],
)
def test_packets_that_are_not_understood_are_passed_over(packet: Any) -> None:
    assert read(packet) == []
