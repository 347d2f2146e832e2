"""NVML's answers, recorded."""

# ruff: noqa: N802 - the stand-in has the names of NVML

import gc
import os
from types import SimpleNamespace
from typing import Any

import pytest

from langchain_lmswitch.machine.nvml import Nvml, held_on_gpus, import_nvml
from langchain_lmswitch.machine.tools import NoAnswer
from langchain_lmswitch.types.machine import Gpu


def unknown(name: str) -> Gpu:
    return Gpu(name=name, total_bytes=None, free_bytes=None)


class NVMLError(Exception):
    """As in `pynvml`."""

    def __init__(self, message: str, value: int = 999) -> None:
        super().__init__(message)
        self.value = value


NOT_SUPPORTED = 3
NO_PERMISSION = 4
GPU_IS_LOST = 15


class RecordedNvml:
    """The eight functions of `pynvml` that we call."""

    NVMLError = NVMLError
    NVML_ERROR_NOT_SUPPORTED = NOT_SUPPORTED

    def __init__(self, *devices: Any, init: Exception | None = None) -> None:
        self.devices = devices
        self.init = init
        self.inits = 0
        self.shutdowns = 0
        self.lost = False

    def nvmlInit(self) -> None:
        self.inits += 1
        if self.init:
            raise self.init

    def nvmlShutdown(self) -> None:
        self.shutdowns += 1
        if self.lost:
            raise NVMLError("Uninitialized", 1)

    def nvmlDeviceGetCount(self) -> int:
        if self.lost:
            raise NVMLError("Driver Not Loaded")
        return len(self.devices)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any:
        return self.devices[index]

    def nvmlDeviceGetName(self, handle: Any) -> Any:
        return handle.name

    def nvmlDeviceGetMemoryInfo(self, handle: Any) -> Any:
        if isinstance(handle.memory, Exception):
            raise handle.memory
        return handle.memory

    def nvmlDeviceGetComputeRunningProcesses(self, handle: Any) -> Any:
        return self._processes(handle.computing)

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: Any) -> Any:
        return self._processes(handle.drawing)

    @staticmethod
    def _processes(told: Any) -> Any:
        if isinstance(told, int):
            raise NVMLError("recorded", told)
        return [SimpleNamespace(pid=pid, usedGpuMemory=size) for pid, size in told.items()]


Told = dict[int, int | None] | int
"""What each process holds, or an error."""


def device(
    name: str | bytes = "H200",
    *,
    total: int = 0,
    free: int = 0,
    error: int = 0,
    computing: Told = NOT_SUPPORTED,
    drawing: Told = NOT_SUPPORTED,
) -> Any:
    memory = NVMLError("recorded", error) if error else SimpleNamespace(total=total, free=free)
    return SimpleNamespace(name=name, memory=memory, computing=computing, drawing=drawing)


def test_nvml_lists_each_gpu() -> None:
    """Free memory is told card by card; old bindings give names as bytes."""
    nvml = RecordedNvml(
        device("NVIDIA H200", total=150754820096, free=144188768256),
        device(b"Tesla T4", total=16106127360, free=0),
    )

    assert Nvml(nvml).gpus() == (
        Gpu(name="NVIDIA H200", total_bytes=150754820096, free_bytes=144188768256),
        Gpu(name="Tesla T4", total_bytes=16106127360, free_bytes=0),
    )


@pytest.mark.parametrize("error", [NO_PERMISSION, GPU_IS_LOST])
def test_nvml_gpu_that_does_not_tell(error: int) -> None:
    """It is there, with unknown memory; the others are not hidden by it."""
    nvml = RecordedNvml(device("NVIDIA A10", error=error), device("T4", total=9, free=3))

    assert Nvml(nvml).gpus() == (
        unknown("NVIDIA A10"),
        Gpu(name="T4", total_bytes=9, free_bytes=3),
    )


def test_nvml_gpu_without_memory_of_its_own() -> None:
    """GB10 and Jetson answer that the question does not apply: they have main memory."""
    nvml = RecordedNvml(device("NVIDIA GB10", error=NOT_SUPPORTED))

    assert Nvml(nvml).gpus() == (
        Gpu(name="NVIDIA GB10", total_bytes=None, free_bytes=None, unified=True),
    )


HOST, WORKER, BROWSER = 445, 447, 900
H200: Told = {WORKER: 5911871488}
"""One that computes, of 5 GiB, recorded; nobody draws."""


@pytest.mark.parametrize(
    ("devices", "held"),
    [
        pytest.param([device(computing=H200, drawing={})], 5911871488, id="H200"),
        pytest.param([device(computing={WORKER: 7, BROWSER: 9})], 7, id="others do not count"),
        pytest.param([device(drawing={WORKER: 7})], 7, id="Vulkan"),
        pytest.param([device(computing={HOST: 7}, drawing={HOST: 7})], 7, id="it does both"),
        pytest.param([device(computing={HOST: 1, WORKER: 7})] * 2, 16, id="two, on two cards"),
        pytest.param([device(computing={BROWSER: 9})], None, id="not listed: another container"),
        pytest.param([device(computing={WORKER: None})], None, id="without sizes: WSL 2"),
        pytest.param([device(computing=NO_PERMISSION)], None, id="not to us"),
        pytest.param([device(computing=H200), device(computing=GPU_IS_LOST)], None, id="lost"),
        pytest.param([device()], None, id="not supported"),
    ],
)
def test_what_processes_hold(devices: list[Any], held: int | None) -> None:
    nvml = Nvml(RecordedNvml(*devices))
    try:
        told = nvml.held({HOST, WORKER})
    except NoAnswer:
        told = None

    assert told == held


def test_nobody_knows_what_processes_hold_without_a_driver() -> None:
    with pytest.raises(NoAnswer):
        Nvml(RecordedNvml(init=NVMLError("Driver Not Loaded"))).held({HOST})


def test_what_this_very_process_holds() -> None:
    """Nothing: no test takes memory of a GPU."""
    assert held_on_gpus({os.getpid()}) is None


def test_nvml_is_initialized_once() -> None:
    recorded = RecordedNvml(device("T4", total=9, free=3))
    nvml = Nvml(recorded)
    for _ in range(3):
        nvml.gpus()

    assert recorded.inits == 1


def test_nvml_that_fails_is_not_tried_again() -> None:
    recorded = RecordedNvml(init=NVMLError("Driver Not Loaded"))
    nvml = Nvml(recorded)
    for _ in range(3):
        with pytest.raises(NoAnswer):
            nvml.gpus()

    assert recorded.inits == 1


def test_nvml_that_loses_its_driver_recovers() -> None:
    recorded = RecordedNvml(device("T4", total=9, free=3))
    nvml = Nvml(recorded)
    recorded.lost = True
    with pytest.raises(NoAnswer):
        nvml.gpus()
    recorded.lost = False

    assert len(nvml.gpus()) == 1


@pytest.mark.parametrize("lost", [False, True], ids=["well", "after its driver went"])
def test_nvml_is_shut_down_once(*, lost: bool) -> None:
    """With the object, or at the end of the process; if that fails, nobody is told."""
    recorded = RecordedNvml(device("T4", total=9, free=3))
    nvml = Nvml(recorded)
    nvml.gpus()
    recorded.lost = lost
    assert recorded.shutdowns == 0
    del nvml
    gc.collect()

    assert recorded.shutdowns == 1


def test_nvml_that_failed_is_not_shut_down() -> None:
    recorded = RecordedNvml(init=NVMLError("Driver Not Loaded"))
    nvml = Nvml(recorded)
    with pytest.raises(NoAnswer):
        nvml.gpus()
    del nvml
    gc.collect()

    assert recorded.shutdowns == 0


def test_real_binding_has_the_names_we_call() -> None:
    """`pynvml`, where it is installed, answers or says that there is no driver."""
    nvml = import_nvml()
    if nvml is None:
        pytest.skip("nvidia-ml-py is not installed")
    try:
        Nvml(nvml).gpus()
    except NoAnswer:
        assert issubclass(nvml.NVMLError, Exception)
    assert nvml.NVML_ERROR_NOT_SUPPORTED == NOT_SUPPORTED
    assert nvml.NVMLError(NOT_SUPPORTED).value == NOT_SUPPORTED
    assert callable(nvml.nvmlShutdown)
    assert callable(nvml.nvmlDeviceGetComputeRunningProcesses)
    assert callable(nvml.nvmlDeviceGetGraphicsRunningProcesses)
