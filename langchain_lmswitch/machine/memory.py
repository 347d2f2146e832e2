"""Main memory: what there is for us, and what can still be taken."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

import psutil

from langchain_lmswitch.machine.cgroups import Cgroups, Limit
from langchain_lmswitch.machine.files import read_text

_KIB: Final = 2**10
_MEMINFO: Final = {
    name: re.compile(rf"^{name}: +(\d+) kB$", re.MULTILINE) for name in ("MemTotal", "MemAvailable")
}


class VirtualMemory(Protocol):
    """The two fields that we use of psutil's answer."""

    @property
    def total(self) -> int:
        """Bytes of main memory in the machine."""

    @property
    def available(self) -> int:
        """Bytes that can be taken without swapping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Main memory at one moment. `None` is unknown, never zero."""

    total_bytes: int | None
    free_bytes: int | None
    limited_by: Literal["machine", "container"]
    """What sets `total_bytes`."""


@dataclass(frozen=True, slots=True)
class _MemInfo:
    total: int
    available: int


def machine_memory() -> VirtualMemory:
    """Read the machine's own memory.

    On Linux that is two lines of `/proc/meminfo`. `psutil` reads and explains all of it, which
    takes three times as long; it is asked on other systems, and where the lines make no sense.
    """
    told = parse_meminfo(read_text("/proc/meminfo"))
    return psutil.virtual_memory() if told is None else told


def parse_meminfo(text: str) -> VirtualMemory | None:
    """Read what is there and what is available, in KiB; `None` where that cannot be.

    Old kernels do not tell what is available; in some containers it is more than there is.
    """
    total, available = (_MEMINFO[name].search(text) for name in ("MemTotal", "MemAvailable"))
    if total is None or available is None or int(available[1]) > int(total[1]):
        return None
    return _MemInfo(int(total[1]) * _KIB, int(available[1]) * _KIB)


class MemoryReader:
    """Reads main memory, and respects container limits, which `psutil` does not.

    Total is the smaller of the machine's memory and every limit that applies; free is the smaller
    of what the machine has available and, for each limit, limit less working set
    (psutil issue 2100; the working set is Kubernetes' rule: usage less `inactive_file`).

    Args:
        proc: Where procfs is mounted.
        cgroup: Where the control groups are mounted.
        virtual_memory: The machine's own memory, for tests.
    """

    def __init__(
        self,
        *,
        proc: Path = Path("/proc"),
        cgroup: Path = Path("/sys/fs/cgroup"),
        virtual_memory: Callable[[], VirtualMemory] = machine_memory,
    ) -> None:
        self._cgroups = Cgroups(proc=proc, cgroup=cgroup)
        self._virtual_memory = virtual_memory

    def read(self) -> Memory:
        """Read it now; takes well under a millisecond."""
        limits = self._cgroups.limits()
        try:
            machine = self._virtual_memory()
        except (OSError, RuntimeError, psutil.Error):
            return _tightest(None, None, limits)
        return _tightest(machine.total, machine.available, limits)


def _tightest(total: int | None, available: int | None, limits: list[Limit]) -> Memory:
    binding = [limit for limit in limits if total is None or limit.limit_bytes < total]
    totals = [limit.limit_bytes for limit in binding]
    frees = [limit.free_bytes for limit in binding]
    return Memory(
        total_bytes=min(totals, default=total),
        free_bytes=min([*frees, available] if available is not None else frees, default=None),
        limited_by="container" if binding else "machine",
    )
