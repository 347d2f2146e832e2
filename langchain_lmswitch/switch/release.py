"""Memory on its way back: what was unloaded is free only once it shows."""

import asyncio
from collections.abc import Callable
from typing import Final

from langchain_lmswitch.types.machine import Footprint, Gpu, Snapshot

POLL_S: Final = 0.2
LONGEST_S: Final = 5.0
"""Drivers give memory back within 0.5 to 1.5 s as a rule; at once with CUDA on an H200: 5 GiB were
free 3 ms after they were given back, and 0.1 s after their process was killed."""
ALL: Final = 0.97
SHARE: Final = 0.75
"""Of what should come back: estimates of what a model holds are not exact."""
REST_S: Final = 1.5
"""Without any more coming back, after which a share is taken for all there is."""


class Release:
    """Waits for the memory of what was unloaded since it was made.

    Args:
        look: Measures the machine.
        clock: Monotonic seconds.
    """

    def __init__(self, look: Callable[[], Snapshot], clock: Callable[[], float]) -> None:
        self._look = look
        self._clock = clock
        self._before_bytes = free_bytes(look())
        self.expected_bytes = 0
        """What should come back: the estimates of all that was unloaded."""

    async def wait(self, enough: Callable[[Snapshot], bool] = lambda _: False) -> None:
        """Wait until the memory is back.

        1. Where memory is unknown, or nothing was unloaded, there is nothing to wait for.
        2. All of it suffices, and whatever is `enough`: weights that were mapped from a file
           count as free while they are loaded, and do not show when they leave.
        3. `SHARE` of it suffices once no more has come for `REST_S`. Of two that left, the large
           one may be back first: a load that needs the small one's memory, too, would fail.
        4. After `LONGEST_S` it is taken as it is; the load will tell.
        """
        deadline_s = self._clock() + LONGEST_S
        most_bytes, risen_s = 0, self._clock()
        while (back_bytes := self._back_bytes(now := self._look())) is not None:  # 1
            if back_bytes > most_bytes:
                most_bytes, risen_s = back_bytes, self._clock()
            rested = self._clock() - risen_s >= REST_S
            wanted_bytes = (SHARE if rested else ALL) * self.expected_bytes  # 2, 3
            if back_bytes >= wanted_bytes or enough(now) or self._clock() >= deadline_s:  # 4
                return
            await asyncio.sleep(POLL_S)

    def _back_bytes(self, now: Snapshot) -> int | None:
        now_bytes = free_bytes(now)
        if self._before_bytes is None or now_bytes is None:
            return None
        return now_bytes - self._before_bytes


def free_bytes(snapshot: Snapshot) -> int | None:
    """Sum what is free in main memory and in accelerators; `None` if any of it is unknown."""
    vram_bytes = _free_vram_bytes(snapshot)
    if snapshot.ram_free_bytes is None or vram_bytes is None:
        return None
    return snapshot.ram_free_bytes + vram_bytes


def holds(snapshot: Snapshot, footprint: Footprint | None, *, headroom_bytes: int) -> bool:
    """Tell whether a load fits what is free now, each part of it where it will lie.

    1. Without accelerators that have memory of their own, all of it lies in main memory.
    2. With them, it is unknown where a load goes of which no part is known to go there: an engine
       that does not use them loads beside them, too. There must be room for all in either place.
    3. Else each part must fit where it goes.
    """
    vram_bytes = _free_vram_bytes(snapshot)
    if footprint is None or snapshot.ram_free_bytes is None or vram_bytes is None:
        return False
    left_bytes = snapshot.ram_free_bytes - headroom_bytes
    if not _own_memory(snapshot):
        return footprint.total_bytes <= left_bytes  # 1
    if footprint.vram_bytes == 0:
        return footprint.total_bytes <= min(left_bytes, vram_bytes)  # 2
    return footprint.vram_bytes <= vram_bytes and footprint.ram_bytes <= left_bytes  # 3


def _free_vram_bytes(snapshot: Snapshot) -> int | None:
    if snapshot.gpus is None:
        return None
    found = [gpu.free_bytes for gpu in _own_memory(snapshot)]
    known = [one for one in found if one is not None]
    return sum(known) if len(known) == len(found) else None


def _own_memory(snapshot: Snapshot) -> list[Gpu]:
    """List the accelerators whose memory is not counted in main memory already."""
    return [gpu for gpu in snapshot.gpus or () if not gpu.unified]
