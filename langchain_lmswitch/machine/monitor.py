"""The `Monitor` protocol: what the memory of a machine looks like now."""

from typing import Protocol

from langchain_lmswitch.machine.accelerators import Accelerators
from langchain_lmswitch.machine.memory import MemoryReader
from langchain_lmswitch.machine.swap import SwapReader
from langchain_lmswitch.types.machine import Snapshot


class Monitor(Protocol):
    """Something that measures one machine."""

    @property
    def quick(self) -> bool:
        """Whether a snapshot never waits for another program, so that an event loop may take it."""

    def snapshot(self) -> Snapshot:
        """Measure it now. Never raises: what cannot be measured is `None`."""


class SystemMonitor:
    """Measures this computer, afresh at every call.

    A snapshot takes about 0.02 ms without a GPU, and 0.2 ms when the processor's caches are cold
    (tests/benchmarks/test_snapshot.py); nothing in it waits for a sampling interval. With an H200
    in a virtual machine it took 0.14 ms (99th of a hundred: 0.26 ms), of which NVML's part was
    0.01 ms, and 0.6 ms (0.8 ms) ten times a second; 0.8 ms (1.4 ms) while that GPU was busy. The
    very first took 0.1 s more there, to import NVML and begin with it. A GPU that only a
    command-line tool can tell of costs that tool's time, at most two seconds, every few seconds,
    and it is not `quick`. Nothing is sampled in the background: that is `Sampler`'s.

    Args:
        memory: Reads the main memory.
        swap: Reads the swap.
        accelerators: Finds the GPUs.
    """

    def __init__(
        self,
        *,
        memory: MemoryReader | None = None,
        swap: SwapReader | None = None,
        accelerators: Accelerators | None = None,
    ) -> None:
        self._memory = memory or MemoryReader()
        self._swap = swap or SwapReader()
        self._accelerators = accelerators or Accelerators()

    @property
    def quick(self) -> bool:
        """Whether no GPU is left to a command-line tool."""
        return self._accelerators.quick

    def snapshot(self) -> Snapshot:
        """Measure main memory, swap and GPUs."""
        memory, swap = self._memory.read(), self._swap.read()
        return Snapshot(
            ram_total_bytes=memory.total_bytes,
            ram_free_bytes=memory.free_bytes,
            swap_total_bytes=swap.total_bytes,
            swap_used_bytes=swap.used_bytes,
            swap_free_bytes=swap.free_bytes,
            gpus=self._accelerators.gpus(memory),
            limited_by=memory.limited_by,
            scope="local",
        )
