"""A chat model, and any client, against a scripted host on LM Studio's real wire."""

import asyncio
import base64
import gc
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import psutil
import pytest
from conftest import workers
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from pydantic import SecretStr

from langchain_lmswitch import ChatLMSwitch, router_graph
from langchain_lmswitch.embedded.presence import Address
from langchain_lmswitch.embedded.worker import Worker
from langchain_lmswitch.errors import (
    HostFailed,
    HostLost,
    HostRejected,
    InvalidRequest,
    LoadFailed,
    MissingExtra,
    ModelGone,
)
from langchain_lmswitch.hosts.lmstudio import LMStudioHost
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch import boards
from langchain_lmswitch.testing import ScriptedHost, card, in_turn, served, tool_call, user
from langchain_lmswitch.testing.worker import ScriptedWorker
from langchain_lmswitch.types.events import (
    Finished,
    Fragment,
    PredictEvent,
    PromptProgress,
    ToolCallEnded,
    ToolCallFailed,
    ToolCallStarted,
)
from langchain_lmswitch.types.models import LoadSpec, Resident
from langchain_lmswitch.types.requests import PredictRequest

KEY = "scripted-chat"
HELLO = PredictRequest(messages=(user("Hello"),))
TOKEN = "sk-lm-abcdefgh:0123456789abcdefghij"  # noqa: S105 - of hosts that live in these tests
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n a picture of a cat").decode()
BOOKING = {
    "type": "function",
    "function": {
        "name": "book_table",
        "description": "Book a table.",
        "parameters": {
            "type": "object",
            "properties": {
                "party_size": {"type": "integer"},
                "time_slot": {"$ref": "#/$defs/TimeSlot"},
            },
            "required": ["party_size", "time_slot"],
            "$defs": {
                "TimeSlot": {
                    "type": "object",
                    "properties": {"start_time": {"type": "string"}, "max_wait": {"type": "null"}},
                }
            },
        },
    },
}
ARGUMENTS = {
    "party_size": 2,
    "time_slot": {
        "start_time": "19:30",
        "max_wait": None,
        "notes_to_staff": [{"by_the_window": 1}],
    },
}


def chat(at: Address, **more: Any) -> ChatLMSwitch:
    return ChatLMSwitch(base_url=at.host_port, api_key=SecretStr(at.token), **more)


def client(at: Address, *, token: str | None = None) -> LMStudioHost:
    secret = SecretStr(token or at.token)
    return LMStudioHost(at.host_port, settings=Settings(api_key=secret, timeout_s=20))


@asynccontextmanager
async def wired(scripted: ScriptedHost) -> AsyncGenerator[LMStudioHost, None]:
    """A client of a scripted host that is served on the running loop."""
    async with served(scripted) as at:
        host = client(at)
        try:
            yield host
        finally:
            await host.aclose()


async def heard(scripted: ScriptedHost, request: PredictRequest = HELLO) -> list[PredictEvent]:
    """What a client hears of one answer."""
    async with wired(scripted) as host:
        identifier = (await host.load(LoadSpec(key=KEY))).identifier
        return [event async for event in host.predict(identifier, request)]


def last_request(scripted: ScriptedHost) -> PredictRequest:
    request = scripted.called("predict")[-1].request
    assert request is not None
    return request


# --- through the chat model -------------------------------------------------------------------


def test_chat_from_a_thread_without_a_loop() -> None:
    scripted = ScriptedHost(["tiny"], replies="Good day.")
    with served(scripted) as at:
        answer = chat(at).invoke("Hello")

    assert answer.text == "Good day."
    assert last_request(scripted).messages[-1] == user("Hello")


async def test_chat_on_the_serving_loop() -> None:
    """Server and caller share a loop, the SDK has the portal's: nobody waits for himself."""
    async with served(ScriptedHost(["tiny"], replies="Good day.")) as at:
        assert (await chat(at).ainvoke("Hello")).text == "Good day."
        assert [piece.text async for piece in chat(at).astream("Hello") if piece.text] == [
            "Good",
            " day",
            ".",
        ]


async def test_blocking_chat_inside_a_running_loop() -> None:
    """`with` serves from a thread of its own, so that even a call that blocks the loop ends."""
    with served(ScriptedHost(["tiny"], replies="Good day.")) as at:
        assert chat(at).invoke("Hello").text == "Good day."


def test_image_arrives() -> None:
    """An image is uploaded, and the model sees the very bytes."""
    scripted = ScriptedHost([card("eyes", vision=True)], replies="A cat.")
    picture = {"type": "image", "base64": PIXEL, "mime_type": "image/png"}
    asked = HumanMessage([{"type": "text", "text": "What is this?"}, picture])
    with served(scripted) as at:
        assert chat(at).invoke([asked]).text == "A cat."

    text, image = last_request(scripted).messages[-1]["content"]
    assert text["text"] == "What is this?"
    assert (image["type"], image["base64"]) == ("image", PIXEL)


def test_tool_call_and_its_result() -> None:
    """Names, nested keys and `$defs` come through unharmed, on the way there and back."""
    script = in_turn(tool_call("book_table", ARGUMENTS), "Booked.")
    scripted = ScriptedHost([card("tools", tool_use=True)], replies=script)
    question = HumanMessage("A table for two, please.")
    with served(scripted) as at:
        llm = chat(at).bind(tools=[BOOKING], tool_choice="required")
        called = llm.invoke([question])
        assert isinstance(called, AIMessage)
        offered = last_request(scripted)
        [call] = called.tool_calls
        result = ToolMessage('{"table_number": 7}', tool_call_id=call["id"])
        assert llm.invoke([question, called, result]).text == "Booked."

    assert offered.tools == (BOOKING,)
    assert offered.tool_choice == "required"
    assert (call["name"], call["args"]) == ("book_table", ARGUMENTS)
    told, answered = last_request(scripted).messages[-2:]
    request = told["content"][-1]["toolCallRequest"]
    assert request["arguments"] == ARGUMENTS
    assert answered["content"][0]["toolCallId"] == request["id"] == call["id"]
    assert answered["content"][0]["content"] == '{"table_number": 7}'


def test_reasoning_is_no_part_of_the_answer() -> None:
    script = (
        Fragment(text="Two and ", reasoning=True),
        Fragment(text="two.", reasoning=True),
        Fragment(text="Four"),
    )
    with served(ScriptedHost(["tiny"], replies=script)) as at:
        answer = chat(at).invoke("What is two and two?")

    assert answer.text == "Four"
    assert answer.additional_kwargs["reasoning_content"] == "Two and two."


def test_tool_call_that_failed() -> None:
    """What the model wrote instead of a call is kept, and is no call."""
    raw = '{"party_size": tw'
    script = (
        ToolCallStarted(index=0, id="call-0", name="book_table"),
        ToolCallFailed(index=0, error="The arguments are not JSON.", raw=raw),
    )
    scripted = ScriptedHost([card("tools", tool_use=True)], replies=script)
    with served(scripted) as at:
        answer = chat(at).bind(tools=[BOOKING]).invoke("A table for two.")

    assert isinstance(answer, AIMessage)
    assert answer.tool_calls == []
    assert raw in [call["args"] for call in answer.invalid_tool_calls]


# --- answers, event by event ------------------------------------------------------------------


@pytest.mark.parametrize(
    "reason",
    [
        "eosFound",
        "stopStringFound",
        "toolCalls",
        "maxPredictedTokensReached",
        "contextLengthReached",
        "userStopped",
        "aWordOfTheFuture",
    ],
)
async def test_stop_reason(reason: str) -> None:
    events = await heard(ScriptedHost(replies=[Fragment(text="x"), Finished(stop_reason=reason)]))

    assert isinstance(events[-1], Finished)
    assert events[-1].stop_reason == reason


@pytest.mark.parametrize(
    ("reason", "error"), [("modelUnloaded", ModelGone), ("failed", HostFailed)]
)
async def test_stop_reason_that_is_a_failure(reason: str, error: type[Exception]) -> None:
    scripted = ScriptedHost(replies=(Fragment(text="x"), Finished(stop_reason=reason)))

    with pytest.raises(error):
        await heard(scripted)


async def test_every_event_of_an_answer() -> None:
    """Thinking, text, an odd tool call, a broken one, counts and times: all as scripted."""
    finished = Finished(
        stop_reason="toolCalls",
        prompt_tokens=100,
        predicted_tokens=20,
        cached_tokens=60,
        time_to_first_token_s=0.25,
        tokens_per_second=12.5,
    )
    broken = ToolCallFailed(index=1, error="Not JSON.", raw="{")
    script: list[PredictEvent] = [
        Fragment(text="Hm. 🙂", tokens=3, reasoning=True),
        Fragment(text="Well", tokens=0),
        *tool_call("book_table", ARGUMENTS),
        broken,
        finished,
    ]

    progress, *events = await heard(ScriptedHost(replies=script))

    assert isinstance(progress, PromptProgress)
    assert (progress.fraction, progress.cached_tokens) == (1.0, 60)
    assert events == script


async def test_tool_call_without_an_id_or_arguments() -> None:
    """Some models name a tool and nothing else."""
    script = (ToolCallStarted(index=0, name="look"), ToolCallEnded(index=0, name="look"))

    events = await heard(ScriptedHost(replies=script))

    ended = [event for event in events if isinstance(event, ToolCallEnded)]
    assert ended == [ToolCallEnded(index=0, name="look", arguments={}, id=None)]


async def test_request_arrives_as_it_was_made() -> None:
    schema = {
        "type": "object",
        "properties": {"is_even": {"$ref": "#/$defs/Truth"}},
        "$defs": {"Truth": {"type": "boolean"}},
    }
    request = PredictRequest(
        messages=(user("Hello"),),
        temperature=0.5,
        max_tokens=7,
        stop=("@", "so_on"),
        seed=3,
        top_p=0.9,
        tools=(BOOKING,),
        tool_choice="none",
        json_schema=schema,
        options=(("llm.prediction.topKSampling", 40), ("my_own", {"snake_case": [1]})),
    )
    scripted = ScriptedHost()
    await heard(scripted, request)

    arrived = last_request(scripted)
    assert dict(request.options).items() <= dict(arrived.options).items()
    for name in (name for name in PredictRequest.__slots__ if name != "options"):
        assert getattr(arrived, name) == getattr(request, name)


async def test_two_clients_at_once() -> None:
    """Both answers are under way at the same time: neither ends before the other has begun."""
    both = asyncio.Barrier(2)
    token_s = 1.0

    async def sleep(seconds: float) -> None:
        if seconds == token_s:
            await both.wait()

    scripted = ScriptedHost(replies="one two three", token_s=token_s, sleep=sleep)

    async def ask(host: LMStudioHost) -> str:
        told = host.predict(KEY, HELLO)
        return "".join([event.text async for event in told if isinstance(event, Fragment)])

    async with served(scripted) as at:
        clients = [client(at), client(at)]
        await clients[0].load(LoadSpec(key=KEY))
        async with asyncio.timeout(20):
            assert await asyncio.gather(*map(ask, clients)) == ["one two three"] * 2
        await asyncio.gather(*(one.aclose() for one in clients))


# --- memory and failures ----------------------------------------------------------------------


async def test_load_arrives_as_it_was_asked_for() -> None:
    spec = LoadSpec(key=KEY, context_tokens=1024, parallel=3, identifier="my_own", ttl_s=90)
    scripted = ScriptedHost()
    async with wired(scripted) as host:
        resident = await host.load(spec)
        await host.unload("my_own")

    assert (resident.identifier, resident.context_tokens) == ("my_own", 1024)
    assert [call.spec for call in scripted.called("load")] == [spec]
    assert [call.model for call in scripted.called("unload")] == ["my_own"]


async def test_lack_of_memory_is_told_as_such() -> None:
    async with wired(ScriptedHost(memory_bytes=1)) as host:
        with pytest.raises(LoadFailed) as failed:
            await host.load(LoadSpec(key=KEY))

    assert failed.value.for_memory


async def test_model_that_vanishes_in_the_middle() -> None:
    scripted = ScriptedHost(vanish_after={KEY: 2})
    async with wired(scripted) as host:
        identifier = (await host.load(LoadSpec(key=KEY))).identifier
        with pytest.raises(ModelGone):
            _ = [event async for event in host.predict(identifier, HELLO)]
        assert await host.residents() == []


async def test_idle_model_that_is_lost() -> None:
    """A crash that a test makes happen is seen by clients, though nobody was using the model."""
    scripted = ScriptedHost()
    async with wired(scripted) as host:
        identifier = (await host.load(LoadSpec(key=KEY))).identifier
        scripted.lose(identifier)

        assert await host.residents() == []
        assert (await host.load(LoadSpec(key=KEY))).identifier == identifier


async def test_models_of_others_are_listed() -> None:
    """A client finds what was there before it, and may use and unload it."""
    theirs = Resident(key="theirs", identifier="their-own", size_bytes=7, context_tokens=1024)
    scripted = ScriptedHost(foreign=[theirs], replies="Mine.")
    async with wired(scripted) as host:
        [found] = await host.residents()
        assert (found.key, found.identifier, found.context_tokens) == ("theirs", "their-own", 1024)
        assert [event async for event in host.predict("their-own", HELLO)]
        await host.unload("their-own")

    assert scripted.called("load") == []
    assert scripted.places.residents() == []


async def test_models_stay_when_the_server_stops() -> None:
    """Serving the host again finds them; stopping is nothing that a client asked for."""
    scripted = ScriptedHost()
    async with wired(scripted) as host:
        first = await host.load(LoadSpec(key=KEY))
    async with wired(scripted) as host:
        [again] = await host.residents()

    assert again.identifier == first.identifier
    assert scripted.called("unload") == []


# --- the server -------------------------------------------------------------------------------


async def test_wrong_token_is_refused() -> None:
    async with served(ScriptedHost()) as at:
        host = client(at, token=TOKEN)
        with pytest.raises(HostRejected):
            await host.cards()
        await host.aclose()


def test_token_of_another_form() -> None:
    with pytest.raises(InvalidRequest, match="sk-lm-"), served(ScriptedHost(), token=TOKEN[:-1]):
        pass


def test_token_of_ones_own() -> None:
    with served(ScriptedHost(replies="In."), token=TOKEN) as at:
        assert at.token == TOKEN
        assert chat(at).invoke("Hello").text == "In."


def test_needs_websockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them it says what to install, and leaves no thread behind."""
    before = set(threading.enumerate())
    monkeypatch.setitem(sys.modules, "websockets.asyncio.server", None)
    serving = served(ScriptedHost())
    with pytest.raises(MissingExtra, match=r"langchain-lmswitch\[embedded\]"), serving:
        pass

    assert set(threading.enumerate()) <= before


async def test_needs_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)

    assert await heard(ScriptedHost())
    assert workers() == []


async def test_nothing_is_left_of_an_answer_under_way() -> None:
    """The server stops in the middle of an answer: no task stays, and the client is told."""
    before = asyncio.all_tasks()
    begun, never = asyncio.Event(), asyncio.Event()
    token_s = 1.0

    async def sleep(seconds: float) -> None:
        if seconds == token_s:
            begun.set()
            await never.wait()

    scripted = ScriptedHost(token_s=token_s, sleep=sleep)
    async with served(scripted) as at:
        host = client(at)
        identifier = (await host.load(LoadSpec(key=KEY))).identifier
        first = asyncio.ensure_future(anext(host.predict(identifier, HELLO)))
        await begun.wait()
    with pytest.raises(HostLost):
        await first
    await host.aclose()

    assert asyncio.all_tasks() <= before
    assert [call.method for call in scripted.cancelled] == ["predict"]


def test_nothing_is_left_of_a_thread() -> None:
    """Neither the threads nor the socket outlive the `with`, not even with a client connected."""
    before = _threads()
    with served(ScriptedHost(replies="In.")) as at:
        assert chat(at).invoke("Hello").text == "In."
        assert port_of(at) in listening()
    gc.collect()

    assert port_of(at) not in listening()
    assert _threads() <= before


def _threads() -> set[threading.Thread]:
    """Those alive now, less the portal's: that is the client's, and grows when it is busy."""
    return {one for one in threading.enumerate() if not one.name.startswith("lmswitch-portal")}


async def test_scripted_worker_can_all_that_a_worker_can() -> None:
    """The server asks no more of a worker than this one answers."""
    scripted = ScriptedHost()
    resident = await scripted.load(LoadSpec(key=KEY))
    worker: Any = ScriptedWorker(
        spec=None,  # type: ignore[arg-type]  # nothing is asked of it here
        host=scripted,
        resident=resident,
        stays=lambda: True,
    )
    wanted = {name for name in vars(Worker) if not name.startswith("_")} - {"start"}

    assert wanted | {"spec", "pid", "context_tokens"} <= set(dir(worker))


def port_of(at: Address) -> int:
    return int(at.host_port.rpartition(":")[2])


def listening() -> set[int]:
    """The ports on which this process listens."""
    sockets = psutil.Process().net_connections(kind="tcp4")
    return {one.laddr.port for one in sockets if one.status == psutil.CONN_LISTEN}


async def test_graph_finds_a_host_that_came_back_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the embedded host does that was started again."""
    monkeypatch.setenv("LMSWITCH_TIMEOUT_S", "77")  # settings, and so a board, of this test alone
    where: list[Address] = []

    async def find(settings: Settings) -> LMStudioHost:
        return LMStudioHost(where[-1].host_port, settings=settings, token=where[-1].token)

    monkeypatch.setattr(boards, "find_host", find)
    graph, host = router_graph(), ScriptedHost(["tiny-chat"], replies="Fine.")
    for restarted in (False, True):
        async with served(host) as address:
            where.append(address)
            if restarted:
                with pytest.raises(HostLost):
                    await graph.ainvoke({"messages": [HumanMessage("Hi")]})
            state = await graph.ainvoke({"messages": [HumanMessage("Hi")]})
        assert state["messages"][-1].text == "Fine."
