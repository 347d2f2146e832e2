"""The queue for loads has an end, and nobody stands in it who has left."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from unit_tests.switch.desk import MIB, Desk, model, virtual

from langchain_lmswitch.errors import LoadFailed, QueueFull
from langchain_lmswitch.switch.waiting import Queue
from langchain_lmswitch.testing import ScriptedHost


def short(limit: int, **options: Any) -> Desk:
    """Build a desk with room for one of three models, and a short queue."""
    cards = [model("a"), model("b"), model("c")]
    host = ScriptedHost(cards, memory_bytes=700 * MIB, load_step_s=1.0, **options)
    return Desk(host, queue_limit=limit)


def test_place_is_given_back_whatever_happens() -> None:
    queue = Queue(1)
    with queue.place():
        assert queue.waiting == 1
        with pytest.raises(QueueFull), queue.place():
            pass
        assert queue.waiting == 1
    assert queue.waiting == 0

    with suppress(LoadFailed), queue.place():
        raise LoadFailed("a", reason="Broken.")
    assert queue.waiting == 0


@virtual
async def test_one_too_many_is_refused_at_once() -> None:
    one = short(3)
    waiting = [asyncio.create_task(one.use(key, f"call-{key}")) for key in "abc"]
    await asyncio.sleep(1)
    with pytest.raises(QueueFull) as caught:
        await one.acquire("a", "one too many")

    assert caught.value.limit == 3
    assert caught.value.is_retryable
    assert asyncio.get_running_loop().time() == 1.0
    await asyncio.gather(*waiting)
    assert (await one.acquire("a", "later")).resident.key == "a"


@virtual
async def test_loaded_model_needs_no_place() -> None:
    one = short(1)
    await one.acquire("a", "first")
    waiting = asyncio.create_task(one.acquire("b", "second"))
    await asyncio.sleep(1)

    assert (await one.acquire("a", "third")).load_s == 0.0
    for call in ("first", "third"):
        one.board.release(call)
    await waiting


@virtual
async def test_who_may_not_pass_any_more_waits_in_the_queue_too() -> None:
    one = short(2)
    await one.acquire("a", "first")
    waiting = asyncio.create_task(one.acquire("b", "other"))
    await asyncio.sleep(1)
    for number in range(8):
        await one.acquire("a", f"call-{number}")
    ninth = asyncio.create_task(one.acquire("a", "ninth"))
    await asyncio.sleep(1)

    with pytest.raises(QueueFull):
        await one.acquire("a", "tenth")
    for task in (waiting, ninth):
        task.cancel()
    await asyncio.wait({waiting, ninth})


@virtual
async def test_who_leaves_makes_place_and_nothing_is_loaded_for_it() -> None:
    one = short(2)
    first = asyncio.create_task(one.use("a", "first"))
    second = asyncio.create_task(one.use("b", "second"))
    await asyncio.sleep(1)
    second.cancel()
    await asyncio.wait({second})
    third = asyncio.create_task(one.use("c", "third"))
    await asyncio.gather(first, third)

    assert one.changes() == [("load", "a"), ("unload", "lmswitch/a"), ("load", "c")]
    assert one.board.waiting == 0


@virtual
async def test_who_fails_makes_place() -> None:
    one = short(1, fail_load={"a": LoadFailed("a", reason="Broken.")})
    for number in range(3):
        with pytest.raises(LoadFailed):
            await one.acquire("a", f"call-{number}")

    assert one.board.waiting == 0
