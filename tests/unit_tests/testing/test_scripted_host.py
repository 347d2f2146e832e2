"""What the scripted host adds to the `Host` protocol (which tests/conformance proves)."""

import asyncio
import doctest
import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

import langchain_lmswitch.testing
from langchain_lmswitch.errors import ContextTooLong, LoadFailed, ModelGone
from langchain_lmswitch.machine.monitor import Monitor
from langchain_lmswitch.testing import (
    FixedMachine,
    Reply,
    ScriptedHost,
    card,
    in_turn,
    split,
    tool_call,
    user,
)
from langchain_lmswitch.types.events import Finished, Fragment, PredictEvent, ToolCallEnded
from langchain_lmswitch.types.machine import Snapshot
from langchain_lmswitch.types.models import LoadSpec, Resident
from langchain_lmswitch.types.requests import JsonObject, PredictRequest

MIB = 2**20
HELLO = PredictRequest(messages=(user("Hello"),))


async def loaded(host: ScriptedHost, key: str = "scripted-chat") -> str:
    return (await host.load(LoadSpec(key=key))).identifier


async def answer(host: ScriptedHost, request: PredictRequest = HELLO) -> list[PredictEvent]:
    identifier = await loaded(host)
    return [event async for event in host.predict(identifier, request)]


def text_of(events: Sequence[PredictEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Fragment))


@pytest.mark.parametrize(
    "module",
    [
        name
        for _, name, _ in pkgutil.walk_packages(
            langchain_lmswitch.testing.__path__, "langchain_lmswitch.testing."
        )
    ]
    + ["langchain_lmswitch.testing"],
)
def test_examples_run(module: str) -> None:
    """Every example in a docstring does what it shows."""
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def measure(monitor: Monitor) -> Snapshot:
    return monitor.snapshot()


def test_host_is_the_monitor_of_its_memory() -> None:
    assert measure(ScriptedHost(memory_bytes=MIB)).ram_total_bytes == MIB


def test_fixed_machine_shows_what_it_was_told() -> None:
    machine = FixedMachine()
    machine.now = replace(machine.now, ram_free_bytes=7)

    assert measure(machine).ram_free_bytes == 7


def test_hosts_have_addresses_of_their_own() -> None:
    """Two hosts in one process are two hosts."""
    assert ScriptedHost().address != ScriptedHost().address


def test_one_host_in_several_event_loops() -> None:
    host = ScriptedHost()
    identifier = asyncio.run(loaded(host))

    async def again() -> str:
        return text_of([event async for event in host.predict(identifier, HELLO)])

    assert asyncio.run(again()) == asyncio.run(again()) == "This is a scripted answer."


@pytest.mark.parametrize("text", ["", " ", "one", "  two  words ", "naïve 日本語 🙂!\n\n- x"])
def test_tokens_join_to_the_text(text: str) -> None:
    assert "".join(split(text)) == text


# --- replies ----------------------------------------------------------------------------------


async def test_reply_by_model() -> None:
    host = ScriptedHost(["scripted-chat", "other"], replies={"scripted-chat": "Mine."})

    assert text_of(await answer(host)) == "Mine."


async def test_reply_made_from_the_messages() -> None:
    def echo(messages: Sequence[JsonObject]) -> str:
        return str(messages[-1]["content"][0]["text"])

    assert text_of(await answer(ScriptedHost(replies=echo))) == "Hello"


async def test_replies_in_turn() -> None:
    """An agent can be led through a tool call to its answer."""
    host = ScriptedHost(replies=in_turn(tool_call("look_up", {"city_name": "Oslo"}), "Cold."))

    first, second = await answer(host), await answer(host)

    assert [event.arguments for event in first if isinstance(event, ToolCallEnded)] == [
        {"city_name": "Oslo"}
    ]
    assert isinstance(first[-1], Finished)
    assert first[-1].stop_reason == "toolCalls"
    assert text_of(second) == "Cold."


async def test_own_events_are_told_as_they_are() -> None:
    told = (Fragment(text="hm", reasoning=True), Fragment(text="Yes"), Finished(stop_reason="odd"))

    events = await answer(ScriptedHost(replies=told))

    assert events[1:3] == list(told[:2])
    assert events[-1] == Finished(stop_reason="odd", prompt_tokens=12, predicted_tokens=2)


@pytest.mark.parametrize("said", [(Finished(stop_reason="eosFound"), Fragment(text="late"))])
async def test_script_that_goes_on_after_its_end(said: Reply) -> None:
    with pytest.raises(ValueError, match="last event"):
        await answer(ScriptedHost(replies=said))


@pytest.mark.parametrize(
    ("limits", "text", "reason", "predicted"),
    [
        ({}, "one two three four", "eosFound", 4),
        ({"max_tokens": 2}, "one two", "maxPredictedTokensReached", 2),
        ({"max_tokens": 4}, "one two three four", "eosFound", 4),
        ({"stop": ("ee", "wo")}, "one t", "stopStringFound", 2),
        ({"stop": ("one",)}, "", "stopStringFound", 0),
        ({"stop": ("two th",)}, "one ", "stopStringFound", 2),
        ({"stop": ("four",), "max_tokens": 2}, "one two", "maxPredictedTokensReached", 2),
        ({"stop": ("absent", "")}, "one two three four", "eosFound", 4),
    ],
)
async def test_limits_of_the_request(
    limits: dict[str, Any], text: str, reason: str, predicted: int
) -> None:
    events = await answer(ScriptedHost(replies="one two three four"), replace(HELLO, **limits))

    assert text_of(events) == text
    assert isinstance(events[-1], Finished)
    assert (events[-1].stop_reason, events[-1].predicted_tokens) == (reason, predicted)


async def test_context_that_is_full() -> None:
    """An answer ends where the context does; a prompt beyond it is an error."""
    host = ScriptedHost([card("small", max_context_tokens=16)], replies="a b c d e f")
    identifier = await loaded(host, "small")

    events = [event async for event in host.predict(identifier, HELLO)]
    assert text_of(events) == "a b c d"
    assert isinstance(events[-1], Finished)
    assert events[-1].stop_reason == "contextLengthReached"

    with pytest.raises(ContextTooLong, match="context leaves 16"):
        await anext(host.predict(identifier, PredictRequest(messages=(user("x " * 20),))))


# --- memory and failures ----------------------------------------------------------------------


async def test_memory_is_counted() -> None:
    """A load beyond the limit fails for memory; an unload gives the room back."""
    host = ScriptedHost(
        [card("a", size_bytes=500 * MIB), card("b", size_bytes=500 * MIB)], memory_bytes=1000 * MIB
    )
    identifier = await loaded(host, "a")
    assert host.snapshot().ram_free_bytes == (1000 - 500 - 128) * MIB

    with pytest.raises(LoadFailed) as failed:
        await loaded(host, "b")
    assert failed.value.for_memory

    await host.unload(identifier)
    assert await loaded(host, "b") == "b"


async def test_room_is_taken_while_loading() -> None:
    """Two loads at once cannot both take the last room."""
    host = ScriptedHost(
        [card("a", size_bytes=500 * MIB), card("b", size_bytes=500 * MIB)], memory_bytes=1000 * MIB
    )

    results = await asyncio.gather(loaded(host, "a"), loaded(host, "b"), return_exceptions=True)

    assert [type(result) for result in results] == [str, LoadFailed]


async def test_estimate_says_whether_it_fits_now() -> None:
    host = ScriptedHost([card("a", size_bytes=500 * MIB)], memory_bytes=700 * MIB)
    spec = LoadSpec(key="a", context_tokens=1024)
    estimates = [await host.estimate(spec, host.disk["a"])]
    await host.load(spec)
    estimates.append(await host.estimate(spec, host.disk["a"]))

    assert [estimate.fits_by_host for estimate in estimates] == [True, False]


async def test_foreign_models_are_there_from_the_start() -> None:
    theirs = Resident(key="theirs", identifier="theirs", size_bytes=100 * MIB, context_tokens=1024)
    host = ScriptedHost(foreign=[theirs], memory_bytes=200 * MIB)

    assert await host.residents() == [theirs]
    assert host.snapshot().ram_free_bytes == (200 - 100 - 32) * MIB


async def test_scripted_load_failures() -> None:
    """One failure is for ever; a list is used up."""
    for_ever = LoadFailed("a", reason="Broken.")
    host = ScriptedHost(
        ["a", "b"], fail_load={"a": for_ever, "b": [LoadFailed("b", reason="Once.")]}
    )

    for _ in range(2):
        with pytest.raises(LoadFailed, match="Broken"):
            await loaded(host, "a")
    with pytest.raises(LoadFailed, match="Once"):
        await loaded(host, "b")
    assert await loaded(host, "b") == "b"
    assert [resident.key for resident in await host.residents()] == ["b"]


@pytest.mark.parametrize("tokens", [0, 2, 4])
async def test_model_that_vanishes(tokens: int) -> None:
    host = ScriptedHost(replies="one two three four", vanish_after={"scripted-chat": tokens})
    identifier = await loaded(host)
    heard: list[PredictEvent] = []

    async def listen() -> None:
        events = host.predict(identifier, HELLO)
        while True:
            heard.append(await anext(events))

    with pytest.raises(ModelGone):
        await listen()

    assert text_of(heard) == " ".join(["one", "two", "three", "four"][:tokens])
    assert await host.residents() == []
    assert host.cancelled == []


async def test_model_that_vanishes_once() -> None:
    host = ScriptedHost(vanish_after={"scripted-chat": [1]})
    with pytest.raises(ModelGone):
        await answer(host)

    assert text_of(await answer(host)) == "This is a scripted answer."


async def test_model_that_somebody_else_unloads() -> None:
    host = ScriptedHost()
    events = host.predict(await loaded(host), HELLO)
    await anext(events)
    host.lose("scripted-chat")

    with pytest.raises(ModelGone):
        await anext(events)
    assert host.unloaded_while_answering == []


# --- the record -------------------------------------------------------------------------------


async def test_what_a_careful_client_never_causes() -> None:
    host = ScriptedHost()
    first = await loaded(host)
    events = host.predict(first, HELLO)
    await anext(events)
    await asyncio.gather(loaded(host), loaded(host))
    await host.unload(first)
    with pytest.raises(ModelGone):
        await anext(events)

    assert host.loaded_twice == ["scripted-chat", "scripted-chat"]
    assert host.loads_at_once == 2
    assert host.unloaded_while_answering == [first]


async def test_answer_left_early_is_recorded() -> None:
    host = ScriptedHost()
    events = host.predict(await loaded(host), HELLO)
    await anext(events)
    await events.aclose()

    assert [call.request for call in host.cancelled] == [HELLO]


async def test_answer_closed_after_its_end_is_no_cancel() -> None:
    host = ScriptedHost()
    events = host.predict(await loaded(host), HELLO)
    async for event in events:
        if isinstance(event, Finished):
            break
    await events.aclose()

    assert host.cancelled == []


async def test_cancelled_load_is_recorded() -> None:
    host = ScriptedHost(load_step_s=3600)
    load = asyncio.create_task(loaded(host))
    await asyncio.sleep(0)
    load.cancel()
    with pytest.raises(asyncio.CancelledError):
        await load

    assert [call.method for call in host.cancelled] == ["load"]
    assert await host.residents() == []


async def test_waiting_is_injected() -> None:
    """A test that replaces `sleep` decides how long a load and an answer take."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    host = ScriptedHost(progress=(0.5, 1.0), load_step_s=2.0, token_s=0.1, sleep=sleep, replies="a")
    await answer(host)

    assert waited == [2.0, 2.0, 0.1, 0.1, 0.1]


async def test_use_is_dated() -> None:
    """Answers set the time of last use; looking at the state does not."""
    now_s = 10.0
    host = ScriptedHost(clock=lambda: now_s)
    await answer(host)
    now_s = 20.0
    await host.state("scripted-chat")

    assert [resident.last_used_s for resident in await host.residents()] == [10.0]
