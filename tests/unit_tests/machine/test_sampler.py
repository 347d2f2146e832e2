"""The sampler, in virtual time."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from langchain_lmswitch.machine.sampler import Sampler
from langchain_lmswitch.testing import run_virtually
from langchain_lmswitch.types.machine import Snapshot

GIB = 2**30


def free(gib: float | None) -> Snapshot:
    free_bytes = None if gib is None else int(gib * GIB)
    return Snapshot(ram_total_bytes=64 * GIB, ram_free_bytes=free_bytes, gpus=())


class Bench:
    """A machine whose memory a test sets, a sampler on it, and what it published, when."""

    def __init__(self, *, probe_s: float = 0.0, quick: bool = False) -> None:
        self.quick = quick
        self.now: Snapshot | Exception = free(32)
        self.probe_s = probe_s
        self.asked_s: list[float] = []
        self.measured_s: list[float] = []
        self.told: list[tuple[float, Snapshot]] = []
        self.sampler = Sampler(self, ask=self.ask)
        self.stop_listening = self.sampler.listen(self.hear)

    def snapshot(self) -> Snapshot:
        self.measured_s.append(asyncio.get_running_loop().time())
        if isinstance(self.now, Exception):
            raise self.now
        return self.now

    async def ask(self, measure: Callable[[], Snapshot]) -> Snapshot:
        """Take `probe_s` for it; what it tells is of the beginning."""
        self.asked_s.append(asyncio.get_running_loop().time())
        snapshot = measure()
        await asyncio.sleep(self.probe_s)
        return snapshot

    def hear(self, snapshot: Snapshot) -> None:
        self.told.append((asyncio.get_running_loop().time(), snapshot))


def in_virtual_time(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test whose clock jumps."""

    def run() -> None:
        run_virtually(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@in_virtual_time
async def test_measures_four_times_a_second() -> None:
    bench = Bench()
    bench.sampler.start()
    await asyncio.sleep(1.1)
    bench.sampler.stop()

    assert bench.asked_s == [0, 0.25, 0.5, 0.75, 1.0]


@in_virtual_time
async def test_quick_monitor_is_asked_on_the_loop_and_by_a_timer_alone() -> None:
    """No thread, no task: these cost several times what it measures."""
    bench = Bench(quick=True)
    bench.sampler.start()
    await asyncio.sleep(1.1)
    bench.now = free(20)
    bench.sampler.invalidate()
    await asyncio.sleep(0.3)
    tasks = asyncio.all_tasks()
    bench.sampler.stop()
    await asyncio.sleep(5)

    assert (bench.asked_s, len(tasks)) == ([], 1)
    assert bench.measured_s == pytest.approx([0, 0.25, 0.5, 0.75, 1.0, 1.1, 1.35])
    assert bench.told == [(0, free(32)), (1.1, free(20))]


@in_virtual_time
async def test_quick_monitor_that_raises_is_unknown_for_as_long() -> None:
    bench = Bench(quick=True)
    bench.now = ValueError("broken")
    bench.sampler.start()
    await asyncio.sleep(0.1)
    broken = bench.sampler.latest
    bench.now = free(8)
    await asyncio.sleep(0.25)
    bench.sampler.stop()

    assert (broken, bench.told) == (None, [(0.25, free(8))])


@in_virtual_time
async def test_tells_the_first_measurement_and_then_changes_only() -> None:
    bench = Bench()
    bench.sampler.start()
    await asyncio.sleep(10.1)
    bench.now = free(24)
    await asyncio.sleep(10)
    bench.sampler.stop()

    assert bench.told == [(0, free(32)), (10.25, free(24))]


@in_virtual_time
async def test_slow_drift_adds_up() -> None:
    """Each step is compared with what was told last, not with the step before."""
    bench = Bench()
    bench.sampler.start()
    for step in range(8):
        bench.now = free(32 - step * 0.1)
        await asyncio.sleep(0.25)
    bench.sampler.stop()

    assert [snapshot for _, snapshot in bench.told] == [free(32), free(31.7), free(31.4)]


@in_virtual_time
async def test_latest_is_the_last_measurement_even_if_it_was_not_told() -> None:
    bench = Bench()
    bench.sampler.start()
    await asyncio.sleep(0.1)
    bench.now = free(31.9)
    await asyncio.sleep(0.25)
    latest = bench.sampler.latest
    bench.sampler.stop()

    assert (latest, len(bench.told)) == (free(31.9), 1)


@in_virtual_time
async def test_invalidate_makes_it_look_at_once() -> None:
    bench = Bench()
    bench.sampler.start()
    await asyncio.sleep(0.1)
    bench.now = free(20)
    bench.sampler.invalidate()
    unknown = bench.sampler.latest
    await asyncio.sleep(0.01)
    latest = bench.sampler.latest
    bench.sampler.stop()

    assert bench.asked_s == [0, 0.1]
    assert bench.told == [(0, free(32)), (0.1, free(20))]
    assert (unknown, latest) == (None, free(20))


@in_virtual_time
async def test_measurement_begun_before_the_invalidation_is_thrown_away() -> None:
    """It may have been taken before the load whose end invalidated it."""
    bench = Bench(probe_s=0.2)
    bench.sampler.start()
    await asyncio.sleep(0.1)
    bench.now = free(20)
    bench.sampler.invalidate()
    await asyncio.sleep(0.4)
    bench.sampler.stop()

    assert bench.asked_s == [0, 0.2]
    assert bench.told == [(0.4, free(20))]


@in_virtual_time
async def test_measurement_that_hangs_makes_it_unknown_and_is_not_doubled() -> None:
    bench = Bench()
    bench.sampler.start()
    await asyncio.sleep(0.1)
    bench.probe_s = 100
    await asyncio.sleep(50)
    hanging = (list(bench.asked_s), bench.sampler.latest)
    bench.probe_s = 0
    bench.now = free(8)
    await asyncio.sleep(60)
    bench.sampler.stop()

    assert hanging == ([0, 0.25], None)
    assert [snapshot for _, snapshot in bench.told] == [free(32), free(8)]


@in_virtual_time
async def test_monitor_that_raises_is_unknown_for_as_long() -> None:
    bench = Bench()
    bench.sampler.start()
    await asyncio.sleep(0.1)
    bench.now = ValueError("broken")
    await asyncio.sleep(0.25)
    broken = bench.sampler.latest
    bench.now = free(8)
    await asyncio.sleep(0.25)
    bench.sampler.stop()

    assert broken is None
    assert bench.told == [(0, free(32)), (0.5, free(8))]


@in_virtual_time
async def test_stops_and_starts_again() -> None:
    """A start tells the state anew; a second start or stop does nothing."""
    bench = Bench()
    bench.sampler.start()
    bench.sampler.start()
    await asyncio.sleep(0.3)
    running = bench.sampler.is_running
    bench.sampler.stop()
    bench.sampler.stop()
    stopped = (bench.sampler.is_running, bench.sampler.latest)
    await asyncio.sleep(5)
    bench.sampler.start()
    await asyncio.sleep(0.1)
    bench.sampler.stop()

    assert (running, stopped) == (True, (False, None))
    assert bench.asked_s == pytest.approx([0, 0.25, 5.3])
    assert [snapshot for _, snapshot in bench.told] == [free(32), free(32)]


@in_virtual_time
async def test_stops_in_the_middle_of_a_measurement() -> None:
    """Nothing is told after that, and no task is left."""
    bench = Bench(probe_s=1)
    bench.sampler.start()
    await asyncio.sleep(0.5)
    bench.sampler.stop()
    await asyncio.sleep(5)
    left = asyncio.all_tasks() - {asyncio.current_task()}

    assert (bench.asked_s, bench.told, left) == ([0], [], set())


@in_virtual_time
async def test_who_stops_listening_is_told_no_more() -> None:
    bench = Bench()
    bench.sampler.start()
    await asyncio.sleep(0.1)
    bench.stop_listening()
    bench.stop_listening()
    bench.now = free(8)
    await asyncio.sleep(1)
    bench.sampler.stop()

    assert len(bench.told) == 1


def test_listener_that_fails_does_not_harm_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """What it said is not logged: it could be anything."""
    bench = Bench()

    def fail(_snapshot: Snapshot) -> None:
        raise RuntimeError("a secret")

    async def work() -> None:
        bench.sampler.listen(fail)
        bench.sampler.listen(bench.hear)
        bench.sampler.start()
        await asyncio.sleep(0.1)
        bench.sampler.stop()

    with caplog.at_level(logging.DEBUG):
        run_virtually(work())

    assert len(bench.told) == 2
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_can_be_started_on_another_loop() -> None:
    """As after `asyncio.run` has ended under it."""
    bench = Bench()

    async def leave_it_running() -> None:
        bench.sampler.start()
        await asyncio.sleep(0.3)

    async def start_again() -> bool:
        before = bench.sampler.is_running
        await leave_it_running()
        bench.sampler.invalidate()
        await asyncio.sleep(0.01)
        bench.sampler.stop()
        return before

    run_virtually(leave_it_running())

    assert run_virtually(start_again()) is False
    assert bench.asked_s == [0, 0.25, 0, 0.25, 0.3]


class Blocking:
    """A monitor that is asked in the caller's thread, and does not answer before it may."""

    quick = False

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        self.threads: list[str] = []

    def snapshot(self) -> Snapshot:
        self.threads.append(threading.current_thread().name)
        self.asked.set()
        self.may_answer.wait()
        return replace(free(32), limited_by="container")


async def test_blocking_monitor_does_not_block_the_loop() -> None:
    """The real way to ask: a thread of the loop's pool."""
    machine, told = Blocking(), asyncio.Queue[Snapshot]()
    sampler = Sampler(machine)
    sampler.listen(told.put_nowait)
    sampler.start()
    await asyncio.to_thread(machine.asked.wait)
    assert told.empty()  # and this very line runs
    machine.may_answer.set()

    assert (await told.get()).limited_by == "container"
    sampler.stop()
    assert threading.current_thread().name not in machine.threads


async def test_stop_does_not_wait_for_a_blocked_monitor() -> None:
    machine = Blocking()
    sampler = Sampler(machine)
    sampler.start()
    await asyncio.to_thread(machine.asked.wait)
    try:
        sampler.stop()
        assert not sampler.is_running
    finally:
        machine.may_answer.set()
