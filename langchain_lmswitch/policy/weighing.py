"""What a load took, from what its host held before and after; or why that cannot be told."""

from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.types.machine import Gpu, Snapshot
from langchain_lmswitch.types.readings import Observation, Peak, Reading, Tree, Unusable

FOREIGN_BYTES: Final = 256 * 2**20
"""Memory that others may take or give back meanwhile."""
DRIVER_BYTES: Final = 208 * 2**20
"""Main memory that a GPU's driver takes for a load, and counts to no process.

Measured on an H200 with CUDA 13: 134 MiB for a bare process, up to 204 MiB for llama.cpp.
"""
LEAST_SHARE: Final = 0.5
"""Of the model's file: a load that took less was not this host's."""


def observe(
    before: Reading, after: Reading, *, size_bytes: int, overlapped: bool
) -> Observation | Unusable:
    """Tell what a load took.

    In main memory it is the growth of the host's processes: what is free says little, since
    mapped weights count as free. On GPUs it is what is no longer free.

    It cannot be told if:

    1. Another load or unload overlapped.
    2. The host's processes were not found, or are not those of before.
    3. A GPU does not tell what is free, or has a part of main memory, which counts to no process.
    4. Other programs took or gave back more than 256 MiB, as far as that can be seen: in main
       memory by what the host's processes have of their own, and on GPUs by what the driver
       counts to them, where it does.
    5. Nothing was taken, or less than half of the model's file: then the process that listens is
       only the door to the one that loads, such as a tunnel.

    Args:
        before: Just before the load.
        after: When it was done, or after the first answer.
        size_bytes: Of the model's files; 0 if unknown.
        overlapped: Whether anything else was loaded or unloaded between the two.
    """
    if overlapped:
        return Unusable(reason="something else was loaded or unloaded meanwhile")  # 1
    if before.tree is None or after.tree is None or before.tree.root != after.tree.root:
        return Unusable(reason="the host's processes cannot be looked at")  # 2
    taken = vram_taken(before.snapshot, after.snapshot)
    if taken is None:
        return Unusable(reason="what is free on a GPU is unknown")  # 3
    vram_bytes = max(0, sum(taken))
    driver_bytes = DRIVER_BYTES if vram_bytes else 0
    in_ram = _others_in_ram(before, after, driver_bytes=driver_bytes)
    if in_ram or _others_on_gpus(before.tree, after.tree, taken):
        return Unusable(reason="other programs took or gave back memory meanwhile")  # 4
    ram_bytes = after.tree.resident_bytes - before.tree.resident_bytes
    seen = Observation(ram_bytes=max(0, ram_bytes), vram_bytes=vram_bytes)
    if seen.total_bytes <= LEAST_SHARE * size_bytes:
        return Unusable(reason="the host's processes did not grow")  # 5
    return seen


def vram_taken(before: Snapshot, after: Snapshot) -> tuple[int, ...] | None:
    """Bytes that each GPU has less than before; `None` if that is unknown of any."""
    if before.gpus is None or after.gpus is None or len(before.gpus) != len(after.gpus):
        return None
    taken = tuple(map(_taken, before.gpus, after.gpus))
    known = tuple(one for one in taken if one is not None)
    return known if len(known) == len(taken) else None


def _taken(before: Gpu, after: Gpu) -> int | None:
    if before.unified or before.free_bytes is None or after.free_bytes is None:
        return None
    return before.free_bytes - after.free_bytes


def _others_on_gpus(before: Tree, after: Tree, taken: tuple[int, ...]) -> bool:
    if min(taken, default=0) < -FOREIGN_BYTES:
        return True
    if after.vram_bytes is None:
        return False
    own_bytes = after.vram_bytes - (before.vram_bytes or 0)  # who is not listed has nothing yet
    return abs(sum(taken) - own_bytes) > FOREIGN_BYTES


def _others_in_ram(before: Reading, after: Reading, *, driver_bytes: int) -> bool:
    free = before.snapshot.ram_free_bytes, after.snapshot.ram_free_bytes
    if free[0] is None or free[1] is None or before.tree is None or after.tree is None:
        return False
    taken_bytes = free[0] - free[1]
    least_bytes, most_bytes = _own_share(before.tree, after.tree)
    most_bytes += driver_bytes
    return not least_bytes - FOREIGN_BYTES <= taken_bytes <= most_bytes + FOREIGN_BYTES


def _own_share(before: Tree, after: Tree) -> tuple[int, int]:
    """What the host itself can have taken of what was free: at least, and at most."""
    if before.private_bytes is None or after.private_bytes is None:
        return 0, max(0, after.resident_bytes - before.resident_bytes)
    private_bytes = after.private_bytes - before.private_bytes
    return private_bytes, private_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a load took, from all that was measured of it. `None` is unknown, never zero."""

    ram_bytes: int | None = None
    vram_bytes: int | None = None

    @property
    def total_bytes(self) -> int | None:
        """All memory; unknown if a part is."""
        if self.ram_bytes is None or self.vram_bytes is None:
            return None
        return self.ram_bytes + self.vram_bytes


def taken(
    peak: Peak | None,
    seen: Observation | Unusable,
    gpus: tuple[Gpu, ...] | None,
    *,
    size_bytes: int,
    overlapped: bool,
) -> Taken:
    """Put together the peak of a load and what was weighed before and after it.

    1. Neither is of use if another load or unload overlapped.
    2. GPUs: the peak; without one, what was weighed; none, where there are none. It is unknown
       with one that has a part of main memory, which counts to no process.
    3. Main memory: the peak; without one, what was weighed.
    4. But where a part went to a GPU, only what was weighed: the peak has the whole file in it,
       which is mapped while it is read and moved. A model of 4,570 MiB took 725 MiB of main
       memory beside 5,827 MiB of an H200, and had a peak of 4,857 MiB there.
    5. A sum of less than half of the model's file is not the load's.
    """
    if overlapped:
        return Taken()  # 1
    weighed = seen if isinstance(seen, Observation) else None
    by_weight = weighed.ram_bytes if weighed else None
    vram_bytes = _first(peak.vram_bytes if peak else None, weighed.vram_bytes if weighed else None)
    if gpus == ():
        vram_bytes = 0  # 2
    ram_bytes = by_weight if vram_bytes else _first(peak.ram_bytes if peak else None, by_weight)
    found = Taken(ram_bytes=ram_bytes, vram_bytes=vram_bytes)  # 3, 4
    known_bytes = (ram_bytes or 0) + (vram_bytes or 0)
    too_little = found.total_bytes is not None and known_bytes <= LEAST_SHARE * size_bytes
    return Taken() if too_little else found  # 5


def _first(*sizes: int | None) -> int | None:
    return next((size for size in sizes if size is not None), None)
