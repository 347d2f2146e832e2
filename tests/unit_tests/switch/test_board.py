"""Loads, evictions and leases of one host, under every order of events we can think of."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit_tests.switch.virtual_time import run

from langchain_lmswitch.errors import (
    HostTimeout,
    LoadFailed,
    NotEnoughMemory,
    UnknownModel,
)
from langchain_lmswitch.hosts.base import OnProgress
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Held, Switchboard
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card
from langchain_lmswitch.types.events import (
    InstanceState,
    Loaded,
    LoadProgress,
    LoadStarted,
    Queued,
    SwitchEvent,
)
from langchain_lmswitch.types.machine import Footprint
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident

MIB = 2**20
KV_MIB = 32
"""Of a scripted model with a context of 1,024 tokens."""


def model(key: str, mib: int = 500 - KV_MIB) -> ModelCard:
    return card(key, size_bytes=mib * MIB, max_context_tokens=1024)


class Desk:
    """A host, its board, and calls on it."""

    def __init__(self, host: ScriptedHost, *, monitor: Any = None, **options: Any) -> None:
        self.host = host
        loop = asyncio.get_running_loop()
        self.board = Switchboard(
            host, monitor or host, Settings(headroom_bytes=0, **options), clock=loop.time
        )
        self.heard: dict[str, list[SwitchEvent]] = {}

    async def acquire(self, key: str, call: str = "call", *, needed_tokens: int = 10) -> Held:
        return await self.board.acquire(
            self.host.disk[key],
            call=call,
            needed_tokens=needed_tokens,
            on_event=self.heard.setdefault(call, []).append,
        )

    async def use(self, key: str, call: str, *, for_s: float = 1.0) -> Held:
        held = await self.acquire(key, call)
        await asyncio.sleep(for_s)
        self.board.release(call)
        return held

    async def resident(self) -> list[str]:
        return [one.key for one in await self.host.residents()]

    def changes(self) -> list[tuple[str, str]]:
        made = [call for call in self.host.calls if call.method in {"load", "unload"}]
        return [(call.method, call.model) for call in made]

    def leased(self) -> list[str]:
        return [key for key in self.host.disk if self.board.leased(f"lmswitch/{key}")]


def desk(*cards: ModelCard, memory_mib: int | None = 700, **options: Any) -> Desk:
    """Build a host with room for one model of 500 MiB, whose loads take five seconds."""
    memory_bytes = None if memory_mib is None else memory_mib * MIB
    host = ScriptedHost(cards, memory_bytes=memory_bytes, load_step_s=1.0, **options)
    return Desk(host)


def virtual(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Run a test in virtual time."""

    async def running() -> None:
        await test()

    def outside() -> None:
        run(running())

    outside.__name__, outside.__doc__ = getattr(test, "__name__", ""), test.__doc__
    return outside


# --- one model --------------------------------------------------------------------------------


@virtual
async def test_load_and_lease() -> None:
    one = desk(model("a"))
    held = await one.acquire("a")

    assert held == Held(resident=held.resident, load_s=5.0)
    assert held.resident.identifier == "lmswitch/a"
    assert one.leased() == ["a"]
    assert one.heard["call"] == [
        LoadStarted(key="a", expected_bytes=500 * MIB),
        *(LoadProgress(key="a", fraction=part) for part in (0.0, 0.25, 0.5, 0.75, 1.0)),
        Loaded(key="a", identifier="lmswitch/a", context_tokens=1024, load_s=5.0),
    ]

    one.board.release("call")
    assert one.leased() == []


@virtual
async def test_load_is_what_the_settings_say() -> None:
    """Ours by its identifier, with a time to live, and no context beyond the model's training."""
    one = desk(model("a"))
    await one.acquire("a")

    [load] = one.host.called("load")
    assert load.spec == LoadSpec(
        key="a", context_tokens=1024, parallel=1, identifier="lmswitch/a", ttl_s=3600
    )


@virtual
async def test_resident_model_is_leased_at_once() -> None:
    one = desk(model("a"))
    await one.acquire("a", "first")
    held = await one.acquire("a", "second")

    assert (held.load_s, held.queued_s, one.heard["second"]) == (0.0, 0.0, [])
    assert len(one.host.called("load")) == 1


@virtual
async def test_concurrent_requests_load_once() -> None:
    one = desk(model("a"))
    held = await asyncio.gather(*(one.acquire("a", f"call-{n}") for n in range(5)))

    assert len({each.resident.reference for each in held}) == 1
    assert one.changes() == [("load", "a")]
    assert all(one.heard[f"call-{n}"] == one.heard["call-0"] for n in range(5))
    for number in range(5):
        assert one.leased() == ["a"]
        one.board.release(f"call-{number}")
    assert one.leased() == []


@virtual
async def test_foreign_instance_of_the_model_is_used() -> None:
    theirs = Resident(key="a", identifier="mine-by-hand", context_tokens=1024)
    one = desk(model("a"), foreign=[theirs])

    assert (await one.acquire("a")).resident == theirs
    assert one.changes() == []


@virtual
async def test_load_failure_reaches_all_and_is_not_kept() -> None:
    one = desk(model("a"), fail_load={"a": [LoadFailed("a", reason="Broken.")]})
    results = await asyncio.gather(
        one.acquire("a", "1"), one.acquire("a", "2"), return_exceptions=True
    )

    assert [type(result) for result in results] == [LoadFailed, LoadFailed]
    assert one.leased() == []
    assert (await one.acquire("a")).resident.key == "a"


@virtual
async def test_cancelled_waiter_leaves_no_lease_and_cancels_the_load() -> None:
    one = desk(model("a"))
    waiting = asyncio.create_task(one.acquire("a"))
    await asyncio.sleep(2.5)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert [call.method for call in one.host.cancelled] == ["load"]
    assert one.leased() == []
    assert await one.resident() == []
    assert (await one.acquire("a")).resident.key == "a"


@virtual
async def test_one_of_two_waiters_is_cancelled() -> None:
    """The load goes on for the other, and the lease of the first is not left behind."""
    one = desk(model("a"))
    first = asyncio.create_task(one.acquire("a", "first"))
    second = asyncio.create_task(one.acquire("a", "second"))
    await asyncio.sleep(2.5)
    first.cancel()
    await second
    one.board.release("second")

    assert one.host.cancelled == []
    assert one.leased() == []


@pytest.mark.parametrize("steps", range(12))
def test_cancelled_about_when_the_load_ends(steps: int) -> None:
    """Whatever step of the loop the cancel arrives at, no lease is left behind."""

    async def scenario() -> None:
        one = desk(model("a"))
        waiting = asyncio.create_task(one.acquire("a"))
        await asyncio.sleep(5.0)
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
            one.board.release("call")
        assert one.leased() == []

    run(scenario())


@virtual
async def test_host_that_has_the_identifier_already() -> None:
    """Another process of ours loaded it in between: its instance is as good."""
    one = desk(model("a"))
    loading = asyncio.create_task(one.acquire("a"))
    await asyncio.sleep(0)
    spec = LoadSpec(key="a", identifier="lmswitch/a")
    other = ScriptedHost.load(one.host, spec)  # it began earlier
    [mine, theirs] = await asyncio.gather(loading, other, return_exceptions=True)

    assert isinstance(theirs, LoadFailed) is isinstance(mine, Held)
    assert one.leased() == ["a"]


# --- two models -------------------------------------------------------------------------------


@virtual
async def test_second_model_waits_for_the_lease_and_then_evicts() -> None:
    one = desk(model("a"), model("b"))
    first = asyncio.create_task(one.use("a", "first", for_s=10.0))
    await asyncio.sleep(6.0)
    held = await one.acquire("b", "second")
    await first

    assert one.changes() == [("load", "a"), ("unload", "lmswitch/a"), ("load", "b")]
    assert held.evicted == ("lmswitch/a",)
    assert (held.queued_s, held.load_s) == (9.0, 5.0)
    assert any(isinstance(event, Queued) for event in one.heard["second"])
    assert one.host.unloaded_while_answering == []


@virtual
async def test_model_is_not_evicted_before_it_answered() -> None:
    """Who loads next does not take the room from those who wait for the load that just ended."""
    one = desk(model("a"), model("b"))
    await asyncio.gather(*(one.use(key, f"{key}{n}") for n in range(3) for key in "ab"))

    assert one.changes() == [("load", "a"), ("unload", "lmswitch/a"), ("load", "b")]


@virtual
async def test_idle_model_that_suffices_is_evicted() -> None:
    one = desk(model("a", 300), model("b", 600), model("c", 600), memory_mib=1200)
    for key in ("a", "b"):
        await one.use(key, key)
    held = await one.acquire("c")

    assert held.evicted == ("lmswitch/b",)
    assert await one.resident() == ["a", "c"]


@virtual
async def test_both_stay_where_there_is_room() -> None:
    one = desk(model("a"), model("b"), memory_mib=1000)
    await asyncio.gather(one.acquire("a", "1"), one.acquire("b", "2"))

    assert await one.resident() == ["a", "b"]
    assert one.host.loads_at_once == 1


@virtual
async def test_foreign_model_is_never_unloaded() -> None:
    theirs = Resident(key="x", identifier="theirs", size_bytes=500 * MIB, context_tokens=1024)
    one = desk(model("a"), foreign=[theirs])
    with pytest.raises(NotEnoughMemory) as caught:
        await one.acquire("a")

    assert caught.value.blockers == ("theirs",)
    assert asyncio.get_running_loop().time() < 1.0
    assert one.changes() == []


@virtual
async def test_foreign_model_may_be_unloaded_where_that_is_allowed() -> None:
    theirs = Resident(key="x", identifier="theirs", size_bytes=500 * MIB, context_tokens=1024)
    host = ScriptedHost([model("a")], memory_bytes=700 * MIB, foreign=[theirs])
    one = Desk(host, evict_foreign=True)

    assert (await one.acquire("a")).evicted == ("theirs",)


@virtual
async def test_model_larger_than_the_machine() -> None:
    one = desk(model("a"), model("huge", 5000))
    await one.use("a", "first")
    with pytest.raises(NotEnoughMemory) as caught:
        await one.acquire("huge")

    assert caught.value.needed_bytes == 5032 * MIB
    assert await one.resident() == ["a"]


@virtual
async def test_lease_that_never_ends() -> None:
    """Queueing has an end: the deadline for loads."""
    one = desk(model("a"), model("b"))
    await one.acquire("a", "for ever")
    with pytest.raises(NotEnoughMemory):
        await one.acquire("b")

    assert 600 <= asyncio.get_running_loop().time() < 620
    assert await one.resident() == ["a"]


@virtual
async def test_cancelled_while_waiting_for_a_lease() -> None:
    """The turn is given back, and what would have left stays."""
    one = desk(model("a"), model("b"))
    await one.acquire("a", "first")
    waiting = asyncio.create_task(one.acquire("b", "second"))
    await asyncio.sleep(5)
    waiting.cancel()
    await asyncio.wait({waiting})
    one.board.release("first")

    assert (await one.acquire("a", "third")).load_s == 0.0
    assert one.changes() == [("load", "a")]


@virtual
async def test_unknown_memory_is_tried() -> None:
    """A remote host's memory is not ours to measure: nobody is evicted on a guess."""
    one = desk(model("a"), model("b"), memory_mib=None, scope="remote")
    await one.use("a", "first")
    await one.use("b", "second")

    assert await one.resident() == ["a", "b"]


@virtual
async def test_memory_of_this_machine_counts() -> None:
    machine = FixedMachine()
    host = ScriptedHost([model("a", 50_000)])
    with pytest.raises(NotEnoughMemory):
        await Desk(host, monitor=machine).acquire("a")


class Shared(ScriptedHost):
    """A host on which another process is using what we loaded, until a time."""

    busy_until_s = 0.0

    async def state(self, identifier: str) -> InstanceState | None:
        if asyncio.get_running_loop().time() < self.busy_until_s:
            return InstanceState(status="generating", queued=1)
        return await super().state(identifier)


@virtual
async def test_answer_of_another_process_is_not_cut_off() -> None:
    host = Shared([model("a"), model("b")], memory_bytes=700 * MIB)
    one = Desk(host)
    await one.use("a", "first")
    host.busy_until_s = 100.0
    await one.acquire("b")

    assert asyncio.get_running_loop().time() >= 100.0
    assert await one.resident() == ["b"]


@virtual
async def test_other_process_that_never_ends() -> None:
    host = Shared([model("a"), model("b")], memory_bytes=700 * MIB)
    one = Desk(host)
    await one.use("a", "first")
    host.busy_until_s = 10_000.0
    with pytest.raises(HostTimeout, match="lmswitch/a"):
        await one.acquire("b")

    assert (await one.acquire("a")).load_s == 0.0


@virtual
async def test_victim_that_had_left_already() -> None:
    """Its time to live was over just then."""
    one = desk(model("a"), model("b"))
    await one.use("a", "first")
    state = one.host.state

    async def leave(identifier: str) -> InstanceState | None:
        found = await state(identifier)
        one.host.lose(identifier)
        return found

    one.host.state = leave  # type: ignore[method-assign]  # the very moment cannot be scripted
    assert (await one.acquire("b")).resident.key == "b"


# --- unloading by hand ------------------------------------------------------------------------


@virtual
async def test_unload_waits_for_our_answers() -> None:
    one = desk(model("a"))
    using = asyncio.create_task(one.use("a", "first", for_s=10.0))
    await asyncio.sleep(6.0)
    await one.board.unload("lmswitch/a")

    assert asyncio.get_running_loop().time() == 15.0
    assert (await using).resident.key == "a"
    assert await one.resident() == []


@virtual
async def test_unload_of_nothing() -> None:
    one = desk(model("a"))
    with pytest.raises(UnknownModel):
        await one.board.unload("lmswitch/a")
    assert (await one.acquire("a")).resident.key == "a"


@virtual
async def test_close_keeps_models() -> None:
    one = desk(model("a"))
    await one.use("a", "first")
    await one.board.aclose()

    assert len(one.host.called("aclose")) == 1
    assert await one.resident() == ["a"]


# --- every order of events --------------------------------------------------------------------


class Moody(ScriptedHost):
    """A host whose every call takes a while, and that measures its own limits."""

    def __init__(self, cards: Sequence[ModelCard], *, dice: random.Random, **fields: Any) -> None:
        super().__init__(cards, **fields)
        self.dice = dice

    async def _while(self) -> None:
        for _ in range(self.dice.randrange(4)):
            await asyncio.sleep(0)
        if self.dice.random() < 0.3:
            await asyncio.sleep(self.dice.random())

    async def residents(self) -> list[Resident]:
        found = await super().residents()
        await self._while()
        return found

    async def estimate(self, spec: LoadSpec, card: ModelCard) -> Footprint:
        await self._while()
        return await super().estimate(spec, card)

    async def state(self, identifier: str) -> InstanceState | None:
        found = await super().state(identifier)
        await self._while()
        return found

    async def unload(self, identifier: str) -> None:
        await self._while()
        await super().unload(identifier)


class Crowd:
    """Many callers that come, answer, fail and leave at random."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311
        sizes = {"a": 300, "b": 400, "c": 600, "d": 100}
        self.theirs = Resident(
            key="x", identifier="theirs", size_bytes=100 * MIB, context_tokens=1024
        )
        self.host = Moody(
            [model(key, mib) for key, mib in sizes.items()],
            dice=self.dice,
            memory_bytes=(700 + 132) * MIB,
            foreign=[self.theirs],
            load_step_s=0.2,
            fail_load={"b": [LoadFailed("b", reason="Once.")]},
        )
        self.desk = Desk(self.host)
        self.answered = 0

    async def caller(self, number: int) -> None:
        await asyncio.sleep(self.dice.random() * 5)
        call, key = f"call-{number}", self.dice.choice("aabbcd")
        try:
            held = await self.desk.acquire(key, call)
            await self._answer(held)
        except (LoadFailed, NotEnoughMemory):
            pass
        finally:
            self.desk.board.release(call)

    async def _answer(self, held: Held) -> None:
        identifier = held.resident.identifier
        for _ in range(self.dice.randrange(6)):
            residents = await ScriptedHost.residents(self.host)
            assert held.resident.reference in {one.reference for one in residents}
            await asyncio.sleep(self.dice.random() / 2)
        assert self.desk.board.leased(identifier)
        self.answered += 1

    async def leaver(self, calling: asyncio.Task[None]) -> None:
        await asyncio.sleep(self.dice.random() * 8)
        calling.cancel()

    async def run(self) -> None:
        callers = [asyncio.create_task(self.caller(number)) for number in range(12)]
        leaving = [self.leaver(one) for one in callers if self.dice.random() < 0.35]
        results = await asyncio.gather(*callers, *leaving, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_crowd(seed: int) -> None:
    """However many come and go: nobody's model is taken away, and nothing is left behind."""

    async def scenario() -> None:
        crowd = Crowd(seed)
        await crowd.run()

        assert crowd.answered
        assert crowd.desk.leased() == []
        crowd.host.fail_load.clear()
        assert crowd.host.loads_at_once <= 1
        assert crowd.host.loaded_twice == []
        assert crowd.host.unloaded_while_answering == []
        assert ("unload", "theirs") not in crowd.desk.changes()
        for key in crowd.host.disk:  # nothing is marked or locked for ever
            await crowd.desk.acquire(key, "last")
            crowd.desk.board.release("last")

    run(scenario())


# --- a host that gives less than it is asked for ----------------------------------------------


class Stingy(ScriptedHost):
    """Gives every model half the context it is asked for, as LM Studio's auto-fit may."""

    async def load(self, spec: LoadSpec, *, on_progress: OnProgress | None = None) -> Resident:
        halved = replace(spec, context_tokens=(spec.context_tokens or 0) // 2)
        return await super().load(halved, on_progress=on_progress)


@virtual
async def test_smaller_context_than_asked_for_is_not_asked_for_again() -> None:
    """Else every longer request would unload the model and load it again, for the same."""
    one = Desk(Stingy([model("a")]))
    first = await one.acquire("a", "first", needed_tokens=900)
    one.board.release("first")
    second = await one.acquire("a", "second", needed_tokens=900)

    assert first.resident.context_tokens == second.resident.context_tokens == 512
    assert one.changes() == [("load", "a")]
