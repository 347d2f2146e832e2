"""Swap: what may be moved out of main memory."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import psutil

from langchain_lmswitch.machine.cgroups import Cgroups, Limit
from langchain_lmswitch.machine.files import read_text

_KIB: Final = 2**10
_ZRAM: Final = "/dev/zram"


class SwapMemory(Protocol):
    """The two fields that we use of psutil's answer."""

    @property
    def total(self) -> int:
        """Bytes of swap."""

    @property
    def used(self) -> int:
        """Bytes of it that are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Swap at one moment. `None` is unknown; zero is none."""

    total_bytes: int | None
    used_bytes: int | None
    free_bytes: int | None


_NONE_FOR_S: Final = 5.0
_NONE: Final = Swap(total_bytes=0, used_bytes=0, free_bytes=0)
_UNKNOWN: Final = Swap(total_bytes=None, used_bytes=None, free_bytes=None)


class SwapReader:
    """Reads swap, and respects container limits.

    On Linux from `/proc/swaps`, since psutil warns where `/proc/vmstat` is cut short, and counts
    zram: that is main memory, compressed, and gives no room beside it. No swap, as on most servers,
    is believed for five seconds.

    Args:
        proc: Where procfs is mounted.
        cgroup: Where the control groups are mounted.
        swap_memory: The machine's own swap on other systems.
        platform: `sys.platform`.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        proc: Path = Path("/proc"),
        cgroup: Path = Path("/sys/fs/cgroup"),
        swap_memory: Callable[[], SwapMemory] = psutil.swap_memory,
        platform: str = sys.platform,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._swaps = proc / "swaps"
        self._cgroups = Cgroups(proc=proc, cgroup=cgroup)
        self._swap_memory = swap_memory
        self._platform = platform
        self._clock = clock
        self._none_until_s = float("-inf")

    def read(self) -> Swap:
        """Read it now."""
        if self._platform != "linux":
            return self._elsewhere()
        if self._clock() < self._none_until_s:
            return _NONE
        machine = parse_swaps(read_text(self._swaps))
        if machine == _NONE:
            self._none_until_s = self._clock() + _NONE_FOR_S
        # Without any there is nothing to limit, and nothing more to read.
        return within(machine, self._cgroups.swap_limits()) if machine.total_bytes else machine

    def _elsewhere(self) -> Swap:
        try:
            machine = self._swap_memory()
        except (OSError, RuntimeError, psutil.Error):
            return _UNKNOWN
        return _swap(total=machine.total, used=machine.used)


def parse_swaps(text: str) -> Swap:
    """Read `/proc/swaps`: a header, then a line for each swap area, sizes in KiB.

    Only the header is no swap; no header is unknown. Names with spaces are escaped by the kernel.
    """
    header, *lines = text.splitlines() or [""]
    areas = [line.split() for line in lines]
    if not header.startswith("Filename") or not all(map(_is_area, areas)):
        return _UNKNOWN
    disks = [area for area in areas if not area[0].startswith(_ZRAM)]
    return _swap(
        total=sum(int(area[2]) for area in disks) * _KIB,
        used=sum(int(area[3]) for area in disks) * _KIB,
    )


def within(machine: Swap, limits: list[Limit]) -> Swap:
    """Bound the machine's swap by the limits on ours: the tightest total, the least that is free.

    What is used is then what the group with the tightest limit uses.
    """
    binding = [one for one in limits if one.limit_bytes < (machine.total_bytes or 0)]
    if not binding:
        return machine
    tightest = min(binding, key=lambda one: one.limit_bytes)
    frees = [one.free_bytes for one in binding]
    return Swap(
        total_bytes=tightest.limit_bytes,
        used_bytes=tightest.working_set_bytes,
        free_bytes=min(frees if machine.free_bytes is None else [*frees, machine.free_bytes]),
    )


def _is_area(fields: list[str]) -> bool:
    match fields:
        case [_, _, size, used, _]:
            return size.isdigit() and used.isdigit()
        case _:
            return False


def _swap(*, total: int, used: int) -> Swap:
    return Swap(total_bytes=total, used_bytes=used, free_bytes=max(0, total - used))
