"""Requests for a loaded model go first, but not for ever."""

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit_tests.switch.desk import MIB, Desk, desk, model, virtual

from langchain_lmswitch.errors import LoadFailed, NotEnoughMemory
from langchain_lmswitch.switch.turns import MOST_PASSES, Turns
from langchain_lmswitch.testing import ScriptedHost, run_virtually
from langchain_lmswitch.types.events import Loaded, Queued

# --- the rules by themselves ------------------------------------------------------------------


def passes(turns: Turns, identifier: str, times: int) -> None:
    for _ in range(times):
        turns.note_lease(identifier)


async def test_nothing_is_closed_without_a_turn() -> None:
    turns = Turns()
    passes(turns, "a", 100)

    assert not turns.closed("a")
    assert not turns.taken


async def test_claimed_model_is_closed_after_the_last_pass_until_the_turn_is_over() -> None:
    turns = Turns()
    async with turns.next() as turn:
        passes(turns, "a", 100)  # before it was claimed: nobody was made to wait by these
        turn.claim({"a"})
        passes(turns, "a", MOST_PASSES - 1)
        passes(turns, "b", 100)
        assert not turns.closed("a")

        passes(turns, "a", 1)
        assert turns.closed("a")
        assert not turns.closed("b")
    assert not turns.closed("a")


async def test_other_victim_is_closed_too_and_the_first_stays_so() -> None:
    """The best victim may be now one, now the other; both together may pass eight times."""
    turns = Turns()
    async with turns.next() as turn:
        turn.claim({"a"})
        passes(turns, "a", 4)
        turn.claim({"b"})
        passes(turns, "b", 2)
        passes(turns, "a", 2)

        assert turns.closed("a")
        assert turns.closed("b")


async def test_next_turn_counts_anew() -> None:
    turns = Turns()
    async with turns.next() as turn:
        turn.claim({"a"})
        passes(turns, "a", MOST_PASSES)
    async with turns.next() as turn:
        turn.claim({"a"})

        assert not turns.closed("a")


async def test_over_waits_for_the_turn_under_way_and_no_other() -> None:
    turns, may_end = Turns(), asyncio.Event()

    async def have() -> None:
        async with turns.next():
            await may_end.wait()
            may_end.clear()

    having = [asyncio.create_task(have()) for _ in range(2)]
    await asyncio.sleep(0)
    waiting = asyncio.create_task(turns.over())
    await asyncio.sleep(0)
    assert not waiting.done()

    may_end.set()
    await asyncio.wait({waiting})
    assert not having[1].done()
    await asyncio.sleep(0)
    may_end.set()
    await asyncio.gather(*having)
    await turns.over()


# --- on a switchboard -------------------------------------------------------------------------


async def stream(
    one: Desk, key: str, count: int, *, every_s: float, for_s: float, name: str = "call"
) -> None:
    """Use a model without a break: each starts before the one before it ends."""
    calls = []
    for number in range(count):
        calls.append(asyncio.create_task(one.use(key, f"{name}-{number}", for_s=for_s)))
        await asyncio.sleep(every_s)
    await asyncio.gather(*calls)


@virtual
async def test_model_that_is_never_idle_makes_room_after_eight_more_requests() -> None:
    one = desk(model("a"), model("b"))
    await one.use("a", "first")
    busy = asyncio.create_task(stream(one, "a", 30, every_s=1.0, for_s=10.0))
    await asyncio.sleep(5.5)
    held = await one.use("b", "other")
    await busy

    assert held.evicted == ("lmswitch/a",)
    assert one.passes.counts == [MOST_PASSES, 0]  # to b, and back to a
    assert one.changes() == [
        ("load", "a"),
        ("unload", "lmswitch/a"),
        ("load", "b"),
        ("unload", "lmswitch/b"),
        ("load", "a"),
    ]
    assert one.host.unloaded_while_answering == []


async def busy() -> Desk:
    """Let `a` answer for a minute, and `b` be loaded and idle, with no room for another."""
    one = desk(model("a"), model("b"), model("c"), memory_mib=1100)
    for _ in range(3):
        await one.use("a", "before")
        await one.use("b", "before")
    await one.acquire("a", "long")
    return one


def started_s(one: Desk, call: str) -> float:
    """Say how long a call waited before its load began."""
    [loaded] = [event for event in one.heard[call] if isinstance(event, Loaded)]
    return asyncio.get_running_loop().time() - loaded.load_s


@virtual
async def test_model_that_is_wanted_again_soon_is_not_taken_away_at_once() -> None:
    """The load stands back for half as long again as it takes, five seconds, and is passed."""
    one = await busy()
    begun_s = asyncio.get_running_loop().time()
    waiting = asyncio.create_task(one.acquire("c", "waits"))
    await asyncio.sleep(1)
    held = await one.use("b", "passes", for_s=0.5)
    await waiting

    assert held.queued_s == 0.0
    assert Queued(key="c", reason="models in use go first") in one.heard["waits"]
    assert 1.5 < started_s(one, "waits") - begun_s <= 8.5
    assert one.passes.counts[-1] == 1


@virtual
async def test_nobody_stands_back_for_a_model_that_nobody_wants() -> None:
    one = await busy()
    for number in range(300):
        one.board.surveyor.demand.note("xyz"[number % 3])
    begun_s = asyncio.get_running_loop().time()
    await one.acquire("c", "waits")

    assert started_s(one, "waits") == begun_s


@virtual
async def test_nobody_stands_back_while_nobody_else_is_answered() -> None:
    one = await busy()
    one.board.release("long")
    begun_s = asyncio.get_running_loop().time()
    await one.acquire("c", "waits")

    assert started_s(one, "waits") == begun_s


@virtual
async def test_who_may_not_pass_is_told_and_its_wait_is_counted() -> None:
    one = desk(model("a"), model("b"))
    await one.use("a", "first")
    busy = asyncio.create_task(stream(one, "a", 9, every_s=0.0, for_s=10.0))
    await asyncio.sleep(0.5)
    late = asyncio.create_task(one.use("b", "other"))
    await asyncio.sleep(0.5)
    busier = asyncio.create_task(stream(one, "a", 8, every_s=0.0, for_s=10.0, name="more"))
    await asyncio.sleep(0.5)
    held = await one.use("a", "last")
    await asyncio.gather(busy, late, busier)

    assert Queued(key="a", reason="another model takes its place first") in one.heard["last"]
    # From 1.5 s after the start until b is loaded, ten seconds later, and has answered.
    assert held.queued_s == 9.5 + 5.0 + 1.0
    assert held.load_s == 5.0


@virtual
async def test_models_that_need_not_leave_stay_open() -> None:
    one = desk(model("a"), model("b", 600), model("c", 100), memory_mib=900)
    await one.use("c", "first")
    await one.acquire("a", "long")
    loading = asyncio.create_task(one.acquire("b", "other"))
    await asyncio.sleep(1)
    for number in range(3 * MOST_PASSES):
        held = await one.use("c", f"c{number}", for_s=0.1)
        assert held.queued_s == 0.0
    one.board.release("long")

    assert (await loading).evicted == ("lmswitch/a",)


@virtual
async def test_instance_seen_a_moment_ago_is_closed_too() -> None:
    """The way past `acquire`, for what a choice has just seen in memory."""
    one = desk(model("a"), model("b"))
    seen = (await one.acquire("a", "long")).resident
    loading = asyncio.create_task(one.acquire("b", "other"))
    await asyncio.sleep(1)

    leased = [one.board.lease(seen, f"call-{number}") for number in range(MOST_PASSES + 2)]
    assert leased == [True] * MOST_PASSES + [False] * 2
    assert one.board.lease(seen, "long"), "whoever has it keeps it"

    for call in ["long", *(f"call-{number}" for number in range(MOST_PASSES))]:
        one.board.release(call)
    assert (await loading).evicted == ("lmswitch/a",)


@virtual
async def test_load_that_is_given_up_opens_the_model_again() -> None:
    """A lease that never ends does not shut out for ever those who want the same model."""
    one = desk(model("a"), model("b"))
    await one.acquire("a", "for ever")
    loading = asyncio.create_task(one.acquire("b", "other"))
    await asyncio.sleep(1)
    await stream(one, "a", MOST_PASSES, every_s=0.0, for_s=1.0)
    held = await one.acquire("a", "last")

    with pytest.raises(NotEnoughMemory):
        await loading
    assert held.load_s == 0.0
    assert one.changes() == [("load", "a")]


@virtual
async def test_cancelled_load_opens_the_model_again() -> None:
    one = desk(model("a"), model("b"))
    await one.acquire("a", "long")
    loading = asyncio.create_task(one.acquire("b", "other"))
    await asyncio.sleep(1)
    await stream(one, "a", MOST_PASSES, every_s=0.0, for_s=1.0)
    waiting = asyncio.create_task(one.acquire("a", "last"))
    await asyncio.sleep(1)
    assert not waiting.done()
    loading.cancel()
    await asyncio.wait({loading})

    assert (await waiting).load_s == 0.0
    assert one.board.waiting == 0


@virtual
async def test_what_would_not_help_is_not_waited_for() -> None:
    """The answer under way ends some time, but even then it would not fit."""
    one = desk(model("a"), model("huge", 5000))
    await one.acquire("a", "long")
    with pytest.raises(NotEnoughMemory):
        await one.acquire("huge")

    assert asyncio.get_running_loop().time() < 6.0


@virtual
async def test_requests_are_served_model_by_model() -> None:
    """A B C A B C costs three loads, not six."""
    one = desk(model("a"), model("b"), model("c"))
    await asyncio.gather(*(one.use(key, f"{key}{n}") for n in range(4) for key in "abc"))

    loads = [key for method, key in one.changes() if method == "load"]
    assert loads == ["a", "b", "c"]


@virtual
async def test_who_waits_for_its_turn_is_told() -> None:
    one = desk(model("a"), model("b"))
    await asyncio.gather(one.use("a", "first"), one.use("b", "second"))

    assert one.heard["second"][0] == Queued(key="b", reason="another model is being loaded")


class Reluctant(ScriptedHost):
    """A host that takes its time to unload."""

    async def unload(self, identifier: str) -> None:
        await asyncio.sleep(60)
        await super().unload(identifier)


@pytest.mark.parametrize("memory_mib", [700, 2000])
def test_who_wants_what_is_leaving_does_not_ask_the_host_all_the_time(memory_mib: int) -> None:
    """It leaves because the plan says so, or because a load has failed for memory."""

    async def scenario() -> None:
        host = Reluctant([model("a"), model("b")], memory_bytes=memory_mib * MIB)
        one = Desk(host)
        await one.use("a", "first")
        if memory_mib > 1000:
            host.fail_load["b"] = [LoadFailed("b", reason="Tight.", for_memory=True)]
        loading = asyncio.create_task(one.use("b", "other"))
        await asyncio.sleep(1)
        waiting = asyncio.create_task(one.use("a", "last"))
        await asyncio.sleep(1)
        before = len(host.called("residents"))
        await asyncio.sleep(50)

        assert len(host.called("residents")) == before
        assert isinstance(one.heard["last"][0], Queued)
        await asyncio.gather(loading, waiting)

    run_virtually(scenario())


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_no_stream_of_requests_starves_a_load(seed: int) -> None:
    """However dense: no load is passed more than eight times, and everybody is answered."""

    async def scenario() -> None:
        dice = random.Random(seed)  # noqa: S311
        one = desk(model("a"), model("b"), model("c", 200), memory_mib=750)
        await one.use("a", "first")
        every_s, for_s = dice.uniform(0.05, 1.0), dice.uniform(1.0, 20.0)
        busy = asyncio.create_task(stream(one, "a", 60, every_s=every_s, for_s=for_s))
        await asyncio.sleep(dice.uniform(0.0, 20.0))
        others = [one.use(dice.choice("bc"), f"other{n}", for_s=for_s) for n in range(4)]
        await asyncio.gather(busy, *others)

        assert max(one.passes.counts, default=0) <= MOST_PASSES
        assert one.leased() == []
        assert one.board.waiting == 0

    run_virtually(scenario())
