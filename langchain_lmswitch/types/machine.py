"""What a machine has, and what a load costs it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from langchain_lmswitch.types.displays.machine import footprint_sheet, gpu_sheet, snapshot_sheet
from langchain_lmswitch.types.displays.sheets import Sheet
from langchain_lmswitch.types.displays.shown import Shown

Scope = Literal["local", "remote", "shared"]
"""Whether the host's memory is this computer's. Local probes say nothing of a remote host.

With a `shared` one we have the hardware in common, but not the view of it: we are in a container
or a virtual machine (WSL 2) and the host is outside, so our limits on main memory are not its own.
"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Gpu(Shown):
    """One accelerator."""

    name: str
    total_bytes: int | None
    """`None` is unknown, never zero; so for every field. A driver keeps a part of it for itself:
    615 MiB of an H200's 143,771, which are neither free nor held by anybody."""
    free_bytes: int | None
    unified: bool = False
    """Whether its memory is a part of main memory and counted there already: adding it to the
    main memory counts it twice."""
    shared_total_bytes: int | None = None
    """Main memory that it may use beside its own, counted there already."""
    shared_free_bytes: int | None = None

    def _sheet(self) -> Sheet:
        return gpu_sheet(self)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Snapshot(Shown):
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
    budget_bytes: int | None = None
    """What models may hold together, if the user has set a limit; in any memory."""

    def _sheet(self) -> Sheet:
        return snapshot_sheet(self)


UNKNOWN_MACHINE = Snapshot(ram_total_bytes=None, ram_free_bytes=None, gpus=None, scope="remote")
"""All there is to say of a machine that cannot be measured from here."""


FootprintSource = Literal["ledger", "host", "header", "size"]
"""Loads of this very configuration that were observed, the host's own estimate, the formula over
the file's header, or a guess from its size."""

UNCERTAINTY: Final[Mapping[FootprintSource, float]] = {
    "ledger": 0.03,
    "header": 0.05,
    "host": 0.1,
    "size": 0.5,
}
"""How far off an estimate may be, as a share of it, where it does not say so itself.

From `tests/integration_tests/test_footprint_truth.py` the formula is up to 3 % high and never low.
A host's estimate was twice the truth for a hybrid model, and right within a tenth for common ones.
A guess from the size knows the weights, and the cache within a factor of two (measured: 60 % low
with a long context, 40 % high with a windowed one).
"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Footprint(Shown):
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
    n_layers: int = 0
    """Layers that may be laid on accelerators, the output not counted; 0 if unknown."""
    source: FootprintSource
    fits_by_host: bool | None = None
    """The host's own verdict; `None` if it gave none. It counts nothing as unloadable."""
    uncertainty: float | None = None
    """How far off it may be, as a share of it; `None` is what is usual for its source."""

    @property
    def total_bytes(self) -> int:
        """All memory, wherever it lies."""
        return self.weights_bytes + self.kv_bytes + self.compute_bytes + self.backend_bytes

    @property
    def error_bytes(self) -> int:
        """How far off the sum may be, either way."""
        share = UNCERTAINTY[self.source] if self.uncertainty is None else self.uncertainty
        return math.ceil(share * self.total_bytes)

    @property
    def ram_bytes(self) -> int:
        """The part that lies in main memory."""
        return max(0, self.total_bytes - self.vram_bytes)

    def _sheet(self) -> Sheet:
        return footprint_sheet(self)
