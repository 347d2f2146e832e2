"""Loads, evictions and leases of one host, under every order of events we can think of."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest
from unit_tests.switch.desk import MIB, Desk, desk, model, virtual

from langchain_lmswitch.errors import (
    HostTimeout,
    LoadFailed,
    NotEnoughMemory,
    UnknownModel,
)
from langchain_lmswitch.hosts.base import OnProgress
from langchain_lmswitch.policy.demand import Demand
from langchain_lmswitch.switch.board import Held
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, run_virtually
from langchain_lmswitch.types.events import (
    InstanceState,
    Loaded,
    LoadProgress,
    LoadStarted,
    MemoryChanged,
    Queued,
)
from langchain_lmswitch.types.models import LoadSpec, Resident

# --- one model --------------------------------------------------------------------------------


@virtual
async def test_load_and_lease() -> None:
    one = desk(model("a"))
    held = await one.acquire("a")

    assert held == Held(resident=held.resident, load_s=5.0)
    assert held.resident.identifier == "lmswitch/a"
    assert one.leased() == ["a"]
    assert [event for event in one.heard["call"] if not isinstance(event, MemoryChanged)] == [
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
        key="a", context_tokens=1024, parallel=64, identifier="lmswitch/a", ttl_s=3600
    )


@virtual
async def test_resident_model_is_leased_at_once() -> None:
    one = desk(model("a"))
    await one.acquire("a", "first")
    held = await one.acquire("a", "second")

    assert (held.load_s, held.queued_s, one.heard["second"]) == (0.0, 0.0, [])
    assert len(one.host.called("load")) == 1


class Noting(Demand):
    def __init__(self) -> None:
        super().__init__()
        self.noted: list[str] = []

    def note(self, key: str) -> None:
        self.noted.append(key)
        super().note(key)


@virtual
async def test_every_request_counts_as_demand_once() -> None:
    """Whether it loads, finds its model loaded, leases what it has seen, or waits and retries."""
    one = desk(model("a"), model("b"))
    one.board.surveyor.demand = demand = Noting()
    held = await one.acquire("a", "loads")
    await one.acquire("a", "finds")
    assert one.board.lease(held.resident, "has seen it")
    waiting = asyncio.create_task(one.acquire("b", "waits"))
    await asyncio.sleep(5)
    assert not waiting.done()
    for call in ("loads", "finds", "has seen it"):
        one.board.release(call)
    await waiting

    assert demand.noted == ["a", "a", "a", "b"]


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

    run_virtually(scenario())


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
