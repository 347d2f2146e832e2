"""The router by itself: it decides as the chat model would, and nothing happens."""

from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_lmswitch import ChatLMSwitch, Decision, LMSwitchRouter
from langchain_lmswitch.errors import InvalidRequest, UnknownModel
from langchain_lmswitch.testing import ScriptedHost, card

CARDS = [card("coder-7b", params="7B"), card("chat-9b", params="9B"), card("tiny", params="1B")]
CODE = "Write a python function that reverses a string."


def made(**fields: Any) -> tuple[ScriptedHost, LMSwitchRouter]:
    host = ScriptedHost(CARDS)
    return host, ChatLMSwitch(host=host, monitor=host, **fields).router


@pytest.mark.parametrize(
    ("options", "model"),
    [({}, "coder-7b"), ({"task": "chat"}, "chat-9b"), ({"require": ["tiny"]}, "tiny")],
)
async def test_decides_as_the_chat_model_would(options: dict[str, Any], model: str) -> None:
    host, router = made()
    decisions = [
        router.decide(CODE, **options),
        await router.adecide([("user", CODE)], **options),
        router.invoke(CODE, **options),
        await router.ainvoke(CODE, **options),
    ]

    assert [one.model for one in decisions] == [model] * 4
    assert {one.key for one in decisions[0].candidates} == {one.key for one in CARDS}
    assert {call.method for call in host.calls} <= {"cards", "residents", "estimate"}
    answer = ChatLMSwitch(host=host, monitor=host).invoke(CODE, **options)
    assert answer.response_metadata["lmswitch"]["model"] == model


def test_is_a_step_of_a_chain_with_the_hints_of_its_config() -> None:
    _, router = made()
    chain = router | RunnableLambda(lambda decision: decision.model)
    config: Any = {"configurable": {"require": ["tiny"]}}

    assert chain.invoke(CODE) == "coder-7b"
    assert chain.invoke(CODE, config) == "tiny"
    assert chain.batch([CODE, "Hello"]) == ["coder-7b", "chat-9b"]


def test_is_an_edge_of_a_graph() -> None:
    """Whose nodes are somebody else's models."""
    _, router = made()

    def way(state: MessagesState) -> str:
        return router.decide(state["messages"]).task

    graph = StateGraph(MessagesState)
    for name in ("code", "chat"):
        graph.add_node(name, lambda _, name=name: {"messages": [("ai", name)]})
        graph.add_edge(name, END)
    graph.add_conditional_edges(START, way, ["code", "chat"])
    agent: Any = graph.compile()

    assert agent.invoke({"messages": CODE})["messages"][-1].text == "code"
    assert agent.invoke({"messages": "Hello"})["messages"][-1].text == "chat"


def test_nobody_who_can_is_a_decision_too() -> None:
    _, router = made()
    decision = router.decide("Hello", require=["vision"])

    assert isinstance(decision, Decision)
    assert decision.model == ""
    assert all(one.lacks for one in decision.candidates)


def test_wrong_options_are_told() -> None:
    _, router = made()
    with pytest.raises(InvalidRequest, match="Did you mean 'quality'"):
        router.decide("Hello", qualty=1)
    with pytest.raises(UnknownModel):
        router.decide("Hello", model="huge")
