"""A load ahead of need: only while nobody wants anything else, and at nobody's cost."""

import asyncio

from unit_tests.switch.desk import Desk, desk, model, virtual

from langchain_lmswitch.errors import LoadFailed
from langchain_lmswitch.switch.leases import LATELY_USED_S


def ahead(one: Desk, key: str) -> bool:
    return one.board.prefetch(one.host.disk[key])


@virtual
async def test_it_is_loaded_when_the_request_comes() -> None:
    one = desk(model("a"))
    assert ahead(one, "a")
    await asyncio.sleep(6.0)
    held = await one.use("a", "call")
    assert held.load_s == held.queued_s == 0.0
    assert one.leased() == []


@virtual
async def test_a_request_for_it_joins_the_load() -> None:
    one = desk(model("a"))
    ahead(one, "a")
    await asyncio.sleep(2.0)
    asking = asyncio.create_task(one.use("a", "call"))
    await asyncio.sleep(2.0)
    assert not asking.done()
    await asking
    assert [call.spec.key for call in one.host.called("load") if call.spec] == ["a"]
    assert one.host.cancelled == []


@virtual
async def test_a_request_for_another_model_ends_it_at_once() -> None:
    one = desk(model("a"), model("b"))
    ahead(one, "a")
    await asyncio.sleep(2.0)
    held = await one.use("b", "call")
    assert held.queued_s == 0.0
    assert len(one.host.cancelled) == 1
    assert await one.resident() == ["b"]


@virtual
async def test_an_answer_of_another_model_ends_it_too() -> None:
    one = desk(model("a", 100), model("b", 100))
    held = await one.use("b", "first")
    await asyncio.sleep(LATELY_USED_S)
    ahead(one, "a")
    await asyncio.sleep(1.0)
    assert one.board.lease(held.resident, "call")
    await asyncio.sleep(0.0)
    await asyncio.sleep(10.0)
    assert await one.resident() == ["b"]


@virtual
async def test_not_while_anybody_answers_or_waits() -> None:
    one = desk(model("a", 100), model("b", 100), model("c", 100))
    answering = asyncio.create_task(one.use("b", "call", for_s=20.0))
    await asyncio.sleep(1.0)
    assert not ahead(one, "a")
    await asyncio.sleep(10.0)
    assert not ahead(one, "a")
    await answering
    assert ahead(one, "a")
    assert ahead(one, "a")
    assert not ahead(one, "c")


@virtual
async def test_nobody_leaves_who_was_used_a_moment_ago() -> None:
    one = desk(model("a"), model("b"))
    await one.use("b", "first")
    assert ahead(one, "a")
    await asyncio.sleep(10.0)
    assert await one.resident() == ["b"]
    await asyncio.sleep(LATELY_USED_S)
    assert ahead(one, "a")
    await asyncio.sleep(10.0)
    assert await one.resident() == ["a"]


@virtual
async def test_what_somebody_holds_stays() -> None:
    one = desk(model("a"), model("b"))
    await one.board.acquire(
        one.host.disk["b"], call="held", needed_tokens=0, on_event=lambda _: None, hold=True
    )
    await asyncio.sleep(100.0)
    ahead(one, "a")
    await asyncio.sleep(10.0)
    assert await one.resident() == ["b"]


@virtual
async def test_a_failure_is_nobodys_affair() -> None:
    one = desk(model("a"), fail_load={"a": [LoadFailed("a", reason="Once.")]})
    assert ahead(one, "a")
    await asyncio.sleep(6.0)
    assert (await one.use("a", "call")).load_s == 5.0
