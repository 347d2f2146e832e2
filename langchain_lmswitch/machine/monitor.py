"""The `Monitor` protocol: what the memory of a machine looks like now."""

from typing import Protocol

from langchain_lmswitch.machine.accelerators import Accelerators
from langchain_lmswitch.machine.memory import MemoryReader
from langchain_lmswitch.types.machine import Snapshot


class Monitor(Protocol):
    """Something that measures one machine."""

    def snapshot(self) -> Snapshot:
        """Measure it now. Never raises: what cannot be measured is `None`."""


class SystemMonitor:
    """Measures this computer, afresh at every call.

    A snapshot takes well under a millisecond without a GPU, and nothing in it waits for a sampling
    interval. Nothing is sampled in the background.

    Args:
        memory: Reads the main memory.
        accelerators: Finds the GPUs.
    """

    def __init__(
        self, *, memory: MemoryReader | None = None, accelerators: Accelerators | None = None
    ) -> None:
        self._memory = memory or MemoryReader()
        self._accelerators = accelerators or Accelerators()

    def snapshot(self) -> Snapshot:
        """Measure main memory and GPUs."""
        memory = self._memory.read()
        return Snapshot(
            ram_total_bytes=memory.total_bytes,
            ram_free_bytes=memory.free_bytes,
            gpus=self._accelerators.gpus(),
            limited_by=memory.limited_by,
            scope="local",
        )
