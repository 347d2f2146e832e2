"""Hints: with the call, bound, in the config, and on the model; and who wins."""

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.chat_models.hints import HINTS
from langchain_lmswitch.errors import InvalidRequest, NoSuitableModel
from langchain_lmswitch.testing import ScriptedHost, card

CARDS = [card("coder-7b", params="7B"), card("chat-9b", params="9B"), card("tiny", params="1B")]


def llm(**fields: Any) -> ChatLMSwitch:
    host = ScriptedHost(CARDS, replies="Fine.")
    return ChatLMSwitch(host=host, monitor=host, **fields)


def record(answer: Any) -> Any:
    return answer.response_metadata["lmswitch"]


HINTED = [
    ({"model": "tiny"}, "tiny"),
    ({"task": "code"}, "coder-7b"),
    ({"prefer": ["coder"]}, "coder-7b"),
    ({"require": ["tiny"]}, "tiny"),
    ({}, "chat-9b"),
]


@pytest.mark.parametrize(("hints", "model"), HINTED)
def test_hints_of_a_call(hints: dict[str, Any], model: str) -> None:
    assert record(llm().invoke("Hello", **hints))["model"] == model


@pytest.mark.parametrize(("hints", "model"), HINTED)
def test_hints_that_are_bound(hints: dict[str, Any], model: str) -> None:
    assert record(llm().bind(**hints).invoke("Hello"))["model"] == model


@pytest.mark.parametrize(("hints", "model"), HINTED)
def test_hints_of_the_model(hints: dict[str, Any], model: str) -> None:
    assert record(llm(**hints).invoke("Hello"))["model"] == model


@pytest.mark.parametrize(("hints", "model"), HINTED)
async def test_hints_in_the_config(hints: dict[str, Any], model: str) -> None:
    """In every way of asking; LangChain hands a chat model's hooks no config."""
    config: Any = {"configurable": hints}
    one = llm()
    streamed = [chunk async for chunk in one.astream("Hello", config)]
    answers = [
        one.invoke("Hello", config),
        await one.ainvoke("Hello", config),
        list(one.stream("Hello", config))[-1],
        streamed[-1],
        one.batch(["Hello"], config)[0],
        one.with_config(config).invoke("Hello"),
        (RunnableLambda(lambda text: text) | one).invoke("Hello", config),
    ]
    assert [record(answer)["model"] for answer in answers] == [model] * len(answers)


def test_hints_in_the_config_of_an_agent() -> None:
    agent: Any = create_agent(llm(), tools=[])
    config = {"configurable": {"model": "tiny"}}
    answer = agent.invoke({"messages": "Hello"}, config)["messages"][-1]

    assert record(answer)["model"] == "tiny"


def test_call_wins_over_config_and_config_over_field() -> None:
    one, config = llm(model="coder-7b"), {"configurable": {"model": "chat-9b"}}

    assert record(one.invoke("Hello", config))["model"] == "chat-9b"  # type: ignore[arg-type]
    assert record(one.invoke("Hello", config, model="tiny"))["model"] == "tiny"  # type: ignore[arg-type]
    assert record(one.invoke("Hello"))["model"] == "coder-7b"


def test_config_specs_declare_every_hint() -> None:
    specs = {spec.id: spec for spec in llm().config_specs}

    assert set(HINTS) <= set(specs)
    assert all(specs[name].description for name in HINTS)


def test_quality_is_a_number_from_0_to_1() -> None:
    with pytest.raises(InvalidRequest, match="`quality` is 2"):
        llm().invoke("Hello", quality=2)
    with pytest.raises(ValueError, match="less than or equal to 1"):
        llm(quality=2)


def test_requirement_that_nobody_meets_names_what_is_missing() -> None:
    with pytest.raises(NoSuitableModel, match="lacks 'vision', which you require"):
        llm().invoke("Hello", require=["vision"])


# --- conversations ----------------------------------------------------------------------------

CLOSE = [card("a-7b", params="7B"), card("b-8b", params="8B")]


def close() -> ChatLMSwitch:
    """Two models of nearly one size: who answered before has the edge."""
    host = ScriptedHost(CLOSE, replies="Fine.")
    return ChatLMSwitch(host=host, monitor=host, explore=0)


def test_conversation_stays_with_the_model_of_its_last_answer() -> None:
    one = close()
    first = one.invoke("Hello", model="a-7b")
    one.invoke("Hello", model="b-8b")  # both are loaded now

    assert record(one.invoke("Hello"))["model"] == "b-8b"
    assert record(one.invoke([("user", "Hello"), first, ("user", "And?")]))["model"] == "a-7b"


def test_thread_of_a_graph_is_remembered_where_the_messages_do_not_tell() -> None:
    """A graph that keeps only the words of an answer still has its thread."""
    one = close()

    def answer(state: MessagesState) -> dict[str, Any]:
        said = one.invoke(state["messages"][-1:])
        return {"messages": [("ai", f"{record(said)['model']}")]}

    graph = StateGraph(MessagesState)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    agent: Any = graph.compile(checkpointer=InMemorySaver())

    def turn(thread: str, **hints: Any) -> str:
        config = {"configurable": {"thread_id": thread, **hints}}
        return str(agent.invoke({"messages": "Hello"}, config)["messages"][-1].text)

    assert turn("one", model="a-7b") == "a-7b"
    assert turn("two", model="b-8b") == "b-8b"
    assert (turn("one"), turn("two"), turn("three")) == ("a-7b", "b-8b", "b-8b")
