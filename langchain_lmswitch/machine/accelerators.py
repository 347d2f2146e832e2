"""Graphics processors with memory of their own, and how much of it is free."""

import os
import re
import shutil
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Protocol

from langchain_lmswitch.machine.files import read_number, read_text
from langchain_lmswitch.machine.nvml import NoAnswer, Nvml, import_nvml
from langchain_lmswitch.machine.smi import COMMAND, NvidiaSmi
from langchain_lmswitch.types.machine import Gpu

_AMD_VENDOR = "0x1002"


class GpuSource(Protocol):
    """Something that can be asked for NVIDIA GPUs."""

    def gpus(self) -> tuple[Gpu, ...]:
        """List them.

        Raises:
            NoAnswer: It cannot tell.
        """


def find_nvidia() -> GpuSource | None:
    """Choose how to ask: NVML if its binding is installed, else `nvidia-smi`, else not at all."""
    if (nvml := import_nvml()) is not None:
        return Nvml(nvml)
    return NvidiaSmi() if shutil.which(COMMAND[0]) is not None else None


def nvidia_driver_traces() -> bool:
    """Say whether anything on this computer hints at an NVIDIA driver."""
    if sys.platform == "win32":
        return Path(os.environ.get("WINDIR", "C:/Windows"), "System32", "nvml.dll").exists()
    under_wsl = Path("/usr/lib/wsl/lib/libnvidia-ml.so.1")
    return under_wsl.exists() or any(Path("/dev").glob("nvidia*"))


class Accelerators:
    """Finds the GPUs of this computer.

    - NVIDIA: NVML, else `nvidia-smi`. If neither answers, there is none where nothing hints at a
      driver, and it is unknown where something does.
    - AMD: what the `amdgpu` driver writes into sysfs, on Linux; unknown on Windows.
    - Apple silicon: none, since its GPU shares the main memory.
    - Intel: not looked for. Integrated ones share the main memory.

    Args:
        nvidia: Chooses how to ask for NVIDIA GPUs; called once.
        traces: Whether anything hints at an NVIDIA driver; called once.
        drm: Where sysfs lists the graphics cards.
        platform: `sys.platform`.
    """

    def __init__(
        self,
        *,
        nvidia: Callable[[], GpuSource | None] = find_nvidia,
        traces: Callable[[], bool] = nvidia_driver_traces,
        drm: Path = Path("/sys/class/drm"),
        platform: str = sys.platform,
    ) -> None:
        self._find_nvidia = nvidia
        self._traces = traces
        self._drm = drm
        self._platform = platform

    def gpus(self) -> tuple[Gpu, ...] | None:
        """List them; `None` if none is known and it is unknown whether there are any.

        Fast, but for `nvidia-smi`: that may take two seconds, once in three.
        """
        if self._platform == "darwin":
            return ()
        nvidia = self._nvidia_gpus()
        amd = None if self._platform == "win32" else tuple(map(amd_gpu, self._amd))
        known = (nvidia or ()) + (amd or ())
        return None if not known and (nvidia is None or amd is None) else known

    @cached_property
    def _nvidia(self) -> GpuSource | None:
        return self._find_nvidia()

    @cached_property
    def _amd(self) -> tuple[Path, ...]:
        return amd_cards(self._drm)

    @cached_property
    def _nvidia_may_be_here(self) -> bool:
        return self._traces()

    def _nvidia_gpus(self) -> tuple[Gpu, ...] | None:
        if self._nvidia is not None:
            try:
                return self._nvidia.gpus()
            except NoAnswer:
                pass
        return None if self._nvidia_may_be_here else ()


def amd_cards(drm: Path) -> tuple[Path, ...]:
    """List the folders of the AMD cards; `card0-DP-1` and the like are their outputs."""
    cards = sorted(path for path in drm.glob("card*") if re.fullmatch(r"card\d+", path.name))
    return tuple(card for card in cards if read_text(card / "device" / "vendor") == _AMD_VENDOR)


def amd_gpu(card: Path) -> Gpu:
    """Read what sysfs tells of an AMD card; `None` for memory that it does not tell."""
    total = read_number(card / "device" / "mem_info_vram_total") or None
    used = read_number(card / "device" / "mem_info_vram_used")
    return Gpu(
        name=read_text(card / "device" / "product_name") or f"AMD GPU {card.name}",
        total_bytes=total,
        free_bytes=None if total is None or used is None else max(0, total - used),
    )
