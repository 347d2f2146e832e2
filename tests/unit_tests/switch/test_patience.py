"""Nobody waits for ever: a request whose turn does not come fails, and leaves nothing behind."""

import asyncio

import pytest
from unit_tests.switch.desk import Desk, model, virtual

from langchain_lmswitch.errors import HostTimeout
from langchain_lmswitch.testing import ScriptedHost


def one_slot(**options: object) -> Desk:
    host = ScriptedHost(
        [model("a"), model("b")],
        memory_bytes=700 * 2**20,
        load_step_s=options.pop("step_s", 1.0),  # type: ignore[arg-type]
    )
    return Desk(host, parallel=1, queue_timeout_s=20.0, **options)


@virtual
async def test_who_stands_in_line_for_too_long_is_told() -> None:
    one = one_slot()
    await asyncio.gather(*(one.acquire("a", f"call-{number}") for number in range(2)))
    started_s = asyncio.get_running_loop().time()
    with pytest.raises(HostTimeout, match="'a' waited for its turn") as late:
        await one.acquire("a", "late")
    assert late.value.after_s == 20.0
    assert asyncio.get_running_loop().time() - started_s == 20.0
    one.board.release("call-0")
    assert (await one.use("a", "next")).queued_s == 0.0


@virtual
async def test_who_waits_for_another_models_answer_is_told() -> None:
    one = one_slot()
    await one.acquire("a", "endless")
    with pytest.raises(HostTimeout):
        await one.acquire("b", "late")
    assert one.board.waiting == 0
    one.board.release("endless")
    await one.use("b", "next")


@virtual
async def test_a_long_load_is_waited_for_as_long_as_it_goes_on() -> None:
    one = one_slot(step_s=15.0)
    held = await one.use("a", "call")
    assert held.load_s == 75.0
