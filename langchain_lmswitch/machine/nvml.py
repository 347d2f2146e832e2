"""NVIDIA GPUs through NVML, the library that every driver brings."""

import importlib
import logging
import weakref
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


class Nvml:
    """GPUs as NVML tells them.

    It is initialized once, on the first question, whatever comes of it; and shut down once, with
    this object or at the end of the process.

    Args:
        nvml: The module `pynvml`.
    """

    quick: Final = True
    """It is a library: an answer takes 0.1 ms."""

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
        if self._ready is None:
            self._ready = self._initialize()
        if not self._ready:
            raise NoAnswer
        try:
            count = self._nvml.nvmlDeviceGetCount()
        except self._nvml.NVMLError as error:
            raise NoAnswer from error
        return tuple(self._gpu(index) for index in range(count))

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
