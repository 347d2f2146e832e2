"""What a snapshot of this machine takes."""

import statistics
import time
from collections.abc import Callable

import psutil
import pytest

from langchain_lmswitch.machine.accelerators import Accelerators
from langchain_lmswitch.machine.memory import MemoryReader
from langchain_lmswitch.machine.monitor import SystemMonitor
from langchain_lmswitch.machine.swap import SwapReader
from langchain_lmswitch.types.machine import Snapshot

ROUNDS = 2_000
RESTED_ROUNDS = 40
REST_S = 0.05


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


def _gpus(snapshot: Snapshot) -> str:
    return "GPUs unknown" if snapshot.gpus is None else f"{len(snapshot.gpus)} GPUs"
