"""The snapshot as a whole."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

from langchain_lmswitch.machine.accelerators import Accelerators
from langchain_lmswitch.machine.memory import MemoryReader
from langchain_lmswitch.machine.monitor import Monitor, SystemMonitor
from langchain_lmswitch.machine.swap import SwapReader
from langchain_lmswitch.types.machine import Gpu, Snapshot


class OneGpu:
    quick = True

    def gpus(self) -> tuple[Gpu, ...]:
        return (Gpu(name="T4", total_bytes=16, free_bytes=12),)


def test_snapshot_puts_all_together(tmp_path: Path) -> None:
    monitor: Monitor = SystemMonitor(
        memory=MemoryReader(
            proc=tmp_path,
            cgroup=tmp_path,
            virtual_memory=lambda: SimpleNamespace(total=100, available=60),
        ),
        swap=SwapReader(swap_memory=lambda: SimpleNamespace(total=50, used=20), platform="darwin"),
        accelerators=Accelerators(nvidia=OneGpu, drm=tmp_path, platform="linux"),
    )

    assert monitor.snapshot() == Snapshot(
        ram_total_bytes=100,
        ram_free_bytes=60,
        gpus=(Gpu(name="T4", total_bytes=16, free_bytes=12),),
        limited_by="machine",
        scope="local",
        swap_total_bytes=50,
        swap_used_bytes=20,
        swap_free_bytes=30,
    )


def test_this_computer() -> None:
    """The default monitor measures the computer it runs on."""
    snapshot = SystemMonitor().snapshot()

    assert snapshot.scope == "local"
    assert snapshot.ram_total_bytes is not None
    assert snapshot.ram_free_bytes is not None
    assert 0 < snapshot.ram_free_bytes <= snapshot.ram_total_bytes


async def test_snapshots_from_several_threads_agree() -> None:
    """One monitor may be asked from any thread."""
    monitor = SystemMonitor()

    totals = await asyncio.gather(*(asyncio.to_thread(monitor.snapshot) for _ in range(8)))

    assert len({snapshot.ram_total_bytes for snapshot in totals}) == 1
