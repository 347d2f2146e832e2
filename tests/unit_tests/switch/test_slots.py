"""A host is sent no more than it can begin; the others wait in line, in their order."""

import asyncio

from unit_tests.switch.desk import Desk, model, virtual

from langchain_lmswitch.switch.slots import AHEAD
from langchain_lmswitch.testing import ScriptedHost
from langchain_lmswitch.types.events import Queued
from langchain_lmswitch.types.models import Resident


def small(**options: object) -> Desk:
    host = ScriptedHost([model("a"), model("b")], memory_bytes=700 * 2**20, load_step_s=1.0)
    return Desk(host, **options)


@virtual
async def test_as_many_as_it_answers_and_one_ahead() -> None:
    one = small(parallel=2)
    await one.use("a", "first")
    most = now = 0

    async def ask(number: int) -> None:
        nonlocal most, now
        await one.acquire("a", f"call-{number}")
        now += 1
        most = max(most, now)
        await asyncio.sleep(1.0)
        now -= 1
        one.board.release(f"call-{number}")

    await asyncio.gather(*(ask(number) for number in range(20)))
    assert most == 2 + AHEAD


@virtual
async def test_in_the_order_in_which_they_came() -> None:
    one = small(parallel=1)
    await one.use("a", "first")
    order: list[int] = []

    async def ask(number: int) -> None:
        await asyncio.sleep(number / 100)
        await one.use("a", f"call-{number}")
        order.append(number)

    await asyncio.gather(*(ask(number) for number in range(12)))
    assert order == list(range(12))


@virtual
async def test_who_stands_in_line_is_told_how_long_it_is() -> None:
    one = small(parallel=1)
    await one.use("a", "first")
    await asyncio.gather(*(one.use("a", f"call-{number}") for number in range(4)))
    told = [event.reason for event in one.heard["call-3"] if isinstance(event, Queued)]
    assert told == ["it is answering, and 1 more are to be answered first"]
    assert not any(isinstance(event, Queued) for event in one.heard["call-1"])


@virtual
async def test_who_leaves_the_line_gives_the_place_to_the_next() -> None:
    one = small(parallel=1)
    await one.use("a", "first")

    async def ask(number: int) -> None:
        try:
            await one.use("a", f"call-{number}")
        finally:
            one.board.release(f"call-{number}")

    asking = [asyncio.create_task(ask(number)) for number in range(6)]
    await asyncio.sleep(0.5)
    for number in (2, 4):
        asking[number].cancel()
    await asyncio.sleep(0.6)
    asking[3].cancel()  # it was promised a slot a moment ago
    await asyncio.gather(*asking, return_exceptions=True)
    assert one.leased() == []
    assert not asking[5].cancelled()
    held = await one.use("a", "last")
    assert held.queued_s == 0.0


@virtual
async def test_more_than_may_wait_for_a_load_may_stand_in_line() -> None:
    """It is loaded: nobody is refused because many ask at once."""
    one = small(parallel=1, queue_limit=2)
    await one.use("a", "first")
    await asyncio.gather(*(one.use("a", f"call-{number}") for number in range(30)))


@virtual
async def test_those_in_line_are_not_refused_when_their_model_has_to_leave() -> None:
    one = small(parallel=1, queue_limit=2)
    await one.use("a", "first")
    calls = [one.use("a", f"call-{number}") for number in range(30)]
    answered = await asyncio.gather(*calls, one.use("b", "other"))
    assert len(answered) == 31
    assert max(one.passes.counts) <= 8
    assert [key for method, key in one.changes() if method == "load"] == ["a", "b", "a"]


@virtual
async def test_the_line_moves_on_when_the_model_vanishes() -> None:
    one = small(parallel=1)
    await one.use("a", "first")
    calls = [asyncio.create_task(one.use("a", f"call-{n}", for_s=3.0)) for n in range(5)]
    await asyncio.sleep(0.5)
    one.host.lose("lmswitch/a")
    await asyncio.gather(*calls)
    assert [key for method, key in one.changes() if method == "load"] == ["a", "a"]


@virtual
async def test_who_holds_a_model_takes_no_slot() -> None:
    one = small(parallel=1)
    for number in range(5):
        await one.board.acquire(
            one.host.disk["a"],
            call=f"hold-{number}",
            needed_tokens=0,
            on_event=lambda _: None,
            hold=True,
        )
    held = await one.use("a", "call")
    assert held.queued_s == 0.0


@virtual
async def test_what_somebody_else_loaded_has_as_many_as_they_like() -> None:
    theirs = Resident(key="a", identifier="a", size_bytes=100, context_tokens=1024)
    host = ScriptedHost([model("a")], foreign=[theirs])
    one = Desk(host, parallel=1)
    held = await asyncio.gather(*(one.use("a", f"call-{number}") for number in range(9)))
    assert {one.queued_s for one in held} == {0.0}
