"""Loads that fail for memory, and memory that comes back late."""

import asyncio
from typing import Any

import pytest
from unit_tests.switch.desk import MIB, Desk, Late, model, virtual

from langchain_lmswitch.errors import LoadFailed
from langchain_lmswitch.switch.quarantines import Quarantines
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card
from langchain_lmswitch.types.events import Evicted, InstanceState, LoadStarted
from langchain_lmswitch.types.machine import Snapshot
from langchain_lmswitch.types.models import LoadSpec, Resident

TIGHT = LoadFailed("b", reason="CUDA out of memory.", for_memory=True)


def roomy(failures: list[LoadFailed] | LoadFailed, **options: Any) -> Desk:
    """Build a desk where both models fit, by all that is known, and loads of b fail all the same.

    A list fails once for each entry.
    """
    cards = [model("a"), model("b"), card("h", kind="embedding", max_context_tokens=1024)]
    host = ScriptedHost(
        cards,
        memory_bytes=2000 * MIB,
        load_step_s=1.0,
        fail_load={"b": failures},
        **options,
    )
    return Desk(host)


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def refused(one: Desk) -> LoadFailed:
    with pytest.raises(LoadFailed) as caught:
        await one.acquire("b", "refused")
    return caught.value


async def left(one: Desk, call: str) -> None:
    """Wait until a model has left for a call; its memory is not back yet."""
    for _ in range(100):
        if any(isinstance(event, Evicted) for event in one.heard.get(call, ())):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("nothing was evicted")


# --- rule 7: evict, wait, once more -----------------------------------------------------------


@virtual
async def test_idle_models_make_room_and_it_is_tried_once_more() -> None:
    one = roomy([TIGHT])
    await one.use("a", "first")
    held = await one.acquire("b", "second")

    assert held.evicted == ("lmswitch/a",)
    assert one.changes() == [("load", "a"), ("load", "b"), ("unload", "lmswitch/a"), ("load", "b")]
    told = [event for event in one.heard["second"] if isinstance(event, LoadStarted | Evicted)]
    assert [type(event) for event in told] == [LoadStarted, Evicted, LoadStarted]
    assert one.leased() == ["b"]


@virtual
async def test_only_once_more() -> None:
    one = roomy(TIGHT)
    await one.use("a", "first")
    failure = await refused(one)

    assert (failure.key, failure.reason, failure.for_memory) == ("b", TIGHT.reason, True)
    assert one.changes() == [("load", "a"), ("load", "b"), ("unload", "lmswitch/a"), ("load", "b")]
    assert one.leased() == []
    assert (await one.acquire("a", "later")).resident.key == "a"


@virtual
async def test_other_failures_are_not_tried_again() -> None:
    """Neither now, nor is the next request kept from trying."""
    one = roomy([LoadFailed("b", reason="Bad magic.")])
    await one.use("a", "first")
    await refused(one)

    assert one.changes() == [("load", "a"), ("load", "b")]
    assert (await one.acquire("b")).evicted == ()


@virtual
async def test_without_anything_to_evict_the_same_load_is_not_made_again() -> None:
    one = roomy(TIGHT)
    await refused(one)

    assert one.changes() == [("load", "b")]


@virtual
async def test_leased_model_stays() -> None:
    one = roomy(TIGHT)
    await one.acquire("a", "answering")
    await refused(one)

    assert one.changes() == [("load", "a"), ("load", "b")]


@virtual
async def test_foreign_model_and_helper_stay() -> None:
    theirs = Resident(key="x", identifier="theirs", size_bytes=MIB, context_tokens=1024)
    one = roomy(TIGHT, foreign=[theirs])
    await one.use("h", "helper")
    await refused(one)

    assert one.changes() == [("load", "h"), ("load", "b")]


@virtual
async def test_pinned_model_stays() -> None:
    one = roomy(TIGHT)
    await one.use("a", "first")
    one.board.surveyor.pins.add("a")
    await refused(one)

    assert one.changes() == [("load", "a"), ("load", "b")]


class Shared(ScriptedHost):
    """A host on which another process never stops using what we loaded."""

    async def state(self, identifier: str) -> InstanceState | None:
        await super().state(identifier)
        return InstanceState(status="generating", queued=1)


@virtual
async def test_model_that_another_process_uses_stays_and_is_not_waited_for() -> None:
    host = Shared([model("a"), model("b")], memory_bytes=2000 * MIB, fail_load={"b": TIGHT})
    one = Desk(host)
    await one.use("a", "first", for_s=0.0)
    await refused(one)

    assert one.changes() == [("load", "a"), ("load", "b")]
    assert now_s() == 0.0


@virtual
async def test_request_for_what_leaves_waits_and_gets_it_again() -> None:
    one = Desk(Late([model("a"), model("b")], memory_bytes=2000 * MIB, load_step_s=1.0))
    one.host.fail_load["b"] = [TIGHT]
    await one.use("a", "first")
    loading = asyncio.create_task(one.use("b", "second"))
    await left(one, "second")
    held = await one.use("a", "third")
    await loading

    assert held.resident.reference != "load-1"
    assert one.host.unloaded_while_answering == []


@virtual
async def test_cancelled_while_it_makes_room_for_the_second_try() -> None:
    one = Desk(Late([model("a"), model("b")], memory_bytes=2000 * MIB, load_step_s=1.0))
    one.host.fail_load["b"] = TIGHT
    await one.use("a", "first")
    loading = asyncio.create_task(one.acquire("b", "second"))
    await left(one, "second")
    loading.cancel()
    await asyncio.wait({loading})

    assert (await one.acquire("a", "third")).resident.key == "a"
    assert one.leased() == ["a"]


# --- quarantine -------------------------------------------------------------------------------


@virtual
async def test_what_did_not_fit_is_refused_at_once_for_a_minute() -> None:
    one = roomy([TIGHT])
    await refused(one)
    failed_s = now_s()
    await asyncio.sleep(20)
    failure = await refused(one)

    assert now_s() == failed_s + 20
    assert failure.for_memory
    assert TIGHT.reason in failure.reason
    assert "not tried again for 40 s" in failure.reason
    assert one.changes() == [("load", "b")]

    await asyncio.sleep(40)
    assert (await one.acquire("b")).resident.key == "b"


@virtual
async def test_each_failure_doubles_it_and_a_success_ends_it() -> None:
    one = roomy([TIGHT, TIGHT])
    await refused(one)
    await asyncio.sleep(60)
    await refused(one)
    await asyncio.sleep(119)
    assert "in a row: 2" in (await refused(one)).reason
    await asyncio.sleep(1)
    await one.use("b", "works")

    await one.board.unload("lmswitch/b")
    one.host.fail_load["b"] = TIGHT
    await refused(one)
    assert "for 60 s" in (await refused(one)).reason


@virtual
async def test_others_are_not_refused_and_what_is_loaded_is_used() -> None:
    one = roomy(TIGHT)
    await refused(one)
    await one.use("a", "first")
    theirs = await one.host.load(LoadSpec(key="a", identifier="by-hand"))
    one.host.fail_load.clear()
    by_hand = await one.host.load(LoadSpec(key="b", identifier="by-hand-too"))

    assert theirs.key == "a"
    assert (await one.acquire("b")).resident == by_hand


def test_another_context_is_another_configuration() -> None:
    quarantines = Quarantines(lambda: 0.0)
    large, small = (LoadSpec(key="b", context_tokens=tokens) for tokens in (8192, 4096))
    quarantines.note_failure(large, TIGHT)
    quarantines.check(small)

    with pytest.raises(LoadFailed):
        quarantines.check(large)


# --- memory that comes back late --------------------------------------------------------------


def late(late_s: float, **options: Any) -> Desk:
    host = Late([model("a"), model("b")], memory_bytes=700 * MIB, load_step_s=1.0, **options)
    host.late_s = late_s
    return Desk(host)


@virtual
async def test_load_waits_for_the_memory_of_what_was_evicted() -> None:
    """Else the host would say that it does not fit."""
    one = late(2.0)
    await one.use("a", "first")
    began_s = now_s()
    held = await one.acquire("b", "second")

    assert one.changes() == [("load", "a"), ("unload", "lmswitch/a"), ("load", "b")]
    assert 2.0 <= held.load_s - 5.0 <= 2.2
    assert now_s() == began_s + held.load_s


@virtual
async def test_memory_later_than_expected_is_waited_for_once_more() -> None:
    one = late(8.0)
    await one.use("a", "first")
    held = await one.acquire("b", "second")

    tries = [key for method, key in one.changes() if method == "load"]
    assert tries == ["a", "b", "b"]
    assert held.evicted == ("lmswitch/a",)


@virtual
async def test_memory_that_does_not_come_back_in_time() -> None:
    one = late(1000.0)
    await one.use("a", "first")
    began_s = now_s()
    failure = await refused(one)

    assert failure.for_memory
    assert 10.0 <= now_s() - began_s < 11.0
    assert [key for method, key in one.changes() if method == "load"] == ["a", "b", "b"]


@virtual
async def test_unknown_memory_is_not_waited_for() -> None:
    """The host's own word made the first one leave; how much came back cannot be seen."""
    host = ScriptedHost(
        [model("a"), model("b")], memory_bytes=700 * MIB, load_step_s=1.0, scope="remote"
    )
    one = Desk(host)
    await one.use("a", "first")

    assert (await one.acquire("b", "second")).load_s == 5.0


@virtual
async def test_mapped_weights_are_not_waited_for() -> None:
    """They count as free all the time, so that nothing seems to come back."""
    total = Snapshot(ram_total_bytes=700 * MIB, ram_free_bytes=600 * MIB, gpus=())
    host = ScriptedHost([model("a"), model("b")], load_step_s=1.0)
    one = Desk(host, monitor=FixedMachine(total))
    await one.use("a", "first")
    held = await one.acquire("b", "second")

    assert held.evicted == ("lmswitch/a",)
    assert held.load_s == 5.0


@virtual
async def test_victim_that_had_left_already_is_not_waited_for() -> None:
    """Its memory was back before anybody looked."""
    one = late(0.0)
    await one.use("a", "first")
    state = one.host.state

    async def leave(identifier: str) -> InstanceState | None:
        found = await state(identifier)
        one.host.lose(identifier)
        return found

    one.host.state = leave  # type: ignore[method-assign]  # the very moment cannot be scripted
    held = await one.acquire("b", "second")

    assert held.load_s == 5.0
