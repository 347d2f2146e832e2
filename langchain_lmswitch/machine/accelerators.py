"""Graphics processors, and how much of their memory is free."""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from langchain_lmswitch.machine import amd, smi
from langchain_lmswitch.machine.apple import AppleSilicon
from langchain_lmswitch.machine.memory import Memory
from langchain_lmswitch.machine.nvml import Nvml, import_nvml
from langchain_lmswitch.machine.tools import NoAnswer, installed
from langchain_lmswitch.types.machine import Gpu


class GpuSource(Protocol):
    """Something that can be asked for the GPUs of one maker."""

    @property
    def quick(self) -> bool:
        """Whether it answers without waiting for another program."""

    def gpus(self) -> tuple[Gpu, ...]:
        """List them.

        Raises:
            NoAnswer: It cannot tell.
        """


def find_nvidia() -> GpuSource | None:
    """Choose how to ask: NVML if its binding is installed, else `nvidia-smi`, else not at all."""
    if (nvml := import_nvml()) is not None:
        return Nvml(nvml)
    return smi.nvidia_smi() if installed(smi.COMMAND) else None


def find_amd_tool() -> GpuSource | None:
    """Find `amd-smi`."""
    return amd.amd_smi() if installed(amd.COMMAND) else None


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
    - AMD: what the `amdgpu` driver writes into sysfs, on Linux. Where that lacks a card or its
      memory, `amd-smi`. Without an answer it is unknown on Windows, and in WSL 2 if Windows lends
      it a GPU.
    - Apple silicon: one GPU, with a part of the main memory.
    - Intel: not looked for. Integrated ones share the main memory.

    Args:
        nvidia: Chooses how to ask for NVIDIA GPUs; called once.
        traces: Whether anything hints at an NVIDIA driver; called once.
        amd_tool: Finds the command-line tool for AMD GPUs; called once.
        apple: The GPU of a Mac.
        drm: Where sysfs lists the graphics cards.
        lent: The device through which Windows lends its GPU to WSL 2.
        platform: `sys.platform`.
    """

    def __init__(
        self,
        *,
        nvidia: Callable[[], GpuSource | None] = find_nvidia,
        traces: Callable[[], bool] = nvidia_driver_traces,
        amd_tool: Callable[[], GpuSource | None] = find_amd_tool,
        apple: AppleSilicon | None = None,
        drm: Path = Path("/sys/class/drm"),
        lent: Path = Path("/dev/dxg"),
        platform: str = sys.platform,
    ) -> None:
        self._find_nvidia = nvidia
        self._traces = traces
        self._find_amd_tool = amd_tool
        self._apple = apple or AppleSilicon()
        self._drm = drm
        self._lent = lent
        self._platform = platform

    def gpus(self, memory: Memory) -> tuple[Gpu, ...] | None:
        """List them; `None` if none is known and it is unknown whether there are any.

        Fast, but for the command-line tools: those may take two seconds, once in three.

        Args:
            memory: Main memory now: what a GPU shares of it is never freer than that.
        """
        found = self._apple.gpus() if self._platform == "darwin" else self._cards()
        return None if found is None else tuple(bounded(gpu, memory) for gpu in found)

    @cached_property
    def quick(self) -> bool:
        """Whether none of them is left to a command-line tool; decided once, as the tools are."""
        if self._platform == "darwin":
            return True
        by_driver = amd.all_told(tuple(map(amd.amd_gpu, self._amd_cards)))
        tools = (self._nvidia, None if by_driver else self._amd_tool)
        return all(tool is None or tool.quick for tool in tools)

    def _cards(self) -> tuple[Gpu, ...] | None:
        nvidia, amd_gpus = self._nvidia_gpus(), self._amd_gpus()
        known = (nvidia or ()) + (amd_gpus or ())
        return None if not known and (nvidia is None or amd_gpus is None) else known

    @cached_property
    def _nvidia(self) -> GpuSource | None:
        return self._find_nvidia()

    @cached_property
    def _nvidia_may_be_here(self) -> bool:
        return self._traces()

    @cached_property
    def _amd_tool(self) -> GpuSource | None:
        return self._find_amd_tool()

    @cached_property
    def _amd_cards(self) -> tuple[Path, ...]:
        return () if self._platform == "win32" else amd.amd_cards(self._drm)

    @cached_property
    def _amd_may_be_elsewhere(self) -> bool:
        return self._platform == "win32" or self._lent.exists()

    def _nvidia_gpus(self) -> tuple[Gpu, ...] | None:
        told = _ask(self._nvidia)
        return () if told is None and not self._nvidia_may_be_here else told

    def _amd_gpus(self) -> tuple[Gpu, ...] | None:
        cards = tuple(map(amd.amd_gpu, self._amd_cards))
        if amd.all_told(cards):
            return cards
        if (told := _ask(self._amd_tool)) is not None:
            return told
        return cards or (None if self._amd_may_be_elsewhere else ())


def _ask(source: GpuSource | None) -> tuple[Gpu, ...] | None:
    try:
        return None if source is None else source.gpus()
    except NoAnswer:
        return None


def bounded(gpu: Gpu, memory: Memory) -> Gpu:
    """Bound what a GPU has of main memory by what main memory has.

    A unified one that names no limit of its own may take all of it.
    """
    if not gpu.unified:
        shared_free_bytes = _least(gpu.shared_free_bytes, memory.free_bytes)
        known = gpu.shared_free_bytes is not None
        return replace(gpu, shared_free_bytes=shared_free_bytes if known else None)
    total_bytes = _least(gpu.total_bytes, memory.total_bytes)
    free_bytes = _least(gpu.free_bytes, memory.free_bytes)
    return replace(
        gpu,
        total_bytes=total_bytes,
        free_bytes=None if free_bytes is None else _least(free_bytes, total_bytes),
    )


def _least(*sizes: int | None) -> int | None:
    return min((size for size in sizes if size is not None), default=None)
