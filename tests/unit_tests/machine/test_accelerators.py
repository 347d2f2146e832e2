"""All GPUs together: none and unknown are told apart."""

from collections.abc import Callable
from pathlib import Path

import pytest

from langchain_lmswitch.machine.accelerators import Accelerators, GpuSource
from langchain_lmswitch.machine.nvml import NoAnswer
from langchain_lmswitch.types.machine import Gpu


def unknown(name: str) -> Gpu:
    return Gpu(name=name, total_bytes=None, free_bytes=None)


class Told:
    """A source with a fixed answer."""

    def __init__(self, *gpus: Gpu, silent: bool = False) -> None:
        self.told = gpus
        self.silent = silent

    def gpus(self) -> tuple[Gpu, ...]:
        if self.silent:
            raise NoAnswer
        return self.told


def accelerators(
    drm: Path,
    *,
    nvidia: GpuSource | None = None,
    traces: bool = False,
    platform: str = "linux",
) -> Accelerators:
    return Accelerators(
        nvidia=lambda: nvidia, traces=lambda: traces, drm=drm / "drm", platform=platform
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
    assert accelerators(tmp_path, nvidia=nvidia, traces=traces).gpus() == expected


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

    assert accelerators(tmp_path).gpus() == (
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

    gpus = accelerators(tmp_path).gpus()

    assert gpus is not None
    assert [gpu.name for gpu in gpus] == ["AMD GPU card0"]
    assert gpus[0].free_bytes is None


def test_known_gpu_beside_an_unknown_driver(tmp_path: Path, write_card: CardWriter) -> None:
    """What is known is told, even if there may be more."""
    write_card("card0", vendor="0x1002", mem_info_vram_total="8", mem_info_vram_used="2")

    assert accelerators(tmp_path, traces=True).gpus() == (
        Gpu(name="AMD GPU card0", total_bytes=8, free_bytes=6),
    )


def test_apple_silicon_has_no_gpu_of_its_own(tmp_path: Path) -> None:
    """Its GPU shares the main memory, which is counted already."""
    assert accelerators(tmp_path, traces=True, platform="darwin").gpus() == ()


def test_windows_without_nvidia_is_unknown(tmp_path: Path) -> None:
    """Other makers' cards cannot be asked there."""
    assert accelerators(tmp_path, platform="win32").gpus() is None
