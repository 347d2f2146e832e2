"""Memory limits that a container or a service manager set on us."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from langchain_lmswitch.machine.files import read_number, read_text

_UNLIMITED_BYTES = 1 << 62
"""Version 1 writes the largest whole number of pages; its exact value depends on the page size."""
_NONE_FOR_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One memory limit, and what those under it hold that cannot be dropped."""

    limit_bytes: int
    working_set_bytes: int

    @property
    def free_bytes(self) -> int:
        """What may still be taken before the limit bites."""
        return max(0, self.limit_bytes - self.working_set_bytes)


_ReadLimits = Callable[[Iterator[str]], Iterator[Limit]]
"""Reads the limits of a group and its ancestors, given their folders."""


class Cgroups:
    """Reads the limits of our control group and of all its ancestors, versions 1 and 2.

    The path comes from `/proc/self/cgroup`. Inside a cgroup namespace, or where only a part of the
    hierarchy is mounted, that path may not exist below the mount point; the mount point itself is
    then the nearest group we can see, and is always read. A file that cannot be read or
    understood sets no limit. Where nothing limits us, as on most machines, that is believed for
    five seconds: to find it out takes two thirds of a snapshot.

    Args:
        proc: Where procfs is mounted.
        cgroup: Where the control groups are mounted.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        proc: Path = Path("/proc"),
        cgroup: Path = Path("/sys/fs/cgroup"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._proc = proc
        self._cgroup = cgroup
        self._clock = clock
        self._none_until_s = float("-inf")

    def limits(self) -> list[Limit]:
        """List every limit on memory that applies to us, the innermost first."""
        if self._clock() < self._none_until_s:
            return []
        found = self._collect(v1=_limits_v1, v2=_limits_v2)
        if not found:
            self._none_until_s = self._clock() + _NONE_FOR_S
        return found

    def swap_limits(self) -> list[Limit]:
        """List every limit on swap that applies to us, the innermost first."""
        return self._collect(v1=_swap_limits_v1, v2=_swap_limits_v2)

    def _collect(self, *, v1: _ReadLimits, v2: _ReadLimits) -> list[Limit]:
        found: list[Limit] = []
        for controllers, path in self._memberships():
            if not controllers:
                # On a hybrid system version 2 is mounted one folder down.
                for mount in (self._cgroup, self._cgroup / "unified"):
                    found += v2(_ancestry(mount, path))
            elif "memory" in controllers.split(","):
                found += v1(_ancestry(self._cgroup / "memory", path))
        return found

    def _memberships(self) -> Iterator[tuple[str, str]]:
        """Give `(controllers, path)` for each hierarchy; version 2 names no controllers."""
        for line in read_text(self._proc / "self" / "cgroup").splitlines():
            match line.split(":", 2):
                case [_, controllers, path]:
                    yield controllers, path
                case _:
                    continue


def _ancestry(mount: Path, path: str) -> Iterator[str]:
    """Give the folders of the group and its ancestors, the mount point last."""
    parts = [part for part in path.split("/") if part]
    if ".." not in parts:  # A group outside of our namespace has no folder here.
        for depth in range(len(parts), 0, -1):
            yield "/".join([str(mount), *parts[:depth]])
    yield str(mount)


def _limits_v2(groups: Iterator[str]) -> Iterator[Limit]:
    for group in groups:
        # Above `memory.high` the kernel does not kill but stalls us: no place for a model either.
        sizes = [read_number(f"{group}/{name}") for name in ("memory.max", "memory.high")]
        known = [size for size in sizes if size is not None]
        current = read_number(f"{group}/memory.current") if known else None
        if current is not None:
            droppable = _stat(group).get("inactive_file", 0)
            yield Limit(limit_bytes=min(known), working_set_bytes=max(0, current - droppable))


def _limits_v1(groups: Iterator[str]) -> Iterator[Limit]:
    for group in groups:
        stat = _stat(group)
        # It includes ancestors, those too that a namespace hides from us.
        hierarchical = stat.get("hierarchical_memory_limit")
        if hierarchical is not None and hierarchical >= _UNLIMITED_BYTES:
            return
        sizes = [read_number(f"{group}/memory.limit_in_bytes"), hierarchical]
        known = [size for size in sizes if size is not None and size < _UNLIMITED_BYTES]
        current = read_number(f"{group}/memory.usage_in_bytes") if known else None
        if current is not None:
            # The usage includes all groups below, so must the part that can be dropped.
            droppable = stat.get("total_inactive_file", stat.get("inactive_file", 0))
            yield Limit(limit_bytes=min(known), working_set_bytes=max(0, current - droppable))


def _swap_limits_v2(groups: Iterator[str]) -> Iterator[Limit]:
    for group in groups:
        limit_bytes = read_number(f"{group}/memory.swap.max")
        used_bytes = read_number(f"{group}/memory.swap.current")
        if limit_bytes is not None and used_bytes is not None:
            yield Limit(limit_bytes=limit_bytes, working_set_bytes=used_bytes)


def _swap_limits_v1(groups: Iterator[str]) -> Iterator[Limit]:
    # Version 1 limits memory alone, and memory with swap; what lies between is for swap.
    names = ("memsw.limit_in_bytes", "memsw.usage_in_bytes", "limit_in_bytes", "usage_in_bytes")
    for group in groups:
        sizes = [read_number(f"{group}/memory.{name}") for name in names]
        both, both_used, memory, memory_used = sizes
        if both is None or both >= _UNLIMITED_BYTES or both_used is None or memory is None:
            continue
        used_bytes = max(0, both_used - (memory_used or 0))
        yield Limit(limit_bytes=max(0, both - memory), working_set_bytes=used_bytes)


def _stat(group: str) -> dict[str, int]:
    lines = (line.partition(" ") for line in read_text(f"{group}/memory.stat").splitlines())
    return {name: int(value) for name, _, value in lines if value.isdigit()}
