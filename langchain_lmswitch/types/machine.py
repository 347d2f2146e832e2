"""What a machine has, and what a load costs it."""

from dataclasses import dataclass
from typing import Literal

Scope = Literal["local", "remote"]
"""Whether the host's memory is this computer's. Local probes say nothing of a remote host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One accelerator."""

    name: str
    total_bytes: int | None
    """`None` is unknown, never zero; so for every field."""
    free_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The memory of one machine at one moment. `None` is unknown, never zero."""

    ram_total_bytes: int | None
    """The tightest of the machine's RAM and the container limits that apply to us."""
    ram_free_bytes: int | None
    """What can still be taken: page cache counts as free."""
    gpus: tuple[Gpu, ...] | None
    """`None` if it is unknown whether there are any; empty if there are none."""
    limited_by: Literal["machine", "container"] = "machine"
    """What sets `ram_total_bytes`."""
    scope: Scope = "local"


UNKNOWN_MACHINE = Snapshot(ram_total_bytes=None, ram_free_bytes=None, gpus=None, scope="remote")
"""All there is to say of a machine that cannot be measured from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What a load is expected to cost."""

    weights_bytes: int
    kv_bytes: int
    """Key-value cache at the context asked for."""
    compute_bytes: int = 0
    """Scratch buffers and whatever else comes on top."""
    vram_bytes: int = 0
    """The part of the sum that lies in accelerator memory."""
    source: Literal["host", "header", "size"]
    """The host's own estimate, the formula over the file's header, or a guess from its size."""
    fits_by_host: bool | None = None
    """The host's own verdict; `None` if it gave none. It counts nothing as unloadable."""

    @property
    def total_bytes(self) -> int:
        """All memory, wherever it lies."""
        return self.weights_bytes + self.kv_bytes + self.compute_bytes

    @property
    def ram_bytes(self) -> int:
        """The part that lies in main memory."""
        return max(0, self.total_bytes - self.vram_bytes)
