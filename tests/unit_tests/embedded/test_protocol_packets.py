"""Packets of a prediction, and the queries that choose a model."""

import pytest

from langchain_lmswitch.embedded.protocol.matching import (
    Query,
    Reference,
    best,
    matches,
    named,
    specifier,
)
from langchain_lmswitch.embedded.protocol.packets import Packet, packets, stats
from langchain_lmswitch.errors import InvalidRequest
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
from langchain_lmswitch.types.models import ModelCard

CARD = ModelCard(key="tiny", path="Me/Tiny-GGUF/tiny.gguf")


def _one(event: PredictEvent) -> Packet:
    (packet,) = packets(event)
    return packet


def test_a_fragment_has_all_fields() -> None:
    fragment = _one(Fragment(text="x", tokens=2, reasoning=True))["fragment"]
    assert fragment == {
        "content": "x",
        "tokensCount": 2,
        "containsDrafted": False,
        "reasoningType": "reasoning",
        "isStructural": False,
        "tokens": [],
    }


def test_prompt_progress_tells_its_counts_when_they_are_known() -> None:
    packet = _one(PromptProgress(fraction=0.5, cached_tokens=10, total_tokens=100))
    assert packet["details"] == {
        "cachedTokenCount": 10,
        "totalPromptTokenCount": 100,
        "processedPromptTokenCount": 50,
        "unprocessedPromptTokenCount": 50,
    }
    assert "details" not in _one(PromptProgress(fraction=0.5))


def test_a_tool_call_is_told_from_start_to_end() -> None:
    events: list[PredictEvent] = [
        ToolCallStarted(index=0, id="1", name="add"),
        ToolCallArguments(index=0, text='{"a_b":1}'),
        ToolCallEnded(index=0, id="1", name="add", arguments={"a_b": 1}),
    ]
    told = [packet for event in events for packet in packets(event)]
    assert told == [
        {"type": "toolCallGenerationStart", "toolCallId": "1"},
        {"type": "toolCallGenerationNameReceived", "name": "add"},
        {"type": "toolCallGenerationArgumentFragmentGenerated", "content": '{"a_b":1}'},
        {
            "type": "toolCallGenerationEnd",
            "toolCallRequest": {
                "type": "function",
                "id": "1",
                "name": "add",
                "arguments": {"a_b": 1},
            },
        },
    ]


def test_a_tool_call_that_failed_shows_what_was_written() -> None:
    packet = _one(ToolCallFailed(index=0, error="no JSON", raw="{"))
    assert packet["rawContent"] == "{"
    assert packet["error"]["title"] == "no JSON"


def test_the_sum_leaves_out_what_is_unknown() -> None:
    finished = Finished(stop_reason="userStopped", predicted_tokens=3)
    summary = stats(finished, total_s=1.0, gpu_layers=0)
    assert summary["totalTokensCount"] == 3
    assert summary["stopReason"] == "userStopped"
    assert not summary.keys() & {"promptTokensCount", "tokensPerSecond", "timeToFirstTokenSec"}


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("tiny", True),
        ("me/tiny-gguf", True),
        ("ME/TINY-GGUF/", True),
        ("me/tiny-gguf/TINY.gguf", True),
        ("me/tiny", False),
        ("TINY", False),
        ("", False),
    ],
)
def test_a_name_means_a_key_or_the_beginning_of_a_path(name: str, *, means: bool) -> None:
    assert named(CARD, name) is means


def test_a_query_matches_only_if_all_of_it_does() -> None:
    assert matches(Query(identifier="mine", domain="llm"), CARD, identifier="mine")
    assert not matches(Query(identifier="mine", domain="embedding"), CARD, identifier="mine")
    assert not matches(Query(vision=True), CARD, identifier="mine")
    assert not matches(Query(identifier="mine", path="other"), CARD, identifier="mine")


def test_the_exact_identifier_comes_before_the_key_and_the_key_before_a_path() -> None:
    other = ModelCard(key="me", path="me/x.gguf")
    loaded = [("first", CARD, "tiny:2"), ("second", CARD, "tiny"), ("third", other, "other")]
    assert best(loaded, Query(identifier="tiny")) == "second"
    assert best(loaded, Query(identifier="me")) == "third"
    assert best(loaded, Query()) == "first"
    assert best(loaded, Query(identifier="none")) is None


def test_specifiers_are_queries_or_references() -> None:
    assert specifier({"type": "query", "query": {"identifier": "x"}}) == Query(identifier="x")
    wire = {"type": "instanceReference", "instanceReference": "r"}
    assert specifier(wire) == Reference(reference="r")
    for bad in (None, {}, {"type": "query"}, {"type": "instanceReference"}):
        with pytest.raises(InvalidRequest):
            specifier(bad)
