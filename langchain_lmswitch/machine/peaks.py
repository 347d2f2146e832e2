"""The most that a host took during a load, measured by gpu-tracker in a process of its own."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

import psutil

from langchain_lmswitch.machine.brands import Brand
from langchain_lmswitch.types.readings import Peak

COMMAND: Final = (sys.executable, "-m", "langchain_lmswitch.machine.probe")
_START_S: Final = 60.0
_STOP_S: Final = 60.0
_UNITS: Final[Mapping[str, int]] = {"nvidia": 2**20, "amd": 10**6}
"""What it calls a megabyte is what the vendor's tool told: MiB of NVIDIA's."""


class ProbeFailed(Exception):  # noqa: N818 - an outcome, caught beside its only raisers
    """Nothing was measured; the reason is its message."""


class PeakProbe:
    """Measures the peak of a process and all below it while it is entered.

    It is ready within 2 to 4 s, and done half a second after the end. On an H200 it saw all of
    2 GiB that a child held for half a second, and 518 MiB of CUDA's own, which take 527 MiB of
    what is free.

    Args:
        pid: The host's uppermost process.
        brand: Whose GPUs to look at; `None` leaves them out.
        command: What runs the probe.
    """

    def __init__(self, pid: int, *, brand: Brand | None, command: Sequence[str] = COMMAND) -> None:
        self._pid = pid
        self._brand = brand
        self._command = command
        self._child: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def __aenter__(self) -> Self:
        """Begin; what is held now is subtracted at the end.

        Raises:
            ProbeFailed: The process may not be looked at, or the probe does not run.
        """
        self._folder = _made_folder()
        try:
            self._child = self._started(self._folder.name)
            _check_ready(await self._line(_START_S))
        except BaseException:
            self._end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    async def peak(self) -> Peak:
        """End it and give what it saw.

        Raises:
            ProbeFailed: It has ended without an answer.
        """
        if self._child is not None and self._child.stdin is not None:
            with suppress(OSError):
                self._child.stdin.close()
        return read_peak(await self._line(_STOP_S))

    def _started(self, folder: str) -> subprocess.Popen[str]:
        # What we import is found by the child, too, wherever it is; nothing is read from its
        # folder, which may be the user's.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        try:
            return subprocess.Popen(  # noqa: S603 - our own interpreter
                [*self._command, str(self._pid), self._brand or "none", folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=environment,
                start_new_session=True,  # Ctrl-C is ours; it ends when its input does
            )
        except OSError as error:
            raise ProbeFailed(f"the probe does not start: {error.strerror}") from error

    async def _line(self, within_s: float) -> str:
        child = self._child
        if child is None or child.stdout is None:
            raise ProbeFailed("the probe does not run")
        try:
            async with asyncio.timeout(within_s):
                line = await asyncio.to_thread(child.stdout.readline)
        except TimeoutError as error:
            raise ProbeFailed(f"the probe gave no answer within {within_s:g} s") from error
        if not line:
            raise ProbeFailed("the probe ended by itself")
        return line.strip()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            _kill(child)
            for pipe in (child.stdin, child.stdout):
                with suppress(OSError):
                    pipe.close() if pipe else None
        if self._folder is not None:
            self._folder.cleanup()


def _made_folder() -> "tempfile.TemporaryDirectory[str]":
    try:
        return tempfile.TemporaryDirectory(prefix="lmswitch-probe-", ignore_cleanup_errors=True)
    except OSError as error:
        raise ProbeFailed(f"there is no place for its file: {error.strerror}") from error


def read_peak(line: str) -> Peak:
    """Read what the probe said.

    1. What was held before is subtracted: the host itself, and other models.
    2. Nothing at all in main memory is a process that has gone.
    3. No growth on a GPU is unknown: gpu-tracker says 0 for what it did not see.

    Raises:
        ProbeFailed: It says that it failed, or something else.
    """
    match _parsed(line):
        case {
            "before": {"ram": int() | float() as ram_before, "gpu": int() | float() as gpu_before},
            "during": {"ram": int() | float() as ram, "gpu": int() | float() as gpu},
            "brand": str(brand),
        }:
            vram_bytes = round((gpu - gpu_before) * _UNITS.get(brand, 0))  # 1
            return Peak(
                ram_bytes=round(max(0, ram - ram_before)) if ram and ram_before else None,  # 2
                vram_bytes=vram_bytes if vram_bytes > 0 else None,  # 3
            )
        case _:
            raise ProbeFailed(_failure(line))


def _check_ready(line: str) -> None:
    if line != "ready":
        raise ProbeFailed(_failure(line))


def _kill(child: "subprocess.Popen[str]") -> None:
    """End the probe, and first what it started, which would go on alone."""
    with suppress(psutil.Error):
        for one in psutil.Process(child.pid).children(recursive=True):
            with suppress(psutil.Error):
                one.kill()
    child.kill()
    child.wait()


def _failure(line: str) -> str:
    match _parsed(line):
        case {"error": "AccessDenied"}:
            return "the host's processes belong to another user"
        case {"error": "NoSuchProcess"}:
            return "the host's process has gone"
        case {"error": str(kind)}:
            return f"gpu-tracker failed: {kind}"
        case _:
            return f"the probe said {line[:80]!r}"


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
