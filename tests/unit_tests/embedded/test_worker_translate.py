from dataclasses import replace
from typing import Any

import pytest

from langchain_lmswitch.embedded.worker.client import refusal
from langchain_lmswitch.embedded.worker.translate import ChunkReader, chat_body
from langchain_lmswitch.errors import ContextTooLong, HostFailed, InvalidRequest
from langchain_lmswitch.types.events import Fragment, PromptProgress
from langchain_lmswitch.types.requests import PredictRequest

ASK = PredictRequest(messages=({"role": "user", "content": [{"type": "text", "text": "Hi"}]},))
TOOL = {"type": "function", "function": {"name": "add", "parameters": {}}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def chunk(delta: dict[str, Any], *, reason: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more}


def test_what_was_not_asked_for_is_left_to_the_engine() -> None:
    assert not chat_body(ASK).keys() & {"temperature", "max_tokens", "stop", "seed", "top_p"}


def test_zero_is_sent() -> None:
    body = chat_body(replace(ASK, temperature=0.0, seed=0))

    assert (body["temperature"], body["seed"]) == (0.0, 0)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("llm.prediction.topKSampling", 40, {"top_k": 40}),
        ("llm.prediction.topPSampling", {"checked": True, "value": 0.9}, {"top_p": 0.9}),
        ("llm.prediction.topPSampling", {"checked": False, "value": 0.9}, {"top_p": 1.0}),
        ("llm.prediction.minPSampling", {"checked": False}, {"min_p": 0.0}),
        ("llm.prediction.repeatPenalty", {"checked": True, "value": 1.2}, {"repeat_penalty": 1.2}),
        ("llm.prediction.seed", {"checked": True, "value": 7}, {"seed": 7}),
        (
            "llm.prediction.llama.presencePenalty",
            {"checked": True, "value": 0.5},
            {"presence_penalty": 0.5},
        ),
        (
            "llm.prediction.llama.frequencyPenalty",
            {"checked": True, "value": 0.5},
            {"frequency_penalty": 0.5},
        ),
    ],
)
def test_lm_studios_options_reach_the_engine(
    key: str, value: object, expected: dict[str, float]
) -> None:
    body = chat_body(replace(ASK, options=((key, value),)))

    assert body.items() >= expected.items()


def test_unknown_options_are_passed_over() -> None:
    assert chat_body(replace(ASK, options=(("llm.prediction.whatever", 1),))) == chat_body(ASK)


def test_a_field_of_the_request_outranks_the_same_option() -> None:
    option = ("llm.prediction.topPSampling", {"checked": True, "value": 0.9})

    assert chat_body(replace(ASK, top_p=0.5, options=(option,)))["top_p"] == 0.5


def test_a_schema_constrains_the_answer() -> None:
    body = chat_body(replace(ASK, json_schema=SCHEMA))

    assert body["response_format"]["json_schema"]["schema"] == SCHEMA


def test_tools_constrain_by_grammar_and_only_one_constraint_is_sent() -> None:
    body = chat_body(replace(ASK, tools=(TOOL,), json_schema=SCHEMA))

    assert "grammar" in body
    assert "response_format" not in body


def test_tools_that_may_not_be_called_are_not_mentioned() -> None:
    assert chat_body(replace(ASK, tools=(TOOL,), tool_choice="none")) == chat_body(ASK)


def test_progress_counts_the_cached_tokens() -> None:
    progress = {"total": 40, "cache": 10, "processed": 20, "time_ms": 5}

    events = list(ChunkReader().feed(chunk({"content": None}, prompt_progress=progress)))

    assert events == [PromptProgress(fraction=0.5, cached_tokens=10, total_tokens=40)]


def test_thoughts_and_answer_are_told_apart_and_tokens_counted_by_the_engine() -> None:
    reader = ChunkReader()

    events = [
        *reader.feed(chunk({"reasoning_content": "Hm"}, timings={"predicted_n": 1})),
        *reader.feed(chunk({"content": "é"}, timings={"predicted_n": 4})),
    ]

    assert events == [
        Fragment(text="Hm", tokens=1, reasoning=True),
        Fragment(text="é", tokens=3, reasoning=False),
    ]


@pytest.mark.parametrize(
    ("reason", "stop_type", "max_tokens", "expected"),
    [
        ("stop", "eos", None, "eosFound"),
        ("stop", "word", None, "stopStringFound"),
        ("length", "limit", 8, "maxPredictedTokensReached"),
        ("length", "limit", 9, "contextLengthReached"),
        ("length", "limit", None, "contextLengthReached"),
    ],
)
def test_the_end_has_a_reason(
    reason: str, stop_type: str, max_tokens: int | None, expected: str
) -> None:
    reader = ChunkReader(max_tokens=max_tokens)
    usage = {
        "completion_tokens": 8,
        "prompt_tokens": 30,
        "prompt_tokens_details": {"cached_tokens": 25},
    }
    list(reader.feed(chunk({}, reason=reason, __verbose={"stop_type": stop_type})))
    list(reader.feed({"choices": [], "usage": usage, "timings": {"predicted_per_second": 50.0}}))

    finished = reader.finished()

    assert finished.stop_reason == expected
    assert (finished.prompt_tokens, finished.predicted_tokens) == (30, 8)
    assert (finished.cached_tokens, finished.tokens_per_second) == (25, 50.0)


def test_an_answer_without_a_finish_reason_is_incomplete() -> None:
    reader = ChunkReader()
    list(reader.feed(chunk({"content": "Hal"})))

    assert not reader.complete


def test_a_prompt_beyond_the_context_is_named_with_both_sizes() -> None:
    text = (
        '{"error":{"code":400,"type":"exceed_context_size_error","n_prompt_tokens":30,"n_ctx":20}}'
    )

    error = refusal("http://127.0.0.1:1", 400, text)

    assert isinstance(error, ContextTooLong)
    assert (error.tokens, error.limit_tokens) == (30, 20)


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (400, '{"error":{"type":"invalid_request_error","message":"bad schema"}}', InvalidRequest),
        (500, '{"error":{"type":"server_error","message":"oops"}}', HostFailed),
        (500, "not json", HostFailed),
        (500, "[]", HostFailed),
    ],
)
def test_every_refusal_has_a_type(status: int, text: str, kind: type[Exception]) -> None:
    assert isinstance(refusal("http://127.0.0.1:1", status, text), kind)
