"""Stacks of key-value fields, read and written."""

from typing import Any

import pytest
from lmstudio import LlmPredictionConfig
from lmstudio._kv_config import parse_llm_load_config, prediction_config_to_kv_config_stack

from langchain_lmswitch.embedded.protocol import kv
from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.types.requests import PredictRequest

USER = {"role": "user", "content": [{"type": "text", "text": "hi"}]}
TOOL = {"type": "function", "function": {"name": "add_two", "parameters": {"a_b": {}}}}


def _request(**values: Any) -> PredictRequest:
    return kv.predict_request({f"llm.prediction.{key}": v for key, v in values.items()}, [USER])


def test_a_later_layer_overrides_an_earlier_one() -> None:
    stack = {
        "layers": [
            {"layerName": "a", "config": {"fields": [{"key": "k", "value": 1}, {"key": "l"}]}},
            {"layerName": "b", "config": {"fields": [{"key": "k", "value": 2}]}},
        ]
    }
    assert kv.fields(stack) == {"k": 2, "l": None}
    assert kv.fields(None) == {}


@pytest.mark.parametrize("stack", [{"layers": [{}]}, {"layers": 3}, "x"])
def test_what_is_no_stack_is_refused(stack: Any) -> None:
    with pytest.raises(InvalidRequest):
        kv.fields(stack)


def test_a_load_reads_context_and_parallel_of_its_own_kind() -> None:
    values = {"llm.load.contextLength": 2048, "llm.load.numParallelSessions": 2, "unknown": 1}
    spec = kv.load_spec("m", values, kind="llm", identifier="i", ttl_s=5)
    assert (spec.context_tokens, spec.parallel, spec.identifier, spec.ttl_s) == (2048, 2, "i", 5)
    spec = kv.load_spec("m", values, kind="embedding", identifier=None, ttl_s=None)
    assert spec.context_tokens is None


@pytest.mark.parametrize("value", [0, -1, "x", 1.5, True])
def test_a_context_that_is_no_count_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest, match="contextLength"):
        kv.load_spec(
            "m", {"llm.load.contextLength": value}, kind="llm", identifier=None, ttl_s=None
        )


def test_the_sdk_reads_the_load_config_back() -> None:
    config = kv.load_config("llm", context_tokens=2048, parallel=2)
    assert parse_llm_load_config(config).context_length == 2048


def test_what_the_sdk_sends_arrives() -> None:
    sent = LlmPredictionConfig(
        temperature=0.5, max_tokens=7, stop_strings=["a"], top_p_sampling=0.9, top_k_sampling=3
    )
    _, stack = prediction_config_to_kv_config_stack({"type": "object"}, sent)
    request = kv.predict_request(kv.fields(stack.to_dict()), [USER])
    assert (request.temperature, request.max_tokens, request.stop) == (0.5, 7, ("a",))
    assert request.top_p == 0.9
    assert request.json_schema == {"type": "object"}
    assert request.options == (("llm.prediction.topKSampling", 3),)


def test_an_unchecked_box_says_nothing() -> None:
    unchecked = {"checked": False, "value": 9}
    request = _request(maxPredictedTokens=unchecked, seed=unchecked, topPSampling=unchecked)
    assert (request.max_tokens, request.seed, request.top_p) == (None, None, None)


def test_a_large_seed_keeps_every_digit() -> None:
    assert _request(seed={"checked": True, "value": 2**60 + 1}).seed == 2**60 + 1


def test_tools_arrive_untouched() -> None:
    """Names in snake case too, which SDK dict inputs would rewrite."""
    assert _request(tools={"type": "toolArray", "tools": [TOOL]}).tools == (TOOL,)
    assert _request(tools={"type": "none"}).tools == ()


@pytest.mark.parametrize(
    ("choice", "tools", "expected"),
    [
        ({"type": "generic", "mode": "required"}, None, "required"),
        ("none", None, "none"),
        (None, {"type": "toolArray", "tools": [], "force": True}, "required"),
        (None, None, None),
    ],
)
def test_tool_choice(choice: Any, tools: Any, expected: str | None) -> None:
    assert _request(toolChoice=choice, tools=tools).tool_choice == expected


def test_structure_is_a_json_schema_or_any_object() -> None:
    schema = {"type": "array"}
    assert _request(structured={"type": "json", "jsonSchema": schema}).json_schema == schema
    assert _request(structured={"type": "json"}).json_schema == {"type": "object"}
    assert _request(structured={"type": "none"}).json_schema is None


@pytest.mark.parametrize(
    "values",
    [
        {"structured": {"type": "gbnf", "gbnfGrammar": "root ::= x"}},
        {"temperature": "hot"},
        {"maxPredictedTokens": {"checked": True, "value": 1.5}},
        {"tools": {"type": "other"}},
        {"toolChoice": {"type": "tool", "name": "x"}},
        {"promptTemplate": {"type": "jinja"}},
    ],
)
def test_what_this_host_cannot_do_is_refused_and_not_ignored(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        _request(**values)


def test_a_configured_system_prompt_stands_in_for_a_missing_one_only() -> None:
    added = _request(systemPrompt="be kind").messages
    assert [message["role"] for message in added] == ["system", "user"]
    system = {"role": "system", "content": [{"type": "text", "text": "own"}]}
    values = {"llm.prediction.systemPrompt": "be kind"}
    assert kv.predict_request(values, [system, USER]).messages == (system, USER)
