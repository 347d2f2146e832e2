"""Chat models and embedding models do not take each other's memory."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from langchain_lmswitch.errors import NotEnoughMemory
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Held, Switchboard
from langchain_lmswitch.testing import ScriptedHost, card, run_virtually
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident
from langchain_lmswitch.types.plans import Load, Refusal

MIB = 2**20
KV_MIB = 32
"""Of a scripted model with a context of 1,024 tokens."""


def chat(key: str, mib: int = 500) -> ModelCard:
    return card(key, size_bytes=(mib - KV_MIB) * MIB, max_context_tokens=1024)


def helper(key: str, mib: int = 300) -> ModelCard:
    size_bytes = (mib - KV_MIB) * MIB
    return card(key, kind="embedding", size_bytes=size_bytes, max_context_tokens=1024)


class Desk:
    """A host of 700 MiB, its board, and calls on it."""

    def __init__(self, *cards: ModelCard, host: ScriptedHost | None = None, **options: Any) -> None:
        self.host = host or ScriptedHost(cards, memory_bytes=700 * MIB, load_step_s=1.0)
        settings = Settings(headroom_bytes=0, **options)
        clock = asyncio.get_running_loop().time
        self.board = Switchboard(self.host, self.host, settings, clock=clock)

    async def acquire(self, key: str, call: str = "call") -> Held:
        found = self.host.disk[key]
        return await self.board.acquire(found, call=call, needed_tokens=10, on_event=lambda _: None)

    async def use(self, key: str) -> Held:
        held = await self.acquire(key, key)
        self.board.release(key)
        return held

    async def resident(self) -> list[str]:
        return [one.key for one in await self.host.residents()]

    async def patient(self, key: str) -> object:
        """Plan as the choice of a model does: what is answering now will be done some time."""
        surveyor, found = self.board.surveyor, self.host.disk[key]
        footprint, survey = await surveyor.footprint(found), await surveyor.survey()
        spec = surveyor.spec(found)
        return surveyor.plan(spec, footprint, survey, needed_tokens=10, patient=True)


def virtual(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Run a test in virtual time."""

    async def running() -> None:
        await test()

    def outside() -> None:
        run_virtually(running())

    outside.__name__, outside.__doc__ = getattr(test, "__name__", ""), test.__doc__
    return outside


@virtual
async def test_chat_model_does_not_evict_a_helper() -> None:
    """It is refused at once, with the numbers, and names who stands in the way."""
    one = Desk(helper("h"), chat("a"))
    await one.use("h")
    began_s = asyncio.get_running_loop().time()
    with pytest.raises(NotEnoughMemory) as caught:
        await one.use("a")

    assert (caught.value.needed_bytes, caught.value.free_bytes) == (500 * MIB, 400 * MIB)
    assert caught.value.blockers == ("lmswitch/h",)
    assert asyncio.get_running_loop().time() == began_s
    assert await one.resident() == ["h"]


@virtual
async def test_helper_does_not_evict_a_chat_model() -> None:
    one = Desk(helper("h"), chat("a"))
    await one.use("a")
    with pytest.raises(NotEnoughMemory) as caught:
        await one.use("h")

    assert (caught.value.needed_bytes, caught.value.free_bytes) == (300 * MIB, 200 * MIB)
    assert caught.value.blockers == ("lmswitch/a",)
    assert await one.resident() == ["a"]


@virtual
async def test_chat_models_change_beside_a_helper() -> None:
    """The helper is the cheaper victim by far; the chat model leaves."""
    one = Desk(helper("h", 200), chat("a"), chat("b"))
    await one.use("h")
    await one.use("a")

    assert (await one.use("b")).evicted == ("lmswitch/a",)
    assert await one.resident() == ["h", "b"]


@virtual
async def test_helpers_change_beside_a_chat_model() -> None:
    one = Desk(helper("h", 200), helper("i", 200), chat("a"))
    await one.use("a")
    await one.use("h")

    assert (await one.use("i")).evicted == ("lmswitch/h",)
    assert await one.resident() == ["a", "i"]


@pytest.mark.parametrize(("first", "second"), [("h", "a"), ("a", "h")])
def test_where_it_is_allowed_each_makes_room_for_the_other(first: str, second: str) -> None:
    async def scenario() -> None:
        one = Desk(helper("h"), chat("a"), evict_helpers=True)
        await one.use(first)

        assert (await one.use(second)).evicted == (f"lmswitch/{first}",)

    run_virtually(scenario())


@pytest.mark.parametrize(("first", "second"), [("h", "a"), ("a", "h")])
def test_waiting_for_an_answer_of_the_other_kind_is_in_vain(first: str, second: str) -> None:
    """So a choice that may wait for answers does not count on it."""

    async def scenario() -> None:
        one = Desk(helper("h"), chat("a"))
        await one.acquire(first)

        assert isinstance(await one.patient(second), Refusal)

    run_virtually(scenario())


@virtual
async def test_waiting_for_an_answer_of_the_same_kind_is_not() -> None:
    one = Desk(chat("a"), chat("b"))
    await one.acquire("a")
    plan = await one.patient("b")

    assert isinstance(plan, Load)
    assert [resident.key for resident in plan.evict] == ["a"]


@virtual
async def test_helper_on_its_way_stays_too() -> None:
    """Its load holds memory that no chat model may count on."""
    one = Desk(helper("h"), chat("a"))
    loading = asyncio.create_task(one.use("h"))
    await asyncio.sleep(2.5)

    assert isinstance(await one.patient("a"), Refusal)
    assert isinstance(await one.patient("h"), Load)
    await loading


@virtual
async def test_helper_of_somebody_else_stays_even_if_foreign_models_may_leave() -> None:
    theirs = Resident(
        key="h", identifier="theirs", kind="embedding", size_bytes=300 * MIB, context_tokens=0
    )
    host = ScriptedHost([helper("h"), chat("a")], memory_bytes=700 * MIB, foreign=[theirs])
    one = Desk(host=host, evict_foreign=True)
    with pytest.raises(NotEnoughMemory):
        await one.use("a")

    assert await one.resident() == ["h"]


@virtual
async def test_host_that_says_no_evicts_only_its_kind() -> None:
    """Where memory cannot be measured, the host's word is what makes models leave."""
    cards = [helper("h", 200), chat("a"), chat("b")]
    one = Desk(host=ScriptedHost(cards, memory_bytes=700 * MIB, scope="remote"))
    await one.use("h")
    await one.use("a")

    assert (await one.use("b")).evicted == ("lmswitch/a",)
    assert await one.resident() == ["h", "b"]


@virtual
async def test_helper_that_outgrew_its_context_makes_room_for_itself() -> None:
    one = Desk(helper("h"), chat("a"))
    spec = LoadSpec(key="h", kind="embedding", context_tokens=4, identifier="lmswitch/h")
    await one.host.load(spec)

    assert (await one.use("h")).evicted == ("lmswitch/h",)
