"""Apple silicon: a GPU whose memory is a part of the main memory, up to a limit."""

import ctypes
import importlib
import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

from langchain_lmswitch.machine.tools import MIB
from langchain_lmswitch.types.machine import Gpu

_GIB: Final = 2**30
_LARGE_BYTES: Final = 36 * _GIB
_SHARE: Final = 0.65
"""Of main memory, where nobody has set a limit. Recorded: 65.8 % of 18 GB, 66.7 % of 16, 24, 32."""
_LARGE_SHARE: Final = 0.75
"""The same from 36 GB on. Recorded: 75 % of 36, 48, 64; newer systems give more."""

Sysctl = Callable[[str], int | None]
"""Gives a number that the kernel publishes under a name; `None` if it does not."""


def read_sysctl(name: str) -> int | None:
    """Ask the kernel of macOS for a number; `None` on other systems. See `Sysctl`."""
    if sys.platform != "darwin":
        return None
    library = ctypes.CDLL(None)
    return sysctl_number(library.sysctlbyname, name)


def sysctl_number(sysctlbyname: Any, name: str) -> int | None:
    """Call the C function `sysctlbyname` for a number of four or eight bytes."""
    number = ctypes.c_uint64(0)  # A number of four bytes fills the lower half.
    size = ctypes.c_size_t(ctypes.sizeof(number))
    failed = sysctlbyname(name.encode(), ctypes.byref(number), ctypes.byref(size), None, 0)
    return None if failed else number.value


def find_metal() -> Any | None:
    """Open the default Metal device through PyObjC; `None` if either is not there."""
    try:
        metal = importlib.import_module("Metal")
        return metal.MTLCreateSystemDefaultDevice()
    except (ImportError, AttributeError, KeyError):  # PyObjC's lazy loader raises all three.
        return None


class AppleSilicon:
    """The one GPU of a Mac with Apple silicon.

    Its total is what Metal recommends as the largest working set. Without PyObjC's Metal it is the
    limit that the user has set (`sysctl iogpu.wired_limit_mb`), else 65 % of main memory, 75 % from
    36 GiB on. How much of that is free is main memory's to say.

    Args:
        sysctl: Reads the kernel's numbers.
        metal: Opens the Metal device; called once.
    """

    def __init__(
        self, *, sysctl: Sysctl = read_sysctl, metal: Callable[[], Any | None] = find_metal
    ) -> None:
        self._sysctl = sysctl
        self._open = metal

    def gpus(self) -> tuple[Gpu, ...] | None:
        """List it; `None` on a Mac with an Intel processor, which may have a card of any maker."""
        if not self._is_apple_silicon:
            return None
        return (
            Gpu(name=self._name, total_bytes=self._budget_bytes(), free_bytes=None, unified=True),
        )

    @cached_property
    def _is_apple_silicon(self) -> bool:
        # `platform.machine()` says x86_64 to a Python that Rosetta translates.
        return self._sysctl("hw.optional.arm64") == 1

    @cached_property
    def _device(self) -> Any | None:
        return self._open()

    @cached_property
    def _name(self) -> str:
        return "Apple GPU" if self._device is None else str(self._device.name())

    def _budget_bytes(self) -> int | None:
        if self._device is not None:
            return int(self._device.recommendedMaxWorkingSetSize()) or None
        return budget_bytes(
            ram_bytes=self._sysctl("hw.memsize"), limit_mib=self._sysctl("iogpu.wired_limit_mb")
        )


def budget_bytes(*, ram_bytes: int | None, limit_mib: int | None) -> int | None:
    """Say how much the GPU may take: what the user has set, else a share of main memory.

    A limit of 0 is the system's own, and so is none: before macOS 14 it had another name.
    """
    if ram_bytes is None:
        return None
    if limit_mib:
        return min(limit_mib * MIB, ram_bytes)
    return int(ram_bytes * (_LARGE_SHARE if ram_bytes >= _LARGE_BYTES else _SHARE))
