"""The memory of this computer, watched while somebody waits or listens; in virtual time."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from unit_tests.switch.desk import MIB, Desk, model, virtual

from langchain_lmswitch.errors import HostLost
from langchain_lmswitch.switch.watch import RECHECK_S
from langchain_lmswitch.testing import FixedMachine, ScriptedHost
from langchain_lmswitch.types.events import Loaded, MemoryChanged, SwitchEvent
from langchain_lmswitch.types.machine import Gpu, Snapshot
from langchain_lmswitch.types.models import LoadSpec, Resident


def now_s() -> float:
    return asyncio.get_running_loop().time()


class Machine(FixedMachine):
    """A computer that counts how often it is looked at."""

    looks = 0

    def snapshot(self) -> Snapshot:
        self.looks += 1
        return super().snapshot()

    def free(self, mib: int) -> None:
        self.now = replace(self.now, ram_free_bytes=mib * MIB)


class Office(Desk):
    """A desk on a computer with other programs, which hears when something happens."""

    def __init__(self, *, free_mib: int = 5000, **options: Any) -> None:
        host = ScriptedHost([model("a"), model("b")], load_step_s=1.0, **options)
        self.machine = Machine()
        self.machine.free(free_mib)
        super().__init__(host, monitor=self.machine)
        self.times: list[tuple[float, str]] = []
        self.told: list[SwitchEvent] = []

    def hear(self, call: str, event: SwitchEvent) -> None:
        super().hear(call, event)
        self.times.append((now_s(), type(event).__name__))

    def subscribe(self) -> Callable[[], None]:
        return self.board.subscribe(self.told.append)

    async def looks(self, for_s: float) -> int:
        before = self.machine.looks
        await asyncio.sleep(for_s)
        return self.machine.looks - before


def free_mib(events: list[SwitchEvent]) -> list[int]:
    changes = [one for one in events if isinstance(one, MemoryChanged)]
    return [(one.ram_free_bytes or 0) // MIB for one in changes]


@virtual
async def test_load_goes_on_when_another_program_frees_memory() -> None:
    """Within 0.3 s; without being told it would be a second."""
    office = Office(free_mib=600)
    await office.acquire("a", "answering")
    office.machine.free(100)
    loading = asyncio.create_task(office.acquire("b", "waiting"))
    await asyncio.sleep(7.05)
    office.machine.free(5000)
    freed_s = now_s()
    await loading

    _, started_s = [at_s for at_s, name in office.times if name == "LoadStarted"]
    assert 0 < started_s - freed_s <= 0.3
    assert office.leased() == ["a", "b"]


@virtual
async def test_request_that_waits_is_told_what_is_free() -> None:
    """A change that is worth it, and no longer than it waits."""
    office = Office(free_mib=600)
    await office.acquire("a", "answering")
    office.machine.free(100)
    loading = asyncio.create_task(office.acquire("b", "waiting"))
    await asyncio.sleep(2)
    office.machine.free(300)
    await asyncio.sleep(1)
    before = free_mib(office.heard["waiting"])
    office.machine.free(450)
    await asyncio.sleep(0.3)
    loading.cancel()
    await asyncio.wait({loading})
    office.machine.free(5000)
    await asyncio.sleep(2)

    assert (before, free_mib(office.heard["waiting"])) == ([], [450])
    assert 5000 not in free_mib(office.heard["answering"])


@virtual
async def test_own_load_is_measured_at_once() -> None:
    """Who waits behind it does not wait for the next look."""
    office = Office()
    office.subscribe()

    def land(event: SwitchEvent) -> None:
        if isinstance(event, Loaded):
            office.machine.free(4000)

    card = office.host.disk["a"]
    await office.board.acquire(card, call="first", needed_tokens=10, on_event=land)
    loaded_s = now_s()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert now_s() == loaded_s
    assert free_mib(office.told) == [5000, 4000]


@virtual
async def test_nobody_looks_while_nobody_waits_or_listens() -> None:
    office = Office()
    before = await office.looks(60)
    loading = asyncio.create_task(office.acquire("a"))
    during = await office.looks(4)
    await loading
    after = await office.looks(60)

    assert (before, after) == (0, 0)
    assert during >= 16


@virtual
async def test_subscriber_hears_the_state_and_then_changes_while_a_model_is_loaded() -> None:
    office = Office()
    unsubscribe = office.subscribe()
    idle = await office.looks(60)
    await office.acquire("a")
    await asyncio.sleep(10)
    office.machine.free(4000)
    await asyncio.sleep(0.25)
    heard = free_mib(office.told)
    unsubscribe()
    unsubscribe()

    assert (idle, heard) == (0, [5000, 4000])
    assert await office.looks(60) == 0


@virtual
async def test_subscriber_hears_of_a_model_that_was_there_before() -> None:
    office = Office()
    await office.acquire("a")
    office.subscribe()
    await asyncio.sleep(0.1)

    assert free_mib(office.told) == [5000]


@virtual
async def test_all_parts_are_told_and_unknown_is_none() -> None:
    office = Office()
    known = Gpu(name="A", total_bytes=8, free_bytes=7)
    cards = (known, replace(known, free_bytes=None))
    office.machine.now = Snapshot(ram_total_bytes=64, ram_free_bytes=None, gpus=cards)
    await office.host.load(LoadSpec(key="a"))
    office.subscribe()
    await asyncio.sleep(0.1)

    assert office.told == [
        MemoryChanged(ram_total_bytes=64, ram_free_bytes=None, gpu_free_bytes=(7, None))
    ]


@virtual
async def test_model_that_left_unnoticed_ends_it() -> None:
    """Its time to live was over, and it was too small to be seen in what is free."""
    office = Office()
    office.subscribe()
    await office.acquire("a")
    busy = await office.looks(10)
    office.host.lose("lmswitch/a")
    await asyncio.sleep(RECHECK_S)

    assert busy == 40
    assert await office.looks(300) == 0


@virtual
async def test_unloading_ends_it() -> None:
    office = Office()
    office.subscribe()
    await office.use("a", "first")
    await office.board.unload("lmswitch/a")
    await asyncio.sleep(0.1)

    assert await office.looks(300) == 0


@virtual
async def test_model_that_stays_is_watched_on() -> None:
    office = Office()
    office.subscribe()
    await office.acquire("a")
    await asyncio.sleep(10 * RECHECK_S)

    assert await office.looks(10) == 40


class Losing(ScriptedHost):
    """A host that goes away."""

    lost = False

    async def residents(self) -> list[Resident]:
        if self.lost:
            raise HostLost(self.address, reason="gone")
        return await super().residents()


@virtual
async def test_host_that_went_away_ends_it() -> None:
    host, machine = Losing([model("a")]), Machine()
    desk = Desk(host, monitor=machine)
    desk.board.subscribe(lambda _: None)
    await desk.acquire("a")
    host.lost = True
    await asyncio.sleep(RECHECK_S + 1)
    before = machine.looks
    await asyncio.sleep(300)

    assert machine.looks == before


@virtual
async def test_another_computer_is_not_watched() -> None:
    office = Office(scope="remote")
    office.subscribe()
    await office.acquire("a")

    assert await office.looks(60) == 0
    assert office.told == []
    assert free_mib(office.heard["call"]) == []


@virtual
async def test_closing_ends_it() -> None:
    office = Office()
    office.subscribe()
    await office.acquire("a")
    await office.board.aclose()

    assert await office.looks(60) == 0


def test_listener_that_fails_does_not_harm_the_request(caplog: pytest.LogCaptureFixture) -> None:
    """What it said is not logged: it could be anything."""

    @virtual
    async def work() -> None:
        office = Office()

        def fail(event: SwitchEvent) -> None:
            raise RuntimeError(f"a secret {event}")

        office.board.subscribe(fail)
        office.subscribe()
        await office.acquire("a")
        await asyncio.sleep(0.1)
        assert free_mib(office.told) == [5000]

    with caplog.at_level(logging.DEBUG):
        work()

    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text
