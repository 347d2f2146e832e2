"""Two processes on one host: here two boards that meet in one folder."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from unit_tests.switch.desk import MIB, model

from langchain_lmswitch.errors import HostTimeout, NotEnoughMemory
from langchain_lmswitch.machine.neighbors import Neighbors
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Held, Switchboard
from langchain_lmswitch.testing import ScriptedHost
from langchain_lmswitch.types.events import Queued, SwitchEvent
from langchain_lmswitch.types.models import Resident

STEP_S = 0.02


def board(host: ScriptedHost, folder: Path, **options: Any) -> Switchboard:
    settings = Settings(headroom_bytes=0, **options)
    return Switchboard(host, host, settings, neighbors=Neighbors(folder))


@pytest.fixture
def host() -> ScriptedHost:
    """A host with room for one of its two models; a load takes a tenth of a second."""
    return ScriptedHost([model("a"), model("b")], memory_bytes=700 * MIB, load_step_s=STEP_S)


async def acquire(
    one: Switchboard, key: str, call: str, *, heard: list[SwitchEvent] | None = None, **how: Any
) -> Held:
    card = next(card for card in await one.host.cards() if card.key == key)
    events: list[SwitchEvent] = [] if heard is None else heard
    return await one.acquire(card, call=call, needed_tokens=10, on_event=events.append, **how)


async def test_both_load_at_once_and_it_is_loaded_once(host: ScriptedHost, tmp_path: Path) -> None:
    boards = [board(host, tmp_path) for _ in range(3)]
    heard: list[SwitchEvent] = []
    held = await asyncio.gather(
        *(acquire(one, "a", f"call-{n}", heard=heard) for n, one in enumerate(boards))
    )
    assert {one.resident.reference for one in held} == {"load-1"}
    assert len(host.called("load")) == 1
    reason = "another process of yours is loading a model"
    assert [one.reason for one in heard if isinstance(one, Queued)] == [reason] * 2


async def test_what_another_process_is_answering_with_stays(
    host: ScriptedHost, tmp_path: Path
) -> None:
    one, other = board(host, tmp_path), board(host, tmp_path)
    await acquire(one, "a", "answer")
    switching = asyncio.create_task(acquire(other, "b", "call"))
    await asyncio.sleep(0.6)
    assert host.called("unload") == []
    assert not switching.done()
    one.release("answer")
    held = await switching
    assert held.evicted == ("lmswitch/a",)


async def test_nobody_begins_to_use_what_another_process_waits_for(
    host: ScriptedHost, tmp_path: Path
) -> None:
    one, other = board(host, tmp_path), board(host, tmp_path)
    await acquire(one, "a", "answer")
    switching = asyncio.create_task(acquire(other, "b", "call"))
    await asyncio.sleep(0.3)
    heard: list[SwitchEvent] = []
    late = asyncio.create_task(acquire(one, "a", "late", heard=heard))
    await asyncio.sleep(0.3)
    assert not late.done()
    one.release("answer")
    await switching
    other.release("call")
    await late
    assert [call.model for call in host.called("load")] == ["a", "b", "a"]
    assert heard[0] == Queued(key="a", reason="another process needs its place first")


async def test_what_another_process_holds_is_not_waited_for(
    host: ScriptedHost, tmp_path: Path
) -> None:
    one, other = board(host, tmp_path), board(host, tmp_path)
    await acquire(one, "a", "held", hold=True)
    async with asyncio.timeout(5):
        with pytest.raises(NotEnoughMemory) as refused:
            await acquire(other, "b", "call")
    assert refused.value.blockers == ("lmswitch/a",)
    one.release("held")
    await acquire(other, "b", "call")


async def test_what_is_held_here_is_not_waited_for_either(
    host: ScriptedHost, tmp_path: Path
) -> None:
    one = board(host, tmp_path)
    await acquire(one, "a", "held", hold=True)
    async with asyncio.timeout(5):
        with pytest.raises(NotEnoughMemory):
            await acquire(one, "b", "call")
    await acquire(one, "a", "inside")


async def test_by_turns_with_many_on_both_sides(host: ScriptedHost, tmp_path: Path) -> None:
    boards = [board(host, tmp_path), board(host, tmp_path)]

    async def ask(number: int) -> None:
        one, key = boards[number % 2], "ab"[number % 2]
        await asyncio.sleep(number / 200)
        held = await acquire(one, key, f"call-{number}")
        for _ in range(3):
            residents = {place.reference for place in host.places.residents()}
            assert held.resident.reference in residents
            await asyncio.sleep(0.01)
        one.release(f"call-{number}")

    async with asyncio.timeout(60):
        await asyncio.gather(*(ask(number) for number in range(40)))
    assert host.loaded_twice == []
    assert host.unloaded_while_answering == []
    assert host.loads_at_once == 1


async def test_unloading_waits_for_the_other_process_too(
    host: ScriptedHost, tmp_path: Path
) -> None:
    one, other = board(host, tmp_path), board(host, tmp_path)
    await acquire(one, "a", "answer")
    unloading = asyncio.create_task(other.unload("lmswitch/a"))
    await asyncio.sleep(0.3)
    assert host.called("unload") == []
    one.release("answer")
    await unloading
    assert host.places.residents() == []


async def test_an_unload_that_waits_for_a_hold_keeps_nobody_from_loading(
    host: ScriptedHost, tmp_path: Path
) -> None:
    host = ScriptedHost([model("a"), model("b")])
    one, other = board(host, tmp_path), board(host, tmp_path)
    await acquire(one, "a", "held", hold=True)
    unloading = asyncio.create_task(one.unload("lmswitch/a"))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(5):
        await acquire(other, "b", "call")
    assert not unloading.done()
    one.release("held")
    await unloading
    assert [place.key for place in host.places.residents()] == ["b"]


async def test_a_process_that_never_ends_its_turn_is_given_up(
    host: ScriptedHost, tmp_path: Path
) -> None:
    one = board(host, tmp_path, load_timeout_s=0.2)
    async with Neighbors(tmp_path).turn(within_s=1):
        with pytest.raises(HostTimeout, match="another process of yours"):
            await acquire(one, "a", "call")
        with pytest.raises(HostTimeout, match="another process of yours"):
            await one.unload("lmswitch/a")
    await acquire(one, "a", "call")


async def test_the_last_process_unloads_what_is_ours(host: ScriptedHost, tmp_path: Path) -> None:
    theirs = Resident(key="b", identifier="theirs", size_bytes=MIB, context_tokens=1024)
    host = ScriptedHost([model("a"), model("b")], foreign=[theirs])
    one, other = board(host, tmp_path), board(host, tmp_path)
    for used in (one, other):
        await acquire(used, "a", "call")
        used.release("call")
    await acquire(one, "b", "call")
    await one.leave()
    assert host.called("unload") == []
    await other.leave()
    assert [call.model for call in host.called("unload")] == ["lmswitch/a"]


async def test_what_this_process_never_used_is_another_ones(
    host: ScriptedHost, tmp_path: Path
) -> None:
    kept = board(host, tmp_path, unload_at_exit=False)
    await acquire(kept, "a", "call")
    await kept.leave()
    one = board(host, tmp_path)
    await one.surveyor.survey()
    await one.leave()
    assert [one.key for one in host.places.residents()] == ["a"]


async def test_after_a_restart_ours_are_ours_again(host: ScriptedHost, tmp_path: Path) -> None:
    """A process that was killed left them; the next one uses, evicts and unloads them."""
    killed = board(host, tmp_path)
    await acquire(killed, "a", "answer")
    killed._neighbors.leave()  # as the system does for it
    one = board(host, tmp_path)
    held = await acquire(one, "a", "call")
    assert held.load_s == 0.0
    one.release("call")
    assert (await acquire(one, "b", "next")).evicted == ("lmswitch/a",)
    await one.leave()
    assert host.places.residents() == []
