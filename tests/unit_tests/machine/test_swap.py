"""Swap: none and unknown are told apart, and zram is not room."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from langchain_lmswitch.machine.swap import Swap, SwapReader, parse_swaps

KIB = 2**10
GIB = 2**30
HEADER = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
FILE = "/swap.img                               file\t\t8388604\t\t262144\t\t-2\n"
PARTITION = "/dev/dm-1                               partition\t4194300\t\t0\t\t-3\n"
ZRAM = "/dev/zram0                              partition\t8388604\t\t1048576\t\t100\n"
DELETED = "/swap\\040old\\040(deleted)                file\t\t1024\t\t512\t\t-4\n"


def swap(total: int, used: int) -> Swap:
    return Swap(total_bytes=total, used_bytes=used, free_bytes=total - used)


UNKNOWN = Swap(total_bytes=None, used_bytes=None, free_bytes=None)
NONE = swap(0, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(HEADER, NONE, id="none"),
        pytest.param(HEADER + FILE, swap(8388604 * KIB, 262144 * KIB), id="a file"),
        pytest.param(
            HEADER + FILE + PARTITION, swap(12582904 * KIB, 262144 * KIB), id="file and partition"
        ),
        pytest.param(HEADER + ZRAM, NONE, id="only zram"),
        pytest.param(HEADER + ZRAM + PARTITION, swap(4194300 * KIB, 0), id="zram before a disk"),
        pytest.param(HEADER + DELETED, swap(1024 * KIB, 512 * KIB), id="a name with spaces"),
        pytest.param("", UNKNOWN, id="no file"),
        pytest.param("garbage\n", UNKNOWN, id="another file"),
        pytest.param(HEADER + "/dev/sda2 partition ? ? -2\n", UNKNOWN, id="no numbers"),
        pytest.param(HEADER + "/dev/sda2\n", UNKNOWN, id="cut short"),
    ],
)
def test_parse_swaps(text: str, expected: Swap) -> None:
    assert parse_swaps(text) == expected


ReadTree = Callable[[dict[str, str]], Swap]


@pytest.fixture(name="read")
def _read(tmp_path: Path) -> ReadTree:
    """Write a tree of recorded files, and read the swap from it."""

    def read(files: dict[str, str]) -> Swap:
        for path, text in files.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "\n")
        return SwapReader(
            proc=tmp_path / "proc", cgroup=tmp_path / "cgroup", platform="linux"
        ).read()

    return read


MACHINE = {"proc/swaps": HEADER + FILE, "proc/self/cgroup": "0::/a.slice/b.scope"}


def group_v2(path: str, limit: str, used: int) -> dict[str, str]:
    return {
        f"cgroup/{path}memory.swap.max": limit,
        f"cgroup/{path}memory.swap.current": str(used),
    }


def test_no_limit(read: ReadTree) -> None:
    files = MACHINE | group_v2("a.slice/", "max", 5)

    assert read(files) == swap(8388604 * KIB, 262144 * KIB)


def test_v2_limits_of_a_group_and_its_ancestor(read: ReadTree) -> None:
    """The tightest total, and the least that is free."""
    files = (
        MACHINE
        | group_v2("a.slice/b.scope/", str(2 * GIB), GIB // 2)
        | group_v2("a.slice/", str(4 * GIB), 3 * GIB)
    )

    assert read(files) == Swap(total_bytes=2 * GIB, used_bytes=GIB // 2, free_bytes=GIB)


def test_v2_group_without_swap(read: ReadTree) -> None:
    """Kubernetes gives none: that is zero, not unknown."""
    assert read(MACHINE | group_v2("a.slice/b.scope/", "0", 0)) == NONE


def test_v2_limit_on_a_machine_whose_swap_is_full(read: ReadTree) -> None:
    full = HEADER + "/dev/sda2 partition 4194304 4194304 -2\n"
    files = MACHINE | {"proc/swaps": full} | group_v2("a.slice/", str(2 * GIB), 0)

    assert read(files) == Swap(total_bytes=2 * GIB, used_bytes=0, free_bytes=0)


@pytest.mark.parametrize(
    ("both", "total_bytes"),
    [(str(3 * GIB), 2 * GIB), (str(GIB), 0), ("9223372036854771712", 8388604 * KIB)],
    ids=["2 GiB beside memory", "none beside memory", "no limit"],
)
def test_v1_limits_both_together(read: ReadTree, both: str, total_bytes: int) -> None:
    files = {
        "proc/swaps": HEADER + FILE,
        "proc/self/cgroup": "4:memory:/docker/1f0c",
        "cgroup/memory/memory.memsw.limit_in_bytes": both,
        "cgroup/memory/memory.memsw.usage_in_bytes": str(GIB // 2),
        "cgroup/memory/memory.limit_in_bytes": str(GIB),
        "cgroup/memory/memory.usage_in_bytes": str(GIB // 4),
    }

    assert read(files).total_bytes == total_bytes


def test_v1_without_accounting_of_swap(read: ReadTree) -> None:
    """Debian's default once: the files are not there, and nothing is limited."""
    files = {
        "proc/swaps": HEADER + FILE,
        "proc/self/cgroup": "4:memory:/",
        "cgroup/memory/memory.limit_in_bytes": str(GIB),
    }

    assert read(files) == swap(8388604 * KIB, 262144 * KIB)


def test_other_systems() -> None:
    """There psutil tells."""
    reader = SwapReader(
        swap_memory=lambda: SimpleNamespace(total=3 * GIB, used=GIB), platform="darwin"
    )

    assert reader.read() == swap(3 * GIB, GIB)


def test_other_systems_that_do_not_tell() -> None:
    def swap_memory() -> SimpleNamespace:
        raise RuntimeError("no performance counters")

    assert SwapReader(swap_memory=swap_memory, platform="win32").read() == UNKNOWN


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_this_machine() -> None:
    """Never more than psutil says, who counts zram too."""
    told = SwapReader().read()

    assert told.total_bytes is not None
    assert told.total_bytes <= psutil.swap_memory().total


def test_no_swap_is_believed_for_a_while(tmp_path: Path) -> None:
    now_s = 100.0
    swaps = tmp_path / "swaps"
    swaps.write_text(HEADER)
    reader = SwapReader(proc=tmp_path, cgroup=tmp_path, platform="linux", clock=lambda: now_s)
    before = reader.read()
    swaps.write_text(HEADER + "/dev/sda2 partition 4 1 -2\n")
    believed = reader.read()
    now_s = 105.0

    assert (before.total_bytes, believed.total_bytes) == (0, 0)
    assert reader.read().free_bytes == 3 * 1024
