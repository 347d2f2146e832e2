"""All GPUs together: none and unknown are told apart."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from langchain_lmswitch.machine.accelerators import Accelerators, GpuSource, bounded
from langchain_lmswitch.machine.apple import AppleSilicon
from langchain_lmswitch.machine.memory import Memory
from langchain_lmswitch.machine.tools import NoAnswer
from langchain_lmswitch.types.machine import Gpu

GIB = 2**30
MEMORY = Memory(total_bytes=64 * GIB, free_bytes=40 * GIB, limited_by="machine")


def unknown(name: str) -> Gpu:
    return Gpu(name=name, total_bytes=None, free_bytes=None)


class Told:
    """A source with a fixed answer."""

    def __init__(self, *gpus: Gpu, silent: bool = False, quick: bool = True) -> None:
        self.told = gpus
        self.silent = silent
        self.quick = quick

    def gpus(self) -> tuple[Gpu, ...]:
        if self.silent:
            raise NoAnswer
        return self.told


def accelerators(
    folder: Path,
    *,
    nvidia: GpuSource | None = None,
    traces: bool = False,
    amd_tool: GpuSource | None = None,
    apple: dict[str, int] | None = None,
    platform: str = "linux",
) -> Accelerators:
    return Accelerators(
        nvidia=lambda: nvidia,
        traces=lambda: traces,
        amd_tool=lambda: amd_tool,
        apple=AppleSilicon(sysctl=(apple or {}).get, metal=lambda: None),
        drm=folder / "drm",
        lent=folder / "dxg",
        platform=platform,
    )


CardWriter = Callable[..., None]


@pytest.fixture(name="write_card")
def _write_card(tmp_path: Path) -> CardWriter:
    """Write what sysfs shows of a graphics card."""

    def write(name: str, **files: str) -> None:
        folder = tmp_path / "drm" / name / "device"
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / file).write_text(text + "\n")

    return write


@pytest.mark.parametrize(
    ("nvidia", "traces", "expected"),
    [
        pytest.param(None, False, (), id="no tool, no driver: none"),
        pytest.param(None, True, None, id="no tool, a driver: unknown"),
        pytest.param(Told(silent=True), False, (), id="silent tool, no driver: none"),
        pytest.param(Told(silent=True), True, None, id="silent tool, a driver: unknown"),
        pytest.param(Told(), True, (), id="the driver says none: none"),
        pytest.param(Told(unknown("T4")), True, (unknown("T4"),), id="unknown memory: listed"),
    ],
)
def test_none_and_unknown_are_told_apart(
    tmp_path: Path, *, nvidia: GpuSource | None, traces: bool, expected: tuple[Gpu, ...] | None
) -> None:
    assert accelerators(tmp_path, nvidia=nvidia, traces=traces).gpus(MEMORY) == expected


def test_amd_card(tmp_path: Path, write_card: CardWriter) -> None:
    """Free is total less used; an Intel card beside it and the card's outputs are no GPUs."""
    write_card(
        "card1",
        vendor="0x1002",
        mem_info_vram_total="17163091968",
        mem_info_vram_used="1163091968",
        product_name="Radeon RX 7800 XT",
    )
    write_card("card1-DP-1", vendor="0x1002")
    write_card("card0", vendor="0x8086")

    assert accelerators(tmp_path).gpus(MEMORY) == (
        Gpu(name="Radeon RX 7800 XT", total_bytes=17163091968, free_bytes=16000000000),
    )


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"mem_info_vram_total": "17163091968"},
        {"mem_info_vram_used": "1"},
        {"mem_info_vram_total": "", "mem_info_vram_used": ""},
        {"mem_info_vram_total": "0", "mem_info_vram_used": "0"},
    ],
)
def test_amd_card_that_does_not_tell(
    tmp_path: Path, write_card: CardWriter, files: dict[str, str]
) -> None:
    """What is not told is unknown."""
    write_card("card0", vendor="0x1002", **files)

    gpus = accelerators(tmp_path).gpus(MEMORY)

    assert gpus is not None
    assert [gpu.name for gpu in gpus] == ["AMD GPU card0"]
    assert gpus[0].free_bytes is None


def test_known_gpu_beside_an_unknown_driver(tmp_path: Path, write_card: CardWriter) -> None:
    """What is known is told, even if there may be more."""
    write_card("card0", vendor="0x1002", mem_info_vram_total="8", mem_info_vram_used="2")

    assert accelerators(tmp_path, traces=True).gpus(MEMORY) == (
        Gpu(name="AMD GPU card0", total_bytes=8, free_bytes=6),
    )


def test_windows_without_nvidia_is_unknown(tmp_path: Path) -> None:
    """Other makers' cards cannot be asked there."""
    assert accelerators(tmp_path, platform="win32").gpus(MEMORY) is None


def test_windows_without_nvidia_asks_amd_smi(tmp_path: Path) -> None:
    """The tool's answer settles it, even if there is none."""
    radeon = Gpu(name="AMD GPU 0", total_bytes=16 * GIB, free_bytes=15 * GIB)

    found = accelerators(tmp_path, amd_tool=Told(radeon), platform="win32").gpus(MEMORY)
    none = accelerators(tmp_path, amd_tool=Told(), platform="win32").gpus(MEMORY)

    assert (found, none) == ((radeon,), ())


def test_apu_shares_main_memory(tmp_path: Path, write_card: CardWriter) -> None:
    """What an APU may map of main memory is told apart from its own, and never freer than that."""
    write_card(
        "card1",
        vendor="0x1002",
        mem_info_vram_total="536870912",
        mem_info_vram_used="36870912",
        mem_info_gtt_total="33554432000",
        mem_info_gtt_used="54432000",
    )
    tight = Memory(total_bytes=64 * GIB, free_bytes=GIB, limited_by="machine")

    roomy_gpus = accelerators(tmp_path).gpus(MEMORY)
    tight_gpus = accelerators(tmp_path).gpus(tight)

    assert roomy_gpus == (
        Gpu(
            name="AMD GPU card1",
            total_bytes=536870912,
            free_bytes=500000000,
            shared_total_bytes=33554432000,
            shared_free_bytes=33500000000,
        ),
    )
    assert tight_gpus is not None
    assert [(gpu.free_bytes, gpu.shared_free_bytes) for gpu in tight_gpus] == [(500000000, GIB)]


def test_amd_smi_is_asked_for_a_card_that_does_not_tell(
    tmp_path: Path, write_card: CardWriter
) -> None:
    """And not for one that does: it takes half a second."""
    told = Gpu(name="AMD GPU 0", total_bytes=8, free_bytes=6)
    write_card("card0", vendor="0x1002", mem_info_vram_total="8", mem_info_vram_used="1")
    by_sysfs = accelerators(tmp_path, amd_tool=Told(told)).gpus(MEMORY)
    write_card("card1", vendor="0x1002")
    by_tool = accelerators(tmp_path, amd_tool=Told(told)).gpus(MEMORY)
    by_nobody = accelerators(tmp_path, amd_tool=Told(silent=True)).gpus(MEMORY)

    assert by_sysfs == (Gpu(name="AMD GPU card0", total_bytes=8, free_bytes=7),)
    assert by_tool == (told,)
    assert by_nobody == (*by_sysfs, unknown("AMD GPU card1"))


def test_gpu_lent_by_windows_is_unknown(tmp_path: Path) -> None:
    """WSL 2 shows no AMD or Intel card in sysfs, only that Windows lends one."""
    (tmp_path / "dxg").touch()
    rtx = Gpu(name="RTX", total_bytes=8 * GIB, free_bytes=6 * GIB)

    assert accelerators(tmp_path).gpus(MEMORY) is None
    assert accelerators(tmp_path, nvidia=Told(rtx), traces=True).gpus(MEMORY) == (rtx,)


def test_apple_silicon_has_a_part_of_main_memory(tmp_path: Path) -> None:
    """One GPU, up to its limit and to what main memory has free."""
    mac = accelerators(
        tmp_path,
        traces=True,
        apple={"hw.optional.arm64": 1, "hw.memsize": 64 * GIB, "iogpu.wired_limit_mb": 0},
        platform="darwin",
    )

    assert mac.gpus(MEMORY) == (
        Gpu(name="Apple GPU", total_bytes=48 * GIB, free_bytes=40 * GIB, unified=True),
    )


def test_intel_mac_is_unknown(tmp_path: Path) -> None:
    """The name of the number is not known to the kernel there."""
    mac = accelerators(tmp_path, apple={"hw.memsize": 16 * GIB}, platform="darwin")

    assert mac.gpus(MEMORY) is None


UNIFIED = Gpu(name="NVIDIA GB10", total_bytes=None, free_bytes=None, unified=True)


def memory(total_bytes: int | None, free_bytes: int | None) -> Memory:
    return Memory(total_bytes=total_bytes, free_bytes=free_bytes, limited_by="machine")


def apple(total_bytes: int | None) -> Gpu:
    return Gpu(name="Apple GPU", total_bytes=total_bytes, free_bytes=None, unified=True)


@pytest.mark.parametrize(
    ("gpu", "memory", "expected"),
    [
        pytest.param(UNIFIED, memory(120, 70), (120, 70), id="all of main memory"),
        pytest.param(apple(90), memory(120, 70), (90, 70), id="main memory is tighter"),
        pytest.param(apple(60), memory(120, 70), (60, 60), id="the limit is tighter"),
        pytest.param(apple(90), memory(80, 70), (80, 70), id="a limit above main memory"),
        pytest.param(apple(90), memory(120, 0), (90, 0), id="nothing free is zero"),
        pytest.param(apple(90), memory(None, None), (90, None), id="unknown main memory"),
        pytest.param(UNIFIED, memory(None, None), (None, None), id="nothing known"),
    ],
)
def test_unified_memory_is_bounded(
    gpu: Gpu, memory: Memory, expected: tuple[int | None, int | None]
) -> None:
    told = bounded(gpu, memory)

    assert (told.total_bytes, told.free_bytes, told.unified) == (*expected, True)


def test_memory_of_its_own_is_not_bounded() -> None:
    """A card's memory has nothing to do with main memory, nor does what it does not share."""
    card = Gpu(name="T4", total_bytes=16 * GIB, free_bytes=15 * GIB)

    assert bounded(card, memory(8 * GIB, GIB)) == card


TOOL = Told(quick=False)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, True, id="nothing to ask"),
        pytest.param({"nvidia": Told()}, True, id="a library"),
        pytest.param({"nvidia": TOOL}, False, id="a tool"),
        pytest.param({"amd_tool": TOOL}, False, id="a tool for a card that sysfs does not tell"),
        pytest.param({"nvidia": TOOL, "platform": "darwin"}, True, id="a Mac asks its kernel"),
    ],
)
def test_quick(tmp_path: Path, options: dict[str, Any], *, expected: bool) -> None:
    """A command-line tool may take two seconds."""
    assert accelerators(tmp_path, **options).quick is expected


def test_quick_where_sysfs_tells_and_a_tool_is_not_asked(
    tmp_path: Path, write_card: CardWriter
) -> None:
    write_card("card0", vendor="0x1002", mem_info_vram_total=str(GIB), mem_info_vram_used="0")

    assert accelerators(tmp_path, amd_tool=TOOL).quick
