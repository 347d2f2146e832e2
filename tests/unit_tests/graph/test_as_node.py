"""The router graph in other people's hands: drawn, alone, and as a node of a graph of theirs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph

from langchain_lmswitch import Settings, router_graph
from langchain_lmswitch.errors import InvalidRequest, LMSwitchError, NoSuitableModel
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.boards import boards
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.testing import ScriptedHost, in_turn
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.events import Fragment, Loaded, LoadProgress, LoadStarted

SETTINGS = Settings(headroom_bytes=0)
STEPS = {"classify", "check_resources", "refuse", "load_model", "fit_context", "respond"}
REPLY = "One two three."

App = CompiledStateGraph[Any, Any, Any, Any]


def board_of(host: ScriptedHost) -> Switchboard:
    return boards().given(host, host, SETTINGS)


def graph_to(host: ScriptedHost) -> App:
    async def open_board() -> Switchboard:
        return board_of(host)

    return router_graph(open_board)


async def leased(host: ScriptedHost) -> list[str]:
    """List the models that nobody may unload."""

    async def look() -> list[str]:
        return [key for key in host.disk if board_of(host).leased(f"lmswitch/{key}")]

    return await portal().acall(look())


@pytest.fixture
def host() -> ScriptedHost:
    return ScriptedHost(["tiny"], replies=in_turn(REPLY, "And more."))


@pytest.fixture
def saver() -> InMemorySaver:
    return InMemorySaver()


@pytest.fixture
def app(host: ScriptedHost, saver: InMemorySaver) -> App:
    """A user's graph whose one node is the router."""
    graph = StateGraph(MessagesState)
    graph.add_node("router", graph_to(host))
    graph.add_edge(START, "router")
    graph.add_edge("router", END)
    return graph.compile(checkpointer=saver)


def config(thread: str = "t", **more: Any) -> Any:
    return {"configurable": {"thread_id": thread}, **more}


def said(messages: list[AnyMessage]) -> list[tuple[str, str]]:
    return [(message.type, message.text) for message in messages]


# --- drawn ------------------------------------------------------------------------------------


def test_drawing_shows_the_steps_and_no_host_is_asked() -> None:
    drawn = router_graph().get_graph()

    assert set(drawn.nodes) == STEPS | {"__start__", "__end__"}
    assert all(f"{step}({step})" in drawn.draw_mermaid() for step in STEPS)


# --- alone ------------------------------------------------------------------------------------


async def test_alone(host: ScriptedHost) -> None:
    question = HumanMessage("Hello")
    before = question.model_copy(deep=True)
    state = await graph_to(host).ainvoke({"messages": [question]})

    assert said(state["messages"]) == [("human", "Hello"), ("ai", REPLY)]
    assert state["messages"][0] is question
    assert question == before
    assert state["messages"][-1].response_metadata["lmswitch"]["model"] == "tiny"


async def test_alone_it_can_be_told_how_to_answer(host: ScriptedHost) -> None:
    options = {"model": "tiny", "temperature": 0.5, "max_tokens": 2}
    state = await graph_to(host).ainvoke({"messages": [HumanMessage("Hi")], "options": options})

    [call] = host.called("predict")
    assert call.request is not None
    assert (call.request.temperature, call.request.max_tokens) == (0.5, 2)
    assert state["messages"][-1].response_metadata["finish_reason"] == "length"


@pytest.mark.parametrize(
    "messages",
    [
        "Hello",
        ("user", "Hello"),
        HumanMessage("Hello"),
        [("user", "Hello")],
        [{"role": "user", "content": "Hello"}],
    ],
)
async def test_alone_it_takes_what_langgraph_takes(host: ScriptedHost, messages: Any) -> None:
    state = await graph_to(host).ainvoke({"messages": messages})

    assert said(state["messages"]) == [("human", "Hello"), ("ai", REPLY)]


async def test_message_of_no_form_is_refused(host: ScriptedHost) -> None:
    with pytest.raises(InvalidRequest, match="42"):
        await graph_to(host).ainvoke({"messages": [42]})


async def test_result_is_the_conversation_only(host: ScriptedHost) -> None:
    """The rest of the state would overwrite keys of the same name in a graph around it."""
    state = await graph_to(host).ainvoke({"messages": [HumanMessage("Hello")]})

    assert set(state) == {"messages"}


def test_blocking_call_is_refused_with_the_remedy(host: ScriptedHost) -> None:
    """Its steps are asynchronous; `ChatLMSwitch` is what blocking code uses."""
    with pytest.raises(TypeError, match=r"No synchronous function.*\n.*ainvoke, astream"):
        graph_to(host).invoke({"messages": [HumanMessage("Hello")]})

    assert host.calls == []


# --- as a node --------------------------------------------------------------------------------


async def test_answer_is_appended_once_turn_after_turn(app: App) -> None:
    await app.ainvoke({"messages": [("user", "Hello")]}, config())
    state = await app.ainvoke({"messages": [("user", "Go on")]}, config())

    assert said(state["messages"]) == [
        ("human", "Hello"),
        ("ai", REPLY),
        ("human", "Go on"),
        ("ai", "And more."),
    ]
    ids = [message.id for message in state["messages"]]
    assert all(ids)
    assert len(set(ids)) == 4


async def test_users_messages_stay_as_they_are(app: App, host: ScriptedHost) -> None:
    question = HumanMessage("Hello", id="mine", name="Ada", additional_kwargs={"a_b": [1]})
    before = question.model_copy(deep=True)
    state = await app.ainvoke({"messages": [question]}, config())

    assert question == before
    assert state["messages"][0] == before
    assert len(host.called("predict")) == 1


async def test_second_turn_sends_the_first(app: App, host: ScriptedHost) -> None:
    await app.ainvoke({"messages": [("user", "Hello")]}, config())
    await app.ainvoke({"messages": [("user", "Go on")]}, config())

    request = host.called("predict")[-1].request
    assert request is not None
    assert [one["role"] for one in request.messages] == ["user", "assistant", "user"]


async def test_saver_holds_one_namespace_and_the_conversation(
    app: App, saver: InMemorySaver
) -> None:
    await app.ainvoke({"messages": [("user", "Hello")]}, config())

    assert set(saver.storage["t"]) == {""}
    [kept] = [saved async for saved in saver.alist(config()) if saved.metadata["step"] == 1]
    values = kept.checkpoint["channel_values"]
    assert {key for key in values if not key.startswith("branch:")} == {"messages"}


class Work(TypedDict, total=False):
    """A user's state with keys that the router uses inside."""

    messages: list[AnyMessage]
    task: str
    answer: str
    decision: str


async def test_keys_of_the_same_name_are_the_users_own(host: ScriptedHost) -> None:
    graph = StateGraph(Work)
    graph.add_node("router", graph_to(host))
    graph.add_edge(START, "router")
    mine: Any = {"task": "be kind", "answer": "none yet", "decision": "mine"}
    state = await graph.compile().ainvoke(mine | {"messages": [HumanMessage("Hello")]})

    assert {key: state[key] for key in mine} == mine
    assert said(state["messages"]) == [("human", "Hello"), ("ai", REPLY)]


async def test_error_keeps_its_type(saver: InMemorySaver) -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("router", graph_to(ScriptedHost([])))
    graph.add_edge(START, "router")
    with pytest.raises(NoSuitableModel, match="lmswitch pull starter") as raised:
        await graph.compile(checkpointer=saver).ainvoke(
            {"messages": [HumanMessage("Hi")]}, config()
        )

    assert isinstance(raised.value, LMSwitchError)


# --- streamed ---------------------------------------------------------------------------------


async def test_progress_arrives_as_typed_events(app: App) -> None:
    seen = [
        (namespace, event)
        async for namespace, event in app.astream(
            {"messages": [("user", "Hello")]}, config(), stream_mode="custom", subgraphs=True
        )
    ]
    events = [event for _, event in seen]

    assert {namespace[0].partition(":")[0] for namespace, _ in seen} == {"router"}
    kinds = [type(event) for event in events]
    assert kinds[0] is LoadStarted
    assert kinds.count(LoadProgress) >= 1
    assert kinds.index(Loaded) < kinds.index(Decision) < kinds.index(Fragment)
    assert "".join(event.text for event in events if isinstance(event, Fragment)) == REPLY


async def test_message_is_streamed_once(app: App) -> None:
    streamed = [
        message
        async for message, _ in app.astream(
            {"messages": [("user", "Hello")]}, config(), stream_mode="messages"
        )
    ]
    state = await app.aget_state(config())

    answers = [message for message in streamed if isinstance(message, AIMessage)]
    assert [message.text for message in answers] == [REPLY]
    assert answers[0].id == state.values["messages"][-1].id


# --- left -------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", range(1, 6))
async def test_limit_of_the_users_leaves_no_lease(app: App, host: ScriptedHost, steps: int) -> None:
    """A model that stays leased could not be unloaded until the process ends."""
    with pytest.raises(GraphRecursionError):
        await app.ainvoke({"messages": [("user", "Hello")]}, config(recursion_limit=steps))

    assert await leased(host) == []


@pytest.mark.parametrize("last", ["load_model", "fit_context"])
async def test_stream_that_is_left_between_two_steps_leaves_no_lease(
    host: ScriptedHost, last: str
) -> None:
    stream: Any = graph_to(host).astream({"messages": [("user", "Hi")]}, stream_mode="updates")
    async with aclosing(stream):
        steps = [step async for step in until(stream, last)]

    assert steps[-1] == last
    assert await leased(host) == []


async def until(stream: AsyncIterator[dict[str, Any]], last: str) -> AsyncIterator[str]:
    async for update in stream:
        yield next(iter(update))
        if last in update:
            return


async def test_cancelled_while_loading_leaves_no_lease() -> None:
    loading = asyncio.Event()
    home = asyncio.get_running_loop()

    async def sleep(seconds: float) -> None:
        if seconds:
            home.call_soon_threadsafe(loading.set)
        await asyncio.sleep(seconds)

    host = ScriptedHost(["tiny"], load_step_s=3600, sleep=sleep)
    asking = asyncio.create_task(graph_to(host).ainvoke({"messages": [HumanMessage("Hi")]}))
    await loading.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert await leased(host) == []
