"""What the user's tables say of single models, as a chat model heeds it."""

import json

import pytest
from langchain_core.messages import HumanMessage

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.context.budget import budget
from langchain_lmswitch.errors import ContextTooLong
from langchain_lmswitch.testing import ScriptedHost, card

LONG = "The ship sailed on. " * 400


def llm(monkeypatch: pytest.MonkeyPatch, *keys: str, **tables: object) -> ChatLMSwitch:
    monkeypatch.setenv("LMSWITCH_MODELS", json.dumps(tables))
    cards = [card(key, params="3B", max_context_tokens=32768) for key in keys]
    host = ScriptedHost(cards, replies="Aye.")
    return ChatLMSwitch(host=host, monitor=host)


def test_a_request_that_needs_more_than_the_cap_goes_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = llm(monkeypatch, "able", "capped", capped={"max_context": 1024, "roles": ["chat"]})
    assert one.invoke("Hello").response_metadata["lmswitch"]["model"] == "capped"

    answer = one.invoke(LONG, task="chat")
    assert answer.response_metadata["lmswitch"]["model"] == "able"
    told = {found.key: found for found in one.explain(LONG, task="chat").candidates}
    assert told["capped"].lacks == ("gets 1024 tokens of context only, by your `max_context`",)
    assert told["capped"].max_context_tokens == 1024


def test_where_all_are_capped_it_is_cut_to_fit_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one = llm(monkeypatch, "capped", capped={"max_context": 1024})
    answer = one.invoke(LONG)
    told = answer.response_metadata["lmswitch"]
    assert (told["model"], told["context_tokens"]) == ("capped", 1024)
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["input_tokens"] < 1024

    with pytest.raises(ContextTooLong) as too_long:
        one.invoke([HumanMessage(LONG)], on_overflow="raise")
    assert too_long.value.limit_tokens <= 1024


def test_more_than_the_usual_context_may_be_said_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    one = llm(monkeypatch, "roomy", "usual", roomy={"max_context": 16384})
    told = one.invoke("Hello", model="roomy").response_metadata["lmswitch"]
    assert told["context_tokens"] == 16384
    assert (one.profile or {})["max_input_tokens"] == budget(16384, max_tokens=None)
    told = one.invoke("Hello", model="usual").response_metadata["lmswitch"]
    assert told["context_tokens"] == 8192


def test_the_profile_knows_the_cap_before_a_load(monkeypatch: pytest.MonkeyPatch) -> None:
    one = llm(monkeypatch, "capped", "usual", capped={"max_context": 2048})
    one.explain("Hello")
    assert (one.profile or {})["max_input_tokens"] == budget(2048, max_tokens=None)
