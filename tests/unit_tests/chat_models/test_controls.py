"""Models loaded, kept and unloaded by hand."""

import asyncio
import threading
import time
from typing import Any

import pytest
from langchain.agents import create_agent

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import NotEnoughMemory, UnknownModel
from langchain_lmswitch.testing import ScriptedHost, card, in_turn, tool_call
from langchain_lmswitch.types.events import Loaded, MemoryChanged, SwitchEvent
from langchain_lmswitch.types.models import Resident

MIB = 2**20
ROOM_MIB = 300 + 256 + 512
"""For one model, its context and the headroom."""


def host(**fields: Any) -> ScriptedHost:
    cards = [
        card("coder-7b", params="7B", size_bytes=300 * MIB),
        card("chat-8b", params="8B", size_bytes=300 * MIB),
    ]
    return ScriptedHost(cards, replies="Fine.", **fields)


def llm(on: ScriptedHost, **fields: Any) -> ChatLMSwitch:
    return ChatLMSwitch(host=on, monitor=on, **fields)


def keys(one: ChatLMSwitch) -> list[str]:
    return [resident.key for resident in one.loaded()]


def test_preload_makes_the_first_question_quick_and_tells_its_progress() -> None:
    heard: list[SwitchEvent] = []
    one = llm(host(), on_event=heard.append)
    resident = one.preload("coder")

    assert (resident.key, keys(one)) == ("coder-7b", ["coder-7b"])
    assert isinstance(heard[-1], Loaded)
    answer = one.invoke("Hello", model="coder")
    assert answer.response_metadata["lmswitch"]["load_s"] == 0.0
    assert len(one.host.called("load")) == 1


def test_prefetch_loads_what_the_next_request_will_want() -> None:
    one = llm(host())
    assert one.prefetch("code") == "coder-7b"
    answer = one.invoke("Write a function that reverses a string.", task="code")
    assert answer.response_metadata["lmswitch"]["model"] == "coder-7b"
    assert len(one.host.called("load")) == 1
    assert one.prefetch("code") == "coder-7b"
    assert one.prefetch(model="chat") == "chat-8b"


def test_prefetch_does_not_wait_for_its_load() -> None:
    one = llm(host(load_step_s=3600))
    assert one.prefetch("code") == "coder-7b"
    assert keys(one) == []
    assert one.prefetch(model="chat") is None
    with pytest.raises(UnknownModel):
        one.prefetch(model="nobody")


async def test_prefetch_while_a_tool_runs() -> None:
    one = llm(host())
    assert await one.aprefetch("code") == "coder-7b"
    await asyncio.sleep(0.2)
    assert [found.key for found in await one.aloaded()] == ["coder-7b"]


def test_an_agent_prefetches_while_its_tool_runs() -> None:
    """The next model is loaded when the tool is done, and the agent's own is still there."""
    begun: list[str | None] = []
    replies = in_turn(tool_call("look_up", {"topic": "sorting"}), "Done.")
    on = ScriptedHost(
        [
            card("coder-7b", params="7B", size_bytes=300 * MIB, tool_use=True),
            card("chat-8b", params="8B", size_bytes=300 * MIB, tool_use=True),
        ],
        replies={"chat-8b": replies},
    )
    one = llm(on, model="chat-8b")

    def look_up(topic: str) -> str:
        """Look something up."""
        begun.append(one.prefetch("code", model="auto"))
        time.sleep(0.3)
        return topic

    agent: Any = create_agent(one, tools=[look_up])
    answer = agent.invoke({"messages": [("user", "Look up sorting.")]})
    assert begun == ["coder-7b"]
    assert answer["messages"][-1].text == "Done."
    assert set(keys(one)) == {"chat-8b", "coder-7b"}


def test_memory_is_watched_while_anything_is_loaded() -> None:
    told: list[MemoryChanged] = []
    first = threading.Event()

    def hear(event: MemoryChanged) -> None:
        told.append(event)
        first.set()

    one = llm(host(memory_bytes=ROOM_MIB * MIB))
    with one.watch(hear):
        one.preload("coder")
        assert first.wait(10)
    told.clear()
    one.unload("coder")
    assert told == []


async def test_memory_is_watched_from_asynchronous_code() -> None:
    told: list[MemoryChanged] = []
    one = llm(host(memory_bytes=ROOM_MIB * MIB))
    await one.apreload("coder")
    async with one.watch(told.append), asyncio.timeout(10):
        while not told:  # noqa: ASYNC110 - another thread tells
            await asyncio.sleep(0.01)
    assert told[0].ram_total_bytes == ROOM_MIB * MIB


def test_unload_takes_what_is_named_or_all_of_ours() -> None:
    theirs = Resident(key="chat-8b", identifier="theirs", size_bytes=MIB)
    one = llm(host(foreign=[theirs]))
    one.preload("coder")

    assert one.unload() == ["lmswitch/coder-7b"]
    assert keys(one) == ["chat-8b"]
    assert one.unload("chat") == ["theirs"]
    assert keys(one) == []
    assert one.unload("chat") == []


def test_pinned_model_is_not_unloaded_to_make_room() -> None:
    one = llm(host(memory_bytes=ROOM_MIB * MIB))
    one.preload("coder")
    assert one.pin("coder") == "coder-7b"
    with pytest.raises(NotEnoughMemory):
        one.invoke("Hello", model="chat-8b")
    assert one.invoke("Hello").response_metadata["lmswitch"]["model"] == "coder-7b"

    one.pin("coder", pinned=False)
    one.invoke("Hello", model="chat-8b")
    assert keys(one) == ["chat-8b"]


def test_held_model_stays_and_then_may_go() -> None:
    one = llm(host(memory_bytes=ROOM_MIB * MIB))
    with one.hold("coder") as resident:
        assert resident.key == "coder-7b"
        assert one.explain("Hello", model="chat-8b").candidates[0].fits is False
        with pytest.raises(NotEnoughMemory, match="coder-7b may not be unloaded"):
            one.invoke("Hello", model="chat-8b")
        assert one.invoke("Hello", model="coder").text == "Fine."
        assert keys(one) == ["coder-7b"]

    one.invoke("Hello", model="chat-8b")
    assert keys(one) == ["chat-8b"]


def test_hold_ends_when_its_block_fails() -> None:
    one = llm(host(memory_bytes=ROOM_MIB * MIB))

    def fail() -> None:
        with one.hold("coder"):
            raise RuntimeError("the user's own")

    with pytest.raises(RuntimeError, match="own"):
        fail()
    assert one.invoke("Hello", model="chat-8b").text == "Fine."


async def test_the_same_in_asynchronous_code() -> None:
    one = llm(host(memory_bytes=ROOM_MIB * MIB))
    resident = await one.apreload("coder")
    assert await one.apin("coder") == "coder-7b"
    assert [found.identifier for found in await one.aloaded()] == [resident.identifier]
    await one.apin("coder", pinned=False)
    async with one.hold("chat") as held:
        assert [found.key for found in await one.aloaded()] == [held.key]
    assert await one.aunload("chat") == [held.identifier]
    assert await one.aloaded() == []


async def test_hold_that_is_given_up_while_it_loads_holds_nothing() -> None:
    one = llm(host(load_step_s=3600))

    async def hold() -> None:
        async with one.hold("coder"):
            pytest.fail("nothing was loaded")

    holding = asyncio.create_task(hold())
    while not one.host.called("load"):  # noqa: ASYNC110 - another thread's host
        await asyncio.sleep(0.01)
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert len(one.host.cancelled) == 1
    assert await one.aloaded() == []


@pytest.mark.parametrize("name", ["nobody", "b", ""])
def test_name_of_none_or_several(name: str) -> None:
    one = llm(host())
    for ask in (one.preload, one.unload, one.pin, lambda named: one.hold(named).__enter__()):
        with pytest.raises(UnknownModel):
            ask(name)
    assert one.host.called("load") == []
