"""Memory limits that a container or a service manager set on us."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from langchain_lmswitch.machine.files import read_number, read_text

_UNLIMITED_BYTES = 1 << 62
"""Version 1 writes the largest whole number of pages; its exact value depends on the page size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One memory limit, and what those under it hold that cannot be dropped."""

    limit_bytes: int
    working_set_bytes: int

    @property
    def free_bytes(self) -> int:
        """What may still be taken before the limit bites."""
        return max(0, self.limit_bytes - self.working_set_bytes)


class Cgroups:
    """Reads the limits of our control group and of all its ancestors, versions 1 and 2.

    The path comes from `/proc/self/cgroup`. Inside a cgroup namespace, or where only a part of the
    hierarchy is mounted, that path may not exist below the mount point; the mount point itself is
    then the nearest group we can see, and is always read. A file that cannot be read or
    understood sets no limit.

    Args:
        proc: Where procfs is mounted.
        cgroup: Where the control groups are mounted.
    """

    def __init__(
        self, *, proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")
    ) -> None:
        self._proc = proc
        self._cgroup = cgroup

    def limits(self) -> list[Limit]:
        """List every limit that applies to us, the innermost first."""
        found: list[Limit] = []
        for controllers, path in self._memberships():
            if not controllers:
                # On a hybrid system version 2 is mounted one folder down.
                for mount in (self._cgroup, self._cgroup / "unified"):
                    found += chain.from_iterable(map(_limits_v2, _ancestry(mount, path)))
            elif "memory" in controllers.split(","):
                mount = self._cgroup / "memory"
                found += chain.from_iterable(map(_limits_v1, _ancestry(mount, path)))
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


def _limits_v2(group: str) -> Iterator[Limit]:
    # Above `memory.high` the kernel does not kill but stalls us: no place for a model either.
    sizes = [read_number(f"{group}/{name}") for name in ("memory.max", "memory.high")]
    known = [size for size in sizes if size is not None]
    current = read_number(f"{group}/memory.current") if known else None
    if current is not None:
        droppable = _stat(group).get("inactive_file", 0)
        yield Limit(limit_bytes=min(known), working_set_bytes=max(0, current - droppable))


def _limits_v1(group: str) -> Iterator[Limit]:
    current = read_number(f"{group}/memory.usage_in_bytes")
    if current is None:
        return
    stat = _stat(group)
    # `hierarchical_memory_limit` includes ancestors that a namespace hides from us.
    sizes = [
        read_number(f"{group}/memory.limit_in_bytes"),
        stat.get("hierarchical_memory_limit"),
    ]
    known = [size for size in sizes if size is not None and size < _UNLIMITED_BYTES]
    if known:
        # The usage includes all groups below, so must the part that can be dropped.
        droppable = stat.get("total_inactive_file", stat.get("inactive_file", 0))
        yield Limit(limit_bytes=min(known), working_set_bytes=max(0, current - droppable))


def _stat(group: str) -> dict[str, int]:
    lines = (line.partition(" ") for line in read_text(f"{group}/memory.stat").splitlines())
    return {name: int(value) for name, _, value in lines if value.isdigit()}
