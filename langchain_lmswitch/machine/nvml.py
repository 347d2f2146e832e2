"""NVIDIA GPUs through NVML, the library that every driver brings."""

import importlib
import logging
import weakref
from collections.abc import Callable, Collection, Iterator
from functools import cache
from types import ModuleType
from typing import Any, Final

from langchain_lmswitch.machine.tools import NoAnswer
from langchain_lmswitch.types.machine import Gpu

_logger = logging.getLogger(__name__)


def import_nvml() -> ModuleType | None:
    """Import NVML's Python binding (`nvidia-ml-py`); `None` if it is not installed."""
    try:
        return importlib.import_module("pynvml")
    except ImportError:
        return None


HeldOnGpus = Callable[[Collection[int]], int | None]
"""Sums what some processes hold on GPUs; `None` if that is not told."""


class Nvml:
    """GPUs as NVML tells them.

    It is initialized once, on the first question, whatever comes of it; and shut down once, with
    this object or at the end of the process.

    Args:
        nvml: The module `pynvml`.
    """

    quick: Final = True
    """It is a library: an answer takes 0.01 ms, after the first with 20 ms (an H200)."""

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml
        self._ready: bool | None = None

    def gpus(self) -> tuple[Gpu, ...]:
        """List the GPUs; one that does not tell its memory is listed with `None`.

        That is so for a lost GPU and one without permission. One that cannot have an answer, since
        it has no memory of its own (GB10, Jetson), is unified. Under WSL 2 all of them tell.

        Raises:
            NoAnswer: There is no driver, or it does not answer.
        """
        return tuple(self._gpu(index) for index in range(self._count()))

    def held(self, pids: Collection[int]) -> int | None:
        """Sum what processes hold on all GPUs; `None` if that is not told, or none is listed.

        It is told on Linux, of processes that are seen from where we are: those in our own
        container, with the numbers they have there, whoever's they are. Windows and WSL 2 list
        them without sizes. On an H200 a process is 9 MiB more to what is free than it has here.

        Raises:
            NoAnswer: There is no driver, or it does not answer.
        """
        try:
            sizes = [size for index in range(self._count()) for size in self._sizes(index, pids)]
        except self._nvml.NVMLError as error:
            raise NoAnswer from error
        known = [size for size in sizes if size is not None]
        return sum(known) if known and len(known) == len(sizes) else None

    def _sizes(self, index: int, pids: Collection[int]) -> Iterator[int | None]:
        """List what each of these processes holds on one GPU: computing, drawing or both."""
        handle = self._nvml.nvmlDeviceGetHandleByIndex(index)
        computing = self._nvml.nvmlDeviceGetComputeRunningProcesses
        drawing = self._nvml.nvmlDeviceGetGraphicsRunningProcesses
        listed = [*self._listed(computing, handle), *self._listed(drawing, handle)]
        yield from {one.pid: one.usedGpuMemory for one in listed if one.pid in pids}.values()

    def _listed(self, ask: Callable[[Any], list[Any]], handle: Any) -> list[Any]:
        try:
            return ask(handle)
        except self._nvml.NVMLError as error:
            if error.value != self._nvml.NVML_ERROR_NOT_SUPPORTED:
                raise
            return []

    def _count(self) -> int:
        if self._ready is None:
            self._ready = self._initialize()
        if not self._ready:
            raise NoAnswer
        try:
            return int(self._nvml.nvmlDeviceGetCount())
        except self._nvml.NVMLError as error:
            raise NoAnswer from error

    def _initialize(self) -> bool:
        try:
            self._nvml.nvmlInit()
        except self._nvml.NVMLError as error:
            _logger.debug("NVML is not usable: %s", error)
            return False
        weakref.finalize(self, _shut_down, self._nvml)
        return True

    def _gpu(self, index: int) -> Gpu:
        name = f"NVIDIA GPU {index}"
        try:
            handle = self._nvml.nvmlDeviceGetHandleByIndex(index)
            told = self._nvml.nvmlDeviceGetName(handle)
            name = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
            memory = self._nvml.nvmlDeviceGetMemoryInfo(handle)
        except self._nvml.NVMLError as error:
            _logger.debug("NVML does not tell the memory of GPU %d: %s", index, error)
            unified = getattr(error, "value", None) == self._nvml.NVML_ERROR_NOT_SUPPORTED
            return Gpu(name=name, total_bytes=None, free_bytes=None, unified=unified)
        known = bool(memory.total)
        return Gpu(
            name=name,
            total_bytes=int(memory.total) if known else None,
            free_bytes=int(memory.free) if known else None,
        )


def _shut_down(nvml: Any) -> None:
    try:
        nvml.nvmlShutdown()
    except nvml.NVMLError as error:
        _logger.debug("NVML did not shut down: %s", error)


def held_on_gpus(pids: Collection[int]) -> int | None:
    """Sum what processes hold on NVIDIA GPUs, by a binding that is kept; see `HeldOnGpus`."""
    nvml = _kept()
    try:
        return None if nvml is None else nvml.held(pids)
    except NoAnswer:
        return None


@cache
def _kept() -> Nvml | None:
    nvml = import_nvml()
    return None if nvml is None else Nvml(nvml)
