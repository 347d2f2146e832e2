"""A computer with as much memory as a test says."""

from dataclasses import dataclass

from langchain_lmswitch.types.machine import Snapshot

_ROOMY = Snapshot(ram_total_bytes=64 * 2**30, ram_free_bytes=48 * 2**30, gpus=())


@dataclass
class FixedMachine:
    """A `Monitor` that tells what it was told; 48 of 64 GiB are free unless said otherwise.

    Example:
        >>> from dataclasses import replace
        >>> machine = FixedMachine()
        >>> machine.now = replace(machine.now, ram_free_bytes=2**30)
        >>> machine.snapshot().ram_free_bytes
        1073741824
    """

    now: Snapshot = _ROOMY
    """What the next snapshot shows."""
    quick: bool = True
    """Whether it may be asked on an event loop."""

    def snapshot(self) -> Snapshot:
        """Give the snapshot that was set."""
        return self.now
