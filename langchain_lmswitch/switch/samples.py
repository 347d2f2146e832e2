"""Which measurements of memory are worth remembering."""

from collections.abc import Sequence
from typing import Final

from langchain_lmswitch.types.history import MemorySample
from langchain_lmswitch.types.machine import Gpu, Snapshot

SHARE: Final = 0.002
"""A change by less of the total does not show in a picture."""
AT_LEAST_S: Final = 10.0
"""After this a measurement is kept that shows no change."""


def sample_of(snapshot: Snapshot, *, at_s: float, budget_bytes: int | None = None) -> MemorySample:
    """Sum a measurement up."""
    own = None if snapshot.gpus is None else [gpu for gpu in snapshot.gpus if not gpu.unified]
    return MemorySample(
        at_s=at_s,
        ram_total_bytes=snapshot.ram_total_bytes,
        ram_free_bytes=snapshot.ram_free_bytes,
        vram_total_bytes=_sum(own, "total_bytes"),
        vram_free_bytes=_sum(own, "free_bytes"),
        budget_bytes=budget_bytes,
    )


def moved(before: MemorySample, now: MemorySample) -> bool:
    """Tell whether a measurement is worth keeping after the one before."""
    return (
        now.at_s - before.at_s >= AT_LEAST_S
        or _differs(before.ram_free_bytes, now.ram_free_bytes, now.ram_total_bytes)
        or _differs(before.vram_free_bytes, now.vram_free_bytes, now.vram_total_bytes)
    )


def _differs(before: int | None, now: int | None, total: int | None) -> bool:
    if before is None or now is None:
        return before is not now
    return abs(before - now) > SHARE * (total or 0)


def _sum(gpus: Sequence[Gpu] | None, name: str) -> int | None:
    """Add a field up; `None` if it is unknown for any."""
    found = [None] if gpus is None else [getattr(gpu, name) for gpu in gpus]
    known = [one for one in found if one is not None]
    return sum(known) if len(known) == len(found) else None
