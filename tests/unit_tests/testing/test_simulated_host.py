"""What the simulated host adds to the scripted one, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from langchain_lmswitch.errors import LoadFailed, ModelGone
from langchain_lmswitch.testing import SimulatedHost, card, run_virtually, user
from langchain_lmswitch.types.models import LoadSpec
from langchain_lmswitch.types.requests import PredictRequest

if TYPE_CHECKING:
    from langchain_lmswitch.machine.monitor import Monitor

GIB = 2**30
HELLO = PredictRequest(messages=(user("Hello"),))
CARDS = [card("small", size_bytes=3 * GIB), card("big", size_bytes=9 * GIB)]


def now_s() -> float:
    return asyncio.get_running_loop().time()


def simulated(**fields: Any) -> SimulatedHost:
    return SimulatedHost(CARDS, **{"memory_bytes": 16 * GIB, **fields})


def virtual(test: Callable[..., Awaitable[None]]) -> Callable[[], None]:
    """Run a test in virtual time."""

    async def running() -> None:
        await test()

    def outside() -> None:
        run_virtually(running())

    outside.__name__, outside.__doc__ = getattr(test, "__name__", ""), test.__doc__
    return outside


async def load(host: SimulatedHost, key: str) -> str:
    return (await host.load(LoadSpec(key=key, context_tokens=1024))).identifier


async def listen(host: SimulatedHost, identifier: str) -> None:
    async for _ in host.predict(identifier, HELLO):
        pass


@virtual
async def test_a_load_takes_time_by_size() -> None:
    host = simulated()

    await load(host, "big")

    assert now_s() == pytest.approx(1 + 9 * GIB / 1.5e9)
    assert host.load_s == pytest.approx(now_s())
    assert host.loads == 1


@virtual
async def test_a_load_takes_what_it_needs() -> None:
    """The estimate is as wrong as was asked for, and memory shows the truth."""
    host = simulated(needs={"big": 1.5, "small": 0.7})
    spec = LoadSpec(key="big", context_tokens=1024)
    estimated_bytes = (await host.estimate(spec, host.disk["big"])).total_bytes

    await load(host, "big")

    held_bytes = 16 * GIB - (host.snapshot().ram_free_bytes or 0)
    assert held_bytes == pytest.approx(1.5 * estimated_bytes)


@virtual
async def test_too_little_memory_shows_on_the_way() -> None:
    """It fits by the estimate and fails in truth: after a while, and all it took comes back."""
    host = simulated(needs={"big": 1.5}, release_s=(1.0, 1.0))
    await load(host, "small")
    begun_s, free_bytes = now_s(), host.snapshot().ram_free_bytes

    with pytest.raises(LoadFailed) as caught:
        await load(host, "big")

    assert caught.value.for_memory
    assert host.overruns == {"big": 1}
    assert now_s() > begun_s + 1
    assert host.snapshot().ram_free_bytes == 0
    await asyncio.sleep(1)
    assert host.snapshot().ram_free_bytes == free_bytes


@virtual
async def test_memory_comes_back_late() -> None:
    host = simulated(release_s=(2.0, 3.0))
    await host.unload(await load(host, "big"))

    assert await host.residents() == []
    await asyncio.sleep(1.9)
    assert (host.snapshot().ram_free_bytes or 0) < 8 * GIB
    await asyncio.sleep(1.2)
    assert host.snapshot().ram_free_bytes == 16 * GIB


@virtual
async def test_a_cancelled_load_gives_back_all() -> None:
    host = simulated(release_s=(0.5, 0.5))
    loading = asyncio.create_task(load(host, "big"))
    await asyncio.sleep(3)
    loading.cancel()
    await asyncio.wait([loading])

    assert (host.left, host.loads, host.load_s) == (1, 0, 3.0)
    await asyncio.sleep(0.5)
    assert host.snapshot().ram_free_bytes == 16 * GIB


@virtual
async def test_loads_fail_as_often_as_asked() -> None:
    host = simulated(load_failures=0.25)
    failures = 0
    for _ in range(400):
        try:
            await host.unload(await load(host, "small"))
        except LoadFailed:
            failures += 1

    assert 70 <= failures <= 130
    assert host.loads == 400 - failures
    assert host.overruns == {}
    assert host.calls == []
    assert host.counted["load"] == 400


@virtual
async def test_an_answer_takes_seconds_and_may_crash() -> None:
    host = simulated(pause_s=(0.5, 1.0))
    identifier = await load(host, "small")
    begun_s = now_s()

    await listen(host, identifier)
    assert 3 < now_s() - begun_s < 8  # six tokens and two more events

    host.crashes = 1.0
    with pytest.raises(ModelGone):
        await listen(host, identifier)
    assert await host.residents() == []


@virtual
async def test_what_must_never_happen_is_counted() -> None:
    host = simulated()
    identifier = await load(host, "small")
    answering = asyncio.create_task(listen(host, identifier))
    await load(host, "small")
    answering = asyncio.create_task(listen(host, identifier))
    await asyncio.sleep(0.1)
    await host.unload(identifier)
    with pytest.raises(ModelGone):
        await answering

    assert host.loaded_twice == ["small"]
    assert host.unloaded_while_answering == [identifier]


@virtual
async def test_bystanders_come_and_go() -> None:
    """They take no more than there is, leave room to work in, and do the same for the same seed."""
    hosts = [simulated(bystanders_s=5.0, seed=seed, release_s=(0, 0)) for seed in (3, 3, 4)]
    seen: list[list[object]] = [[], [], []]
    for _ in range(500):
        await asyncio.sleep(7)
        for host, states in zip(hosts, seen, strict=True):
            states.append((await host.residents(), host.snapshot()))
            assert (host.snapshot().ram_free_bytes or 0) >= 0.7 * 16 * GIB

    assert seen[0] == seen[1] != seen[2]
    assert min(hosts[0].bystanders.done[act] for act in ("load", "unload", "take", "give")) > 50


@virtual
async def test_bystanders_unload_what_is_ours() -> None:
    host = simulated(bystanders_s=1.0, bystanders_do=["lose"])
    await load(host, "big")
    await asyncio.sleep(60)

    assert await host.residents() == []
    assert host.bystanders.done == {"lose": 1}


def test_it_is_the_monitor_of_its_machine() -> None:
    monitor: Monitor = simulated()

    assert monitor.snapshot().ram_total_bytes == 16 * GIB
