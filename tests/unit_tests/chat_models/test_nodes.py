"""A graph whose nodes each get the model that suits them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import ValidationError

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.ledger.memory import MemoryLedger
from langchain_lmswitch.testing import ScriptedHost, card
from langchain_lmswitch.types.models import ModelCard

CARDS = [card("coder-7b", params="7B"), card("chat-9b", params="9B"), card("tiny", params="1B")]


def made(cards: Sequence[ModelCard] = CARDS, **fields: Any) -> tuple[ScriptedHost, ChatLMSwitch]:
    host = ScriptedHost(cards, replies="Fine.")
    return host, ChatLMSwitch(host=host, monitor=host, **fields)


def graph_of(
    given: Mapping[str, Any] | None = None, *, checkpointer: Any = None, **more: Any
) -> Any:
    """Make a graph of nodes one after the other, each with its chat model."""
    nodes = {**(given or {}), **more}
    graph = StateGraph(MessagesState)
    names = list(nodes)
    for name, model in nodes.items():

        def ask(state: MessagesState, model: Any = model) -> dict[str, Any]:
            return {"messages": [model.invoke(state["messages"][:1])]}

        graph.add_node(name, ask)
    for before, after in zip([START, *names], names, strict=False):
        graph.add_edge(before, after)
    return graph.compile(checkpointer=checkpointer)


def models(state: Any) -> list[str]:
    return [one.response_metadata["lmswitch"]["model"] for one in state["messages"][1:]]


def asked_by(state: Any) -> list[str]:
    return [one.response_metadata["lmswitch"]["node"] for one in state["messages"][1:]]


def test_nodes_that_bind_tasks_get_different_models() -> None:
    _, llm = made()
    agent = graph_of(talk=llm.bind(task="chat"), write=llm.bind(task="code"))

    assert models(agent.invoke({"messages": "Hello"})) == ["chat-9b", "coder-7b"]


@pytest.mark.parametrize(
    ("hints", "model"),
    [
        ({"task": "code"}, "coder-7b"),
        ({"prefer": ["coder"]}, "coder-7b"),
        ({"require": ["tiny"]}, "tiny"),
        ({"model": "tiny"}, "tiny"),
        ({"quality": 1.0}, "chat-9b"),
    ],
)
def test_every_hint_can_be_bound_configured_or_said_of_the_node(
    hints: dict[str, Any], model: str
) -> None:
    _, llm = made()
    _, told = made(nodes={"three": hints})
    agent = graph_of(
        one=llm.bind(**hints),
        two=llm.with_config(configurable=hints),
        three=told,
        four=RunnableLambda(lambda messages: [("system", "Be brief."), *messages])
        | llm.bind(**hints),
    )

    assert models(agent.invoke({"messages": "Hello"})) == [model] * 4


async def test_quality_of_a_node_decides_between_waiting_and_warm() -> None:
    """A trivial step takes what is loaded; a hard one waits for the best."""
    _, llm = made([card("a-3b", params="3B"), card("b-30b", params="30B")])
    await llm.apreload("a-3b")
    agent = graph_of(quick=llm.bind(quality=0.0), best=llm.bind(quality=1.0))

    assert models(await agent.ainvoke({"messages": "Hello"})) == ["a-3b", "b-30b"]


def test_nodes_of_one_thread_decide_apart() -> None:
    """One turn of the user is decided once, but not for all nodes at once."""
    _, llm = made([card("a-7b", params="7B"), card("b-7b", params="7B")])
    llm.preload("a-7b")
    llm.preload("b-7b")
    graph = graph_of(
        {"talk": llm.bind(prefer=["b-7b"]), "write": llm.bind(prefer=["a-7b"])},
        checkpointer=InMemorySaver(),
    )
    state = graph.invoke({"messages": "Hello"}, {"configurable": {"thread_id": "one"}})

    assert models(state) == ["b-7b", "a-7b"]


def test_the_decision_knows_the_node() -> None:
    """The name that LangGraph gives it, or the one that is bound."""
    ledger = MemoryLedger()
    _, llm = made(ledger=ledger)
    agent = graph_of(plan=llm, write=llm.bind(node="author"))

    assert asked_by(agent.invoke({"messages": "Hello"})) == ["plan", "author"]
    assert llm.invoke("Hello").response_metadata["lmswitch"]["node"] == ""
    choices = [one.facts for one in ledger.decisions(99) if one.kind == "choice"]
    assert [one["task"].get("hints", {}).get("node") for one in choices] == ["plan", "author", None]


def test_an_agent_asks_as_its_node() -> None:
    _, llm = made(nodes={"model": {"task": "code"}})
    agent: Any = create_agent(llm, tools=[])
    state = agent.invoke({"messages": "Hello"})

    assert (models(state), asked_by(state)) == (["coder-7b"], ["model"])


def test_a_call_and_a_config_win_over_what_is_said_of_the_node() -> None:
    _, llm = made(nodes={"one": {"model": "tiny"}, "two": {"model": "tiny"}}, task="code")
    agent = graph_of(one=llm.bind(model="chat-9b"), two=llm, three=llm)

    assert models(agent.invoke({"messages": "Hello"})) == ["chat-9b", "tiny", "coder-7b"]
    config = {"configurable": {"model": "coder-7b"}}
    assert models(agent.invoke({"messages": "Hello"}, config))[1] == "coder-7b"


def test_a_long_name_is_cut_before_it_reaches_the_disk() -> None:
    _, llm = made()
    node = llm.invoke("Hello", node="n" * 500).response_metadata["lmswitch"]["node"]

    assert node == "n" * 80


def test_what_cannot_be_said_of_a_node_is_told() -> None:
    with pytest.raises(ValidationError, match="temperatur cannot be said of node 'plan'"):
        made(nodes={"plan": {"temperatur": 1}})
    _, llm = made(nodes={"plan": {"quality": 7}})
    with pytest.raises(InvalidRequest, match="`quality` is 7"):
        llm.invoke("Hello", node="plan")
