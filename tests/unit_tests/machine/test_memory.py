"""Container limits, on trees as the kernel shows them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from langchain_lmswitch.machine.cgroups import Cgroups
from langchain_lmswitch.machine.memory import Memory, MemoryReader, parse_meminfo

GIB = 2**30
NO_LIMIT_V1 = "9223372036854771712"
V1_PATHS = "9:name=systemd:/\n4:memory:{path}\n3:cpuset:/\n1:cpu,cpuacct:/\n0::/\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What psutil says of a machine."""

    total: int = 64 * GIB
    available: int = 40 * GIB


ReadTree = Callable[..., Memory]


@pytest.fixture(name="read")
def _read(tmp_path: Path) -> ReadTree:
    """Write a tree of recorded files, and read the memory from it."""

    def read(files: dict[str, str], *, machine: Machine | None = Machine()) -> Memory:
        for path, text in files.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "\n")

        def virtual_memory() -> Machine:
            if machine is None:
                raise RuntimeError("no /proc/meminfo")
            return machine

        return MemoryReader(
            proc=tmp_path / "proc", cgroup=tmp_path / "cgroup", virtual_memory=virtual_memory
        ).read()

    return read


def group_v2(path: str, *, limit: str, current: int, inactive: int = 0) -> dict[str, str]:
    return {
        f"cgroup/{path}memory.max": limit,
        f"cgroup/{path}memory.high": "max",
        f"cgroup/{path}memory.current": str(current),
        f"cgroup/{path}memory.stat": (
            f"anon 1048576\nfile 2097152\nslab_reclaimable 77\n"
            f"inactive_anon 5\ninactive_file {inactive}\nactive_file 3\nworkingset_refault_file 1"
        ),
    }


def group_v1(
    path: str, *, limit: str, usage: int, inactive: int = 0, hierarchical: str = ""
) -> dict[str, str]:
    return {
        f"cgroup/memory{path}/memory.limit_in_bytes": limit,
        f"cgroup/memory{path}/memory.usage_in_bytes": str(usage),
        f"cgroup/memory{path}/memory.stat": (
            f"cache 9\nrss 8\ninactive_file 1\nhierarchical_memory_limit {hierarchical or limit}\n"
            f"total_cache 12\ntotal_inactive_file {inactive}\ntotal_active_file 4"
        ),
    }


def test_no_cgroups_at_all(read: ReadTree) -> None:
    """Without control groups (macOS, Windows) the machine's own numbers stand."""
    assert read({}) == Memory(total_bytes=64 * GIB, free_bytes=40 * GIB, limited_by="machine")


def test_v2_container_with_its_own_namespace(read: ReadTree) -> None:
    """A limit is seen at the mount point, and page cache that can be dropped counts as free."""
    memory = read(
        {
            "proc/self/cgroup": "0::/",
            **group_v2("", limit=str(8 * GIB), current=5 * GIB, inactive=2 * GIB),
        }
    )

    assert memory == Memory(total_bytes=8 * GIB, free_bytes=5 * GIB, limited_by="container")


def test_v2_without_limit(read: ReadTree) -> None:
    """The word `max` is no limit."""
    memory = read(
        {
            "proc/self/cgroup": "0::/user.slice/app.scope",
            **group_v2("user.slice/app.scope/", limit="max", current=GIB),
            **group_v2("user.slice/", limit="max", current=2 * GIB),
        }
    )

    assert memory == Memory(total_bytes=64 * GIB, free_bytes=40 * GIB, limited_by="machine")


def test_v2_nested_limits(read: ReadTree) -> None:
    """Each ancestor limits: one the total, another what is still free."""
    memory = read(
        {
            "proc/self/cgroup": "0::/a.slice/b.slice/c.scope",
            **group_v2("a.slice/b.slice/c.scope/", limit=str(8 * GIB), current=GIB),
            **group_v2("a.slice/b.slice/", limit="max", current=2 * GIB),
            **group_v2("a.slice/", limit=str(16 * GIB), current=15 * GIB, inactive=GIB),
        }
    )

    assert memory == Memory(total_bytes=8 * GIB, free_bytes=2 * GIB, limited_by="container")


def test_v2_high_limits_too(read: ReadTree) -> None:
    """Above `memory.high` everything is stalled, so it is a limit."""
    files = {"proc/self/cgroup": "0::/", **group_v2("", limit="max", current=GIB)}

    memory = read(files | {"cgroup/memory.high": str(4 * GIB)})

    assert (memory.total_bytes, memory.free_bytes) == (4 * GIB, 3 * GIB)


@pytest.mark.parametrize("path", ["/../../other.slice/x", "/system.slice/docker-1f.scope"])
def test_v2_path_that_the_namespace_hides(read: ReadTree, path: str) -> None:
    """A path that does not exist below the mount point leaves the mount point."""
    memory = read(
        {"proc/self/cgroup": f"0::{path}", **group_v2("", limit=str(2 * GIB), current=GIB)}
    )

    assert (memory.total_bytes, memory.free_bytes) == (2 * GIB, GIB)


def test_v1_without_limit(read: ReadTree) -> None:
    """Version 1 writes no limit as the largest number of whole pages."""
    memory = read(
        {
            "proc/self/cgroup": V1_PATHS.format(path="/process_api/decc0a99"),
            **group_v1("/process_api/decc0a99", limit=NO_LIMIT_V1, usage=GIB),
            **group_v1("/process_api", limit=NO_LIMIT_V1, usage=GIB),
            **group_v1("", limit=NO_LIMIT_V1, usage=3 * GIB),
        }
    )

    assert memory == Memory(total_bytes=64 * GIB, free_bytes=40 * GIB, limited_by="machine")


def test_v1_without_limit_on_large_pages(read: ReadTree) -> None:
    """With pages of 64 KiB the number for no limit is another one."""
    memory = read(
        {
            "proc/self/cgroup": V1_PATHS.format(path="/"),
            **group_v1("", limit="9223372036854710272", usage=GIB),
        },
        machine=Machine(total=2**63, available=GIB),
    )

    assert memory.limited_by == "machine"


def test_v1_container(read: ReadTree) -> None:
    """Docker before cgroup namespaces: the path is the host's, the mount is our own group."""
    memory = read(
        {
            "proc/self/cgroup": V1_PATHS.format(path="/docker/1f0c"),
            **group_v1("", limit=str(4 * GIB), usage=3 * GIB, inactive=GIB),
        }
    )

    assert memory == Memory(total_bytes=4 * GIB, free_bytes=2 * GIB, limited_by="container")


def test_v1_limit_of_a_hidden_ancestor(read: ReadTree) -> None:
    """`hierarchical_memory_limit` tells of a limit above what we can see."""
    memory = read(
        {
            "proc/self/cgroup": V1_PATHS.format(path="/"),
            **group_v1("", limit=NO_LIMIT_V1, usage=GIB, hierarchical=str(3 * GIB)),
        }
    )

    assert memory == Memory(total_bytes=3 * GIB, free_bytes=2 * GIB, limited_by="container")


def test_v1_limit_of_an_ancestor_counts_what_all_below_it_hold(read: ReadTree) -> None:
    """The group's own usage is not all that the limit of its parent is about."""
    memory = read(
        {
            "proc/self/cgroup": V1_PATHS.format(path="/a/b"),
            **group_v1("/a/b", limit=NO_LIMIT_V1, usage=GIB, hierarchical=str(6 * GIB)),
            **group_v1("/a", limit=str(6 * GIB), usage=5 * GIB),
            **group_v1("", limit=NO_LIMIT_V1, usage=9 * GIB),
        }
    )

    assert memory == Memory(total_bytes=6 * GIB, free_bytes=GIB, limited_by="container")


def test_hybrid_with_memory_in_v2(read: ReadTree) -> None:
    """A hybrid system may mount version 2 one folder down."""
    memory = read(
        {
            "proc/self/cgroup": "1:cpu:/\n0::/app",
            **group_v2("unified/app/", limit=str(GIB), current=GIB // 4),
        }
    )

    assert (memory.total_bytes, memory.free_bytes) == (GIB, GIB * 3 // 4)


def test_hybrid_with_memory_in_v1(read: ReadTree) -> None:
    """The version 2 hierarchy without a memory controller has no say."""
    memory = read(
        {
            "proc/self/cgroup": V1_PATHS.format(path="/app"),
            "cgroup/unified/cgroup.procs": "1",
            **group_v1("/app", limit=str(GIB), usage=GIB // 2),
        }
    )

    assert (memory.total_bytes, memory.free_bytes) == (GIB, GIB // 2)


def test_limit_above_the_machine(read: ReadTree) -> None:
    """A limit larger than the machine limits nothing."""
    memory = read({"proc/self/cgroup": "0::/", **group_v2("", limit=str(100 * GIB), current=GIB)})

    assert memory == Memory(total_bytes=64 * GIB, free_bytes=40 * GIB, limited_by="machine")


def test_group_over_its_limit(read: ReadTree) -> None:
    """More used than allowed leaves nothing, not less than nothing."""
    memory = read({"proc/self/cgroup": "0::/", **group_v2("", limit=str(GIB), current=2 * GIB)})

    assert memory.free_bytes == 0


@pytest.mark.parametrize("damage", ["", "garbage", "0::/\n\n::\n:"])
def test_unreadable_membership(read: ReadTree, damage: str) -> None:
    """What cannot be understood sets no limit and raises nothing."""
    assert read({"proc/self/cgroup": damage}).limited_by == "machine"


def test_unreadable_usage(read: ReadTree) -> None:
    """A limit without a usage cannot be applied to what is free, and is left out."""
    files = group_v2("", limit=str(GIB), current=0) | {"cgroup/memory.current": "?"}

    assert read({"proc/self/cgroup": "0::/", **files}).limited_by == "machine"


def test_unknown_machine(read: ReadTree) -> None:
    """A machine that psutil cannot read is unknown, not empty."""
    assert read({}, machine=None) == Memory(total_bytes=None, free_bytes=None, limited_by="machine")


def test_unknown_machine_in_a_container(read: ReadTree) -> None:
    """A container's limit is known even if the machine is not."""
    files = {"proc/self/cgroup": "0::/", **group_v2("", limit=str(GIB), current=0)}

    assert read(files, machine=None) == Memory(
        total_bytes=GIB, free_bytes=GIB, limited_by="container"
    )


def test_this_machine() -> None:
    """The real thing is never above what psutil says."""
    reader = MemoryReader()
    memory = reader.read()

    assert memory.total_bytes is not None
    assert 0 < memory.total_bytes <= psutil.virtual_memory().total
    assert memory.free_bytes is not None
    assert 0 <= memory.free_bytes <= memory.total_bytes


def test_no_limit_is_believed_for_a_while(tmp_path: Path) -> None:
    """It takes two thirds of a snapshot to find out, and hardly ever changes."""
    now_s = 100.0
    group, membership = tmp_path / "cgroup", tmp_path / "proc" / "self" / "cgroup"
    for file in (group / "memory.max", group / "memory.current", membership):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("0")
    membership.write_text("0::/")
    (group / "memory.max").write_text("max")
    cgroups = Cgroups(proc=tmp_path / "proc", cgroup=group, clock=lambda: now_s)
    before = cgroups.limits()
    (group / "memory.max").write_text("7")
    (group / "memory.current").write_text("5")
    believed = cgroups.limits()
    now_s = 105.0
    [found] = cgroups.limits()
    (group / "memory.current").write_text("6")
    [next_found] = cgroups.limits()

    assert (before, believed) == ([], [])
    assert (found.free_bytes, next_found.free_bytes) == (2, 1)


MEMINFO = """MemTotal:       24684092 kB
MemFree:        20013400 kB
MemAvailable:   24240520 kB
Buffers:          112196 kB
"""


def test_meminfo_is_read_as_psutil_does() -> None:
    told = parse_meminfo(MEMINFO)

    assert told is not None
    assert (told.total, told.available) == (24684092 * 1024, 24240520 * 1024)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="no procfs"),
        pytest.param("MemTotal: 5 kB\nMemFree: 4 kB\n", id="an old kernel"),
        pytest.param("MemTotal: 5 kB\nMemAvailable: 6 kB\n", id="a container that shows both"),
    ],
)
def test_meminfo_that_cannot_be_is_left_to_psutil(text: str) -> None:
    assert parse_meminfo(text) is None
