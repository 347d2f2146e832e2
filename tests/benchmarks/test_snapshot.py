"""What a snapshot of this machine takes, and what watching it takes of a processor."""

import asyncio
import statistics
import time
from collections.abc import Callable

import psutil
import pytest

from langchain_lmswitch.machine.accelerators import Accelerators
from langchain_lmswitch.machine.memory import MemoryReader
from langchain_lmswitch.machine.monitor import SystemMonitor
from langchain_lmswitch.machine.sampler import PERIOD_S, Sampler
from langchain_lmswitch.machine.swap import SwapReader
from langchain_lmswitch.types.machine import Snapshot

pytestmark = pytest.mark.alone

ROUNDS = 2_000
RESTED_ROUNDS = 40
REST_S = 0.05
WATCHED_S = 10.0


def percentiles(measure: Callable[[], object], *, rounds: int = ROUNDS, rest_s: float = 0.0) -> str:
    measure()
    taken_s = []
    for _ in range(rounds):
        if rest_s:
            time.sleep(rest_s)
        started_s = time.perf_counter()
        measure()
        taken_s.append(time.perf_counter() - started_s)
    p99_s = statistics.quantiles(taken_s, n=100)[98]
    return f"median {statistics.median(taken_s) * 1e6:.0f} us, p99 {p99_s * 1e6:.0f} us"


def test_snapshot(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole, and its parts."""
    monitor, memory, accelerators = SystemMonitor(), MemoryReader(), Accelerators()
    told = monitor.snapshot()
    now = memory.read()
    rested = percentiles(monitor.snapshot, rounds=RESTED_ROUNDS, rest_s=REST_S)
    lines = [
        f"snapshot ({_gpus(told)}): {percentiles(monitor.snapshot)} (bar: p99 1000 us)",
        f"  after a rest, caches cold: {rested}",
        f"  main memory: {percentiles(memory.read)}",
        f"    of that psutil: {percentiles(psutil.virtual_memory)}",
        f"  swap: {percentiles(SwapReader().read)}",
        f"  accelerators: {percentiles(lambda: accelerators.gpus(now))}",
    ]
    with capsys.disabled():
        print("\n" + "\n".join(lines))  # noqa: T201 - a benchmark is there to be read

    assert told.ram_free_bytes is not None


async def test_sampler(capsys: pytest.CaptureFixture[str]) -> None:
    """Four looks a second, beside a loop that only wakes up as often."""
    threaded = SlowMonitor()
    await sampled(threaded, for_s=1.0)  # a thread's first start is not counted
    woken = await woken_share()
    quick, slow = [await sampled(one) for one in (SystemMonitor(), threaded)]
    lines = [
        f"sampler at 4 Hz: {quick:.3%} of a core, above the base (bar: 0.1 %): {quick - woken:.3%}",
        f"  in a thread, as with a command-line tool: {slow:.3%}",
        f"  waking up alone, which is the base: {woken:.3%}",
    ]
    with capsys.disabled():
        print("\n" + "\n".join(lines))  # noqa: T201 - as above


class SlowMonitor(SystemMonitor):
    """Says that it may block."""

    @property
    def quick(self) -> bool:
        return False


async def sampled(monitor: SystemMonitor, *, for_s: float = WATCHED_S) -> float:
    sampler = Sampler(monitor)
    told: asyncio.Queue[Snapshot] = asyncio.Queue()
    sampler.listen(told.put_nowait)
    sampler.start()
    assert (await told.get()).ram_total_bytes
    started_s = time.process_time()
    await asyncio.sleep(for_s)
    share = (time.process_time() - started_s) / for_s
    sampler.stop()
    return share


async def woken_share() -> float:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def wake(left: int) -> None:
        if left:
            loop.call_later(PERIOD_S, wake, left - 1)
        else:
            ended.set()

    started_s = time.process_time()
    wake(round(WATCHED_S / PERIOD_S))
    await ended.wait()
    return (time.process_time() - started_s) / WATCHED_S


def _gpus(snapshot: Snapshot) -> str:
    return "GPUs unknown" if snapshot.gpus is None else f"{len(snapshot.gpus)} GPUs"
