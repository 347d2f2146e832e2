"""What goes out beside the answer: events, the mark of the cache, and the model itself."""

import asyncio
import pickle
import warnings
from typing import Any, cast

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.load import dumpd, dumps, load
from langchain_core.runnables import RunnableLambda
from langgraph.graph import START, MessagesState, StateGraph

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import LoadFailed
from langchain_lmswitch.testing import ScriptedHost, card
from langchain_lmswitch.types.events import (
    Compressed,
    Evicted,
    FellBack,
    Fragment,
    Loaded,
    LoadProgress,
    LoadStarted,
    MemoryChanged,
    SwitchEvent,
)

MIB = 2**20
TOKEN = "sk-lm-abcdefgh:0123456789abcdefghij"  # noqa: S105 - of no host


def crowded() -> ScriptedHost:
    """Room for one of two models; the first load of the larger one fails."""
    cards = [card("large", params="8B", size_bytes=300 * MIB), card("small", params="1B")]
    return ScriptedHost(
        cards,
        replies="Fine.",
        memory_bytes=(300 + 256 + 512) * MIB,
        fail_load={"large": [LoadFailed("large", reason="No luck.")]},
    )


def kinds(events: list[SwitchEvent]) -> list[str]:
    """List them, repeated ones once; memory changes whenever it does."""
    names = [type(event).__name__ for event in events if not isinstance(event, MemoryChanged)]
    return [one for one, before in zip(names, [None, *names], strict=False) if one != before]


def test_every_event_reaches_the_callback_in_its_order() -> None:
    heard: list[SwitchEvent] = []
    host = crowded()
    llm = ChatLMSwitch(host=host, monitor=host, on_event=heard.append)
    llm.invoke("Hello")
    assert kinds(heard) == [
        *("LoadStarted", "LoadProgress", "FellBack"),
        *("LoadStarted", "LoadProgress", "Loaded"),
    ]
    assert FellBack(key="large", reason="No luck.") in heard

    heard.clear()
    llm.invoke("Hello", model="large")
    assert kinds(heard) == ["Evicted", "LoadStarted", "LoadProgress", "Loaded"]
    assert heard[0] == Evicted(key="small", identifier="lmswitch/small", room_for="large")


def test_conversation_that_is_cut_is_an_event() -> None:
    heard: list[SwitchEvent] = []
    host = ScriptedHost([card("tiny", max_context_tokens=1024)], replies="Fine.")
    llm = ChatLMSwitch(host=host, monitor=host, on_event=heard.append)
    turns = [("user", "word " * 200), ("ai", "word " * 200)] * 3
    llm.invoke([*turns, ("user", "And?")])

    [cut] = [event for event in heard if isinstance(event, Compressed)]
    assert cut.evicted_messages > 0


@pytest.mark.parametrize("color", ["sync", "async"])
def test_same_events_reach_an_outer_graph_and_its_events(color: str) -> None:
    host = crowded()
    llm = ChatLMSwitch(host=host, monitor=host)

    def node(state: MessagesState) -> dict[str, Any]:
        return {"messages": [llm.invoke(state["messages"])]}

    async def anode(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await llm.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("model", RunnableLambda(node, anode))
    graph.add_edge(START, "model")
    agent: Any = graph.compile()

    async def astreamed() -> list[Any]:
        return [one async for one in agent.astream({"messages": "Hello"}, stream_mode="custom")]

    if color == "sync":
        seen = list(agent.stream({"messages": "Hello"}, stream_mode="custom"))
    else:
        seen = asyncio.run(astreamed())
    names = [one["lmswitch"]["event"] for one in seen]
    names = [name for name in names if name != "MemoryChanged"]
    assert (names[0], names[-1]) == ("LoadStarted", "Loaded")
    assert {"LoadProgress", "FellBack"} <= set(names)


async def test_custom_events_carry_what_typed_ones_do() -> None:
    host = crowded()
    heard: list[SwitchEvent] = []
    llm = ChatLMSwitch(host=host, monitor=host, on_event=heard.append)
    chain = RunnableLambda(lambda text: text) | llm
    told = [
        cast("Any", event["data"])["event"]
        async for event in chain.astream_events("Hello", version="v2")
        if event["event"] == "on_custom_event"
    ]

    assert told == [type(event).__name__ for event in heard]
    assert {LoadStarted, LoadProgress, Loaded, FellBack} <= {type(event) for event in heard}


# --- cache ------------------------------------------------------------------------------------


def test_answer_from_the_cache_says_so() -> None:
    host = ScriptedHost(replies="Fine.")
    llm = ChatLMSwitch(host=host, monitor=host, cache=InMemoryCache())
    answers = [
        llm.invoke("Hello"),
        llm.invoke("Hello"),
        asyncio.run(llm.ainvoke("Hello")),
        llm.invoke("Hello", task="code"),
    ]

    marks = [one.response_metadata["lmswitch"]["cached"] for one in answers]
    assert marks == [False, True, True, False]
    assert [one.text for one in answers] == ["Fine."] * 4
    assert len(host.called("predict")) == 2


# --- serialization ----------------------------------------------------------------------------


def read_again(llm: ChatLMSwitch, **secrets: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LangChain says of `load` that it may change
        return load(
            dumpd(llm),
            secrets_map=secrets,
            allowed_objects=[ChatLMSwitch],
            valid_namespaces=["langchain_lmswitch"],
        )


def test_written_and_read_again() -> None:
    llm = ChatLMSwitch(
        model="tiny",
        temperature=0.5,
        stop_sequences=["x"],
        prefer=["a"],
        quality=0.9,
        base_url="h:1",
    )
    again = read_again(llm)

    assert isinstance(again, ChatLMSwitch)
    for name in ("model", "temperature", "stop", "prefer", "quality", "base_url"):
        assert getattr(again, name) == getattr(llm, name)


def test_token_is_written_as_the_name_of_a_secret() -> None:
    llm = ChatLMSwitch(api_key=TOKEN)  # type: ignore[arg-type]  # pydantic makes it a secret

    assert TOKEN not in dumps(llm)
    assert "LM_API_TOKEN" in dumps(llm)
    assert read_again(llm, LM_API_TOKEN=TOKEN).api_key.get_secret_value() == TOKEN


def test_what_lives_in_this_process_is_left_out() -> None:
    host = ScriptedHost()
    llm = ChatLMSwitch(host=host, monitor=host, on_event=print)

    assert set(dumpd(llm)["kwargs"]) <= {"model", "max_retries"}


def test_namespace_leads_to_the_class() -> None:
    llm = ChatLMSwitch()
    assert llm.lc_id() == ["langchain_lmswitch", "chat_models", "ChatLMSwitch"]
    assert pickle.loads(pickle.dumps(llm)) == llm  # noqa: S301 - our own bytes


# --- thinking ---------------------------------------------------------------------------------

THOUGHT = [
    Fragment(text="Let me ", tokens=2, reasoning=True),
    Fragment(text="think.", tokens=2, reasoning=True),
    Fragment(text="Four."),
]


@pytest.mark.parametrize("output_version", [None, "v1"])
def test_thinking_stands_apart_from_the_answer(output_version: str | None) -> None:
    host = ScriptedHost(replies=THOUGHT)
    llm = ChatLMSwitch(host=host, monitor=host, output_version=output_version)
    answer = llm.invoke("2 + 2?")
    blocks = [
        {"type": "reasoning", "reasoning": "Let me think."},
        {"type": "text", "text": "Four."},
    ]

    assert answer.text == "Four."
    assert answer.additional_kwargs["reasoning_content"] == "Let me think."
    assert answer.content_blocks == blocks
    assert answer.content == (blocks if output_version else "Four.")
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_token_details"] == {"reasoning": 4}

    llm.invoke([("user", "2 + 2?"), answer, ("user", "Sure?")])
    assert "think" not in str(host.called("predict")[-1].request)
    llm.invoke([("user", "2 + 2?"), answer, ("user", "Sure?")], send_reasoning=True)
    assert "Let me think." in str(host.called("predict")[-1].request)
