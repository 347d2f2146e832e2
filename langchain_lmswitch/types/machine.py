"""What a machine has, and what a load costs it."""

from dataclasses import dataclass
from typing import Literal

Scope = Literal["local", "remote", "shared"]
"""Whether the host's memory is this computer's. Local probes say nothing of a remote host.

With a `shared` one we have the hardware in common, but not the view of it: we are in a container
or a virtual machine (WSL 2) and the host is outside, so our limits on main memory are not its own.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One accelerator."""

    name: str
    total_bytes: int | None
    """`None` is unknown, never zero; so for every field."""
    free_bytes: int | None
    unified: bool = False
    """Whether its memory is a part of main memory and counted there already: adding it to the
    main memory counts it twice."""
    shared_total_bytes: int | None = None
    """Main memory that it may use beside its own, counted there already."""
    shared_free_bytes: int | None = None


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
    swap_total_bytes: int | None = None
    """Swap that is not main memory itself; zero if there is none. Models in it crawl."""
    swap_used_bytes: int | None = None
    swap_free_bytes: int | None = None


UNKNOWN_MACHINE = Snapshot(ram_total_bytes=None, ram_free_bytes=None, gpus=None, scope="remote")
"""All there is to say of a machine that cannot be measured from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What a load is expected to cost."""

    weights_bytes: int
    kv_bytes: int
    """Key-value cache at the context asked for, and the state of recurrent layers."""
    compute_bytes: int = 0
    """Scratch buffers."""
    backend_bytes: int = 0
    """The engine's process, and a GPU's driver in it."""
    vram_bytes: int = 0
    """The part of the sum that lies in accelerator memory."""
    source: Literal["host", "header", "size"]
    """The host's own estimate, the formula over the file's header, or a guess from its size."""
    fits_by_host: bool | None = None
    """The host's own verdict; `None` if it gave none. It counts nothing as unloadable."""

    @property
    def total_bytes(self) -> int:
        """All memory, wherever it lies."""
        return self.weights_bytes + self.kv_bytes + self.compute_bytes + self.backend_bytes

    @property
    def ram_bytes(self) -> int:
        """The part that lies in main memory."""
        return max(0, self.total_bytes - self.vram_bytes)
