"""What a host's processes hold at one moment, and what a load was seen to take."""

from dataclasses import dataclass

from langchain_lmswitch.types.machine import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The main memory of a process and all below it."""

    root: int
    """The process's number."""
    resident_bytes: int
    """All that is in main memory, what is mapped from files included."""
    private_bytes: int | None
    """The part that is not mapped from files; `None` where the system does not tell."""
    vram_bytes: int | None = None
    """What a GPU's driver counts to them; `None` where it does not tell, or sees none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A host and its machine at one moment."""

    tree: Tree | None
    """`None` if its processes were not found, or may not be looked at."""
    snapshot: Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a load was seen to take."""

    ram_bytes: int
    vram_bytes: int
    """Of all GPUs that have memory of their own."""

    @property
    def total_bytes(self) -> int:
        """All memory, wherever it lies."""
        return self.ram_bytes + self.vram_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Two readings that say nothing of the load between them."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The most that a host took beyond what it held before. `None` is unknown, never zero."""

    ram_bytes: int | None
    vram_bytes: int | None
