"""Nothing of the router's inside shows in a caller's chain, agent or trace.

The naive wiring of a graph inside a chat model fails in each of these ways; the measurements that
led to the design are of an agent with a saver, streamed in three modes with subgraphs.
"""

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler, UsageMetadataCallbackHandler
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.base import BaseTracer
from langgraph.checkpoint.memory import InMemorySaver
from langsmith import Client
from langsmith.utils import get_env_var

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.testing import ScriptedHost, card

REPLY = "one two three four five"
MODES = ["messages", "custom", "updates"]


class Starts(BaseCallbackHandler):
    """Counts the chat models that a caller's callbacks see."""

    def __init__(self) -> None:
        self.count = 0

    def on_chat_model_start(self, *_args: Any, **_kwargs: Any) -> None:
        self.count += 1


@pytest.fixture
def llm() -> ChatLMSwitch:
    host = ScriptedHost([card("tiny")], replies=REPLY)
    return ChatLMSwitch(host=host, monitor=host)


@pytest.fixture
def saver() -> InMemorySaver:
    return InMemorySaver()


@pytest.fixture
def agent(llm: ChatLMSwitch, saver: InMemorySaver) -> Any:
    return create_agent(llm, tools=[], checkpointer=saver)


def config(*handlers: BaseCallbackHandler) -> Any:
    # Two steps are what the agent alone needs; none of the router's may count.
    return {
        "recursion_limit": 2,
        "configurable": {"thread_id": "t"},
        "callbacks": list(handlers),
    }


def items(agent: Any, *handlers: BaseCallbackHandler) -> list[tuple[Any, str, Any]]:
    stream = agent.stream(
        {"messages": [("user", "hi")]},
        config(*handlers),
        stream_mode=MODES,
        subgraphs=True,
    )
    return list(stream)


async def aitems(agent: Any, *handlers: BaseCallbackHandler) -> list[tuple[Any, str, Any]]:
    stream = agent.astream(
        {"messages": [("user", "hi")]},
        config(*handlers),
        stream_mode=MODES,
        subgraphs=True,
    )
    return [item async for item in stream]


@pytest.fixture(params=["sync", "async"])
def seen(request: pytest.FixtureRequest, agent: Any) -> list[tuple[Any, str, Any]]:
    """What a user of the agent sees, in either color."""
    return items(agent) if request.param == "sync" else asyncio.run(aitems(agent))


def tokens(seen: list[tuple[Any, str, Any]]) -> list[str]:
    chunks = [payload[0] for _, mode, payload in seen if mode == "messages"]
    return [chunk.text for chunk in chunks if isinstance(chunk, AIMessageChunk) and chunk.text]


def test_every_token_is_seen_once(seen: list[tuple[Any, str, Any]]) -> None:
    """Leaks 1 and 2: tokens are not repeated, with subgraphs shown or not."""
    assert "".join(tokens(seen)) == REPLY
    assert len(tokens(seen)) == len(REPLY.split())


def test_only_the_agents_own_node_is_seen(seen: list[tuple[Any, str, Any]]) -> None:
    """Leak 3: no private node appears in the updates, and no namespace but the root."""
    updates = [payload for _, mode, payload in seen if mode == "updates"]
    assert [list(update) for update in updates] == [["model"]]
    assert {namespace for namespace, _, _ in seen} == {()}


def test_progress_arrives_in_the_root_namespace(seen: list[tuple[Any, str, Any]]) -> None:
    """What must get out does: load progress, as the custom events of the agent's own stream."""
    events = [payload["lmswitch"]["event"] for _, mode, payload in seen if mode == "custom"]
    assert events[0] == "LoadStarted"
    assert events[-1] == "Loaded"
    assert "LoadProgress" in events


async def test_astream_events_shows_one_chat_model(agent: Any) -> None:
    """Leak 4: there is one model run, and load progress as custom events."""
    seen = [
        event
        async for event in agent.astream_events(
            {"messages": [("user", "hi")]}, config(), version="v2"
        )
    ]
    assert sum(event["event"] == "on_chat_model_start" for event in seen) == 1
    assert any(
        event["event"] == "on_custom_event" and event["data"]["event"] == "Loaded" for event in seen
    )
    private = {"classify", "check_resources", "load_model", "fit_context", "respond"}
    assert not private & {event["name"] for event in seen}


def test_usage_is_counted_once(agent: Any) -> None:
    """Leak 5: a usage callback bills the answer once, and sees one chat model start."""
    usage, starts = UsageMetadataCallbackHandler(), Starts()
    items(agent, usage, starts)
    [counted] = usage.usage_metadata.values()
    assert counted["output_tokens"] == len(REPLY.split())
    assert starts.count == 1


def test_usage_is_counted_once_inside_a_chain(llm: ChatLMSwitch) -> None:
    """A bare call hides this leak, since only a chain sets the context."""
    usage, starts = UsageMetadataCallbackHandler(), Starts()
    chain = RunnableLambda(llm.invoke) | RunnableLambda(lambda message: message.text)
    assert chain.invoke("hi", {"callbacks": [usage, starts]}) == REPLY
    [counted] = usage.usage_metadata.values()
    assert counted["output_tokens"] == len(REPLY.split())
    assert starts.count == 1


@pytest.mark.usefixtures("seen")
def test_the_callers_saver_holds_one_namespace(saver: InMemorySaver) -> None:
    """Leak 6: no checkpoint of the router is written to the caller's saver."""
    assert set(saver.storage["t"]) == {""}


class Runs(BaseTracer):
    """Keeps the root runs that a tracer would send."""

    def __init__(self) -> None:
        super().__init__()
        self.roots: list[Any] = []

    def _persist_run(self, run: Any) -> None:
        self.roots.append(run)


def names(run: Any) -> Iterator[str]:
    yield run.name
    for child in run.child_runs:
        yield from names(child)


def test_a_tracer_sees_one_root_and_none_of_the_routers_steps(llm: ChatLMSwitch) -> None:
    """Leak 7: no second root trace beside the caller's, and none of our nodes below it."""
    tracer = Runs()
    llm.invoke("hi", {"callbacks": [tracer]})
    assert [run.run_type for run in tracer.roots] == ["llm"]
    assert list(names(tracer.roots[0])) == ["ChatLMSwitch"]


@pytest.fixture
def langsmith_roots(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """LangSmith switched on by environment; the names of the runs it would trace."""
    started: list[str] = []
    for name, value in {
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_API_KEY": "nobody",
        "LANGSMITH_ENDPOINT": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Client, "create_run", lambda _, name, *_a, **_k: started.append(name))
    monkeypatch.setattr(Client, "update_run", lambda *_, **_k: None)
    forget = cast("Any", get_env_var).cache_clear  # LangSmith reads its environment once
    forget()
    yield started
    monkeypatch.undo()
    forget()


def test_tracing_from_the_environment_adds_no_root(
    llm: ChatLMSwitch, langsmith_roots: list[str]
) -> None:
    """With LangSmith switched on by environment, the router's graph is still not traced."""
    llm.invoke("hi")
    assert langsmith_roots == ["ChatLMSwitch"]


def test_two_turns_stay_one_conversation(agent: Any) -> None:
    """The agent's history holds its own messages only, turn after turn."""
    items(agent)
    items(agent)
    state = agent.get_state(config()).values["messages"]
    messages: list[BaseMessage] = list(state)
    assert [message.type for message in messages] == ["human", "ai", "human", "ai"]
