"""Waiting for memory: until it is back, or enough for the load, or long enough."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from unit_tests.switch.desk import virtual

from langchain_lmswitch.switch.release import LONGEST_S, REST_S, Release, free_bytes, holds
from langchain_lmswitch.types.machine import UNKNOWN_MACHINE, Footprint, Gpu, Snapshot

GIB = 2**30


def machine(ram_gib: float | None, *vram_gib: float | None) -> Snapshot:
    gpus = tuple(
        Gpu(name="gpu", total_bytes=24 * GIB, free_bytes=None if one is None else int(one * GIB))
        for one in vram_gib
    )
    free = None if ram_gib is None else int(ram_gib * GIB)
    return Snapshot(ram_total_bytes=64 * GIB, ram_free_bytes=free, gpus=gpus)


def need(gib: float, vram_gib: float = 0.0) -> Footprint:
    return Footprint(
        weights_bytes=int(gib * GIB), kv_bytes=0, vram_bytes=int(vram_gib * GIB), source="host"
    )


async def waited_s(
    before: Snapshot, at: Callable[[float], Snapshot], *, expected_gib: float
) -> float:
    """Wait on a machine whose memory changes with time, and say how long it took."""
    now_s = asyncio.get_running_loop().time
    began_s, looks = now_s(), iter([before])
    release = Release(lambda: next(looks, None) or at(now_s() - began_s), now_s)
    release.expected_bytes = int(expected_gib * GIB)
    await release.wait()
    return now_s() - began_s


@virtual
async def test_three_quarters_suffice_once_no_more_comes() -> None:
    def at(s: float) -> Snapshot:
        return machine(10 + min(3.2, 2 * s))

    took_s = await waited_s(machine(10), at, expected_gib=4)
    assert 1.6 + REST_S <= took_s <= 1.6 + REST_S + 0.5


@virtual
async def test_small_rest_is_waited_for() -> None:
    """Two models left, and the large one's memory is back before the small one's."""

    def at(s: float) -> Snapshot:
        return machine(10 + (9 if s >= 0.5 else 0) + (2 if s >= 1.5 else 0))

    assert 1.5 <= await waited_s(machine(10), at, expected_gib=11) <= 1.8


@virtual
async def test_memory_that_is_back_at_once_costs_nothing() -> None:
    assert await waited_s(machine(10), lambda _: machine(14), expected_gib=4) == 0.0


@virtual
async def test_nothing_unloaded_is_nothing_to_wait_for() -> None:
    assert await waited_s(machine(10), lambda _: machine(10), expected_gib=0) == 0.0


@virtual
async def test_memory_that_never_comes_back_is_given_up() -> None:
    took_s = await waited_s(machine(10), lambda _: machine(10), expected_gib=4)

    assert LONGEST_S <= took_s < LONGEST_S + 0.5


@virtual
async def test_accelerator_memory_counts() -> None:
    def at(s: float) -> Snapshot:
        return machine(10, 2 if s < 1 else 22)

    assert 1.0 <= await waited_s(machine(10, 2), at, expected_gib=20) < 1.5


@pytest.mark.parametrize("unknown", [machine(None), machine(10, None), UNKNOWN_MACHINE])
def test_unknown_memory_is_not_waited_for(unknown: Snapshot) -> None:
    @virtual
    async def scenario() -> None:
        assert await waited_s(unknown, lambda _: unknown, expected_gib=4) == 0.0
        assert await waited_s(machine(10), lambda _: unknown, expected_gib=4) == 0.0

    scenario()


@virtual
async def test_enough_is_enough() -> None:
    """Weights mapped from a file count as free all the time: what is free never rises."""
    now_s = asyncio.get_running_loop().time
    release = Release(lambda: machine(10), now_s)
    release.expected_bytes = 4 * GIB
    await release.wait(enough=lambda now: (now.ram_free_bytes or 0) > 9 * GIB)

    assert now_s() == 0.0


UNIFIED = replace(
    machine(10), gpus=(Gpu(name="M4", total_bytes=48 * GIB, free_bytes=8 * GIB, unified=True),)
)
"""An accelerator that works in main memory: what is free there is free once."""


@pytest.mark.parametrize(
    ("snapshot", "free"),
    [
        (machine(10), 10 * GIB),
        (machine(10, 2, 3), 15 * GIB),
        (machine(10, 2, None), None),
        (machine(None, 2), None),
        (UNKNOWN_MACHINE, None),
        (UNIFIED, 10 * GIB),
    ],
)
def test_free_memory_is_all_of_it_or_unknown(snapshot: Snapshot, free: int | None) -> None:
    assert free_bytes(snapshot) == free


@pytest.mark.parametrize(
    ("snapshot", "footprint", "fits"),
    [
        (machine(10), need(9), True),
        (machine(10), need(9.5), False),  # with a headroom of 1 GiB
        (machine(10), None, False),
        (machine(None), need(1), False),
        (machine(10, 8), need(9, 8), True),
        (machine(50, 2), need(9, 8), False),  # much is free, but not there
        (machine(50, 20), need(9), True),  # where it will lie is unknown, and there is room in both
        (machine(50, 8), need(9), False),
        (machine(9, 20), need(9), False),
        (machine(50, None), need(9, 1), False),
        (UNIFIED, need(9, 9), True),
        (UNIFIED, need(9.5, 1), False),
    ],
)
def test_holds(
    snapshot: Snapshot,
    footprint: Footprint | None,
    fits: bool,  # noqa: FBT001
) -> None:
    assert holds(snapshot, footprint, headroom_bytes=GIB) is fits
