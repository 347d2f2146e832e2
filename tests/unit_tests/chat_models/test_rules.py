"""Who may answer and who is good at what: in the settings, on the model, with the call."""

from typing import Any

import pytest
from pydantic import ValidationError

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import InvalidRequest, ModelDenied, NoSuitableModel
from langchain_lmswitch.testing import ScriptedHost, card

CARDS = [card("coder-7b", params="7B"), card("chat-9b", params="9B"), card("tiny", params="1B")]


def llm(**fields: Any) -> ChatLMSwitch:
    host = ScriptedHost(CARDS, replies="Fine.")
    return ChatLMSwitch(host=host, monitor=host, **fields)


def chosen(answer: Any) -> str:
    return str(answer.response_metadata["lmswitch"]["model"])


RULED = [
    ({}, "chat-9b"),
    ({"deny": ["chat*"]}, "coder-7b"),
    ({"deny": ["chat", "coder"]}, "tiny"),
    ({"allow": ["coder", "tiny"]}, "coder-7b"),
    ({"allow": ["*"], "deny": ["?????-?b", "chat-9b"]}, "tiny"),
    ({"roles": {"tiny": ["chat"]}}, "tiny"),
    ({"roles": {"tiny": {"roles": "chat"}}, "deny": ["tiny"]}, "chat-9b"),
    ({"roles": {"chat": {"chat": 0.1}}}, "coder-7b"),
]


@pytest.mark.parametrize(("rules", "model"), RULED)
def test_rules_of_the_model_bound_and_with_the_call(rules: dict[str, Any], model: str) -> None:
    answers = [
        llm(**rules).invoke("Hello"),
        llm().bind(**rules).invoke("Hello"),
        llm().invoke("Hello", **rules),
        llm().invoke("Hello", {"configurable": rules}),
    ]
    assert [chosen(one) for one in answers] == [model] * 4
    assert llm(**rules).explain("Hello").model == model


@pytest.mark.parametrize(
    ("name", "value", "model"),
    [
        ("DENY", "chat*,coder-7b", "tiny"),
        ("ALLOW", "coder, tiny", "coder-7b"),
        ("ROLES", '{"tiny": ["chat"]}', "tiny"),
    ],
)
def test_rules_of_the_settings(
    name: str, value: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"LMSWITCH_{name}", value)

    assert chosen(llm().invoke("Hello")) == model


def test_settings_and_calls_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """What either denies is denied; the call says who is allowed, and who is good at what."""
    monkeypatch.setenv("LMSWITCH_DENY", "chat")
    monkeypatch.setenv("LMSWITCH_ALLOW", "chat,coder")
    monkeypatch.setenv("LMSWITCH_ROLES", '{"tiny": {"chat": 0.99}}')

    assert chosen(llm().invoke("Hello")) == "coder-7b"
    assert chosen(llm(allow=["*"]).invoke("Hello")) == "tiny"
    assert chosen(llm(allow=["*"]).invoke("Hello", roles={"tiny": {"chat": 0.1}})) == "coder-7b"


@pytest.mark.parametrize("model", ["tiny", "tin"])
def test_a_denied_model_is_not_used_by_name(model: str) -> None:
    one = llm(deny=["tiny"])
    for ask in (one.invoke, one.explain):
        with pytest.raises(ModelDenied, match=r"'tiny' may not answer: you deny 'tiny'.*`deny`"):
            ask("Hello", model=model)
    with pytest.raises(PermissionError):
        list(one.stream("Hello", model=model))


def test_what_is_not_allowed_is_not_used_by_name() -> None:
    with pytest.raises(ModelDenied, match="change `allow`; `lmswitch config` tells"):
        llm(allow=["coder"], model="tiny").invoke("Hello")


def test_nobody_is_left() -> None:
    """The error says whose rule it is."""
    with pytest.raises(NoSuitableModel, match=r"tiny: you deny.*Change `allow` or `deny`"):
        llm(deny=["*"]).invoke("Hello")


def test_the_reasons_tell_of_a_role() -> None:
    decision = llm(roles={"tiny": ["chat"]}).explain("Hello")

    assert any(reason.startswith("you say so") for reason in decision.candidates[0].reasons)


def test_roles_that_cannot_be_read() -> None:
    with pytest.raises(ValidationError, match="cook"):
        llm(roles={"tiny": ["cook"]})
    with pytest.raises(InvalidRequest, match=r"`roles` cannot be used.*cook"):
        llm().invoke("Hello", roles={"tiny": ["cook"]})
    with pytest.raises(InvalidRequest, match="`roles` cannot be used"):
        llm().invoke("Hello", roles=["tiny"])


async def test_rules_travel_with_a_copy() -> None:
    one = llm(deny=["chat"]).model_copy(update={"temperature": 0.1})

    assert chosen(await one.ainvoke("Hello")) == "coder-7b"


async def test_denied_model_is_not_loaded_by_hand_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_DENY", "tiny")
    denying = llm()

    with pytest.raises(ModelDenied, match="change `deny`"):
        denying.preload("tiny")
    with pytest.raises(ModelDenied):
        async with denying.hold("tiny"):
            pass
    assert denying.loaded() == []


def test_task_that_there_is_not_is_named_with_those_there_are() -> None:
    with pytest.raises(InvalidRequest, match="no task 'poetry'; name one of code, math"):
        llm().invoke("Hello", task="poetry")
