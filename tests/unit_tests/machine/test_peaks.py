"""gpu-tracker in a process of its own, with real processes and tools that print as real ones do."""

import asyncio
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from langchain_lmswitch.machine import probe
from langchain_lmswitch.machine.peaks import PeakProbe, ProbeFailed, read_peak
from langchain_lmswitch.types.readings import Peak

MIB = 2**20
HOLD_BYTES = 100 * MIB

HOST = """
import sys
for line in sys.stdin:
    held = bytearray(b"x") * int(line)
    print(flush=True)
"""
"""Holds as many bytes as it is told."""

NVIDIA = """#!/bin/sh
case "$*" in
*compute-apps*)
  echo "pid, used_gpu_memory [MiB]"
  echo "1, 300 MiB"
  [ -f {folder}/loaded ] && echo "{pid}, {used}"
  exit 0 ;;
*utilization*)
  echo "uuid, memory.used [MiB], utilization.gpu [%]"
  echo "GPU-1, 900 MiB, 3 %" ;;
*)
  echo "uuid, memory.total [MiB]"
  echo "GPU-1, {total}" ;;
esac
"""


class Host:
    def __init__(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", HOST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.hold(MIB)

    def hold(self, size_bytes: int) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{size_bytes}\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    @property
    def pid(self) -> int:
        return self.process.pid


@pytest.fixture(name="host")
def _host() -> Iterator[Host]:
    host = Host()
    yield host
    host.process.kill()
    host.process.communicate()


async def peak_of(host: Host, *, brand: Any = None, loaded: Path | None = None) -> Peak:
    """Let the host take memory under the probe, and give most of it back."""
    async with PeakProbe(host.pid, brand=brand) as probed:
        await asyncio.to_thread(host.hold, HOLD_BYTES)
        if loaded is not None:
            await asyncio.to_thread(loaded.touch)
        await asyncio.sleep(1)
        await asyncio.to_thread(host.hold, MIB)
        return await probed.peak()


async def test_peak_is_what_it_took_beyond_what_it_held(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No GPU was looked at, so that is unknown; nothing is written where the user works."""
    monkeypatch.chdir(tmp_path)
    peak = await peak_of(host)

    assert peak.vram_bytes is None
    assert peak.ram_bytes is not None
    assert 0.95 * HOLD_BYTES < peak.ram_bytes < 1.2 * HOLD_BYTES
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []
    assert children_of(os.getpid()) == {host.pid}


def children_of(pid: int) -> set[int]:
    return {one.pid for one in psutil.Process(pid).children(recursive=True)}


@pytest.mark.skipif(sys.platform != "linux", reason="the tool is a shell script")
@pytest.mark.parametrize(
    ("total", "used", "vram_bytes"),
    [
        pytest.param("24564 MiB", "5210 MiB", 5210 * MIB, id="its megabytes are MiB"),
        pytest.param("24564 MiB", "[N/A]", None, id="a process's part is not told after all"),
        pytest.param("[N/A]", "[N/A]", None, id="the constructor fails"),
    ],
)
async def test_nvidia(  # noqa: PLR0917 - fixtures and cases
    host: Host,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    total: str,
    used: str,
    vram_bytes: int | None,
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(NVIDIA.format(folder=tmp_path, pid=host.pid, used=used, total=total))
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    peak = await peak_of(host, brand="nvidia", loaded=tmp_path / "loaded")

    assert peak.vram_bytes == vram_bytes
    assert peak.ram_bytes is not None
    assert peak.ram_bytes > 0.95 * HOLD_BYTES


async def test_process_that_has_gone(host: Host) -> None:
    host.process.kill()
    host.process.wait()
    with pytest.raises(ProbeFailed, match="gone"):
        await peak_of(host)


async def test_probe_that_does_not_run(host: Host) -> None:
    for command, why in (
        ((sys.executable, "-c", "pass"), "ended by itself"),
        (("/nowhere/python",), "does not start"),
        ((sys.executable, "-c", "print('Hello')"), "said 'Hello'"),
    ):
        with pytest.raises(ProbeFailed, match=why):
            async with PeakProbe(host.pid, brand=None, command=command):
                pass


async def test_leaving_early_ends_it_and_what_it_started(host: Host) -> None:
    async with PeakProbe(host.pid, brand=None):
        started = children_of(os.getpid()) - {host.pid}
    await asyncio.sleep(0.2)

    assert len(started) >= 2  # the probe, and the tracker that it forked
    assert not any(map(is_running, started))


def is_running(pid: int) -> bool:
    """Tell whether a process does anything: one that was killed may wait to be buried."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_process_of_another_user_is_not_tried_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def denied(*_: object) -> object:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "memory_maps", denied, raising=False)
    monkeypatch.setattr(psutil.Process, "memory_info", denied)
    with pytest.raises(psutil.AccessDenied):
        probe.check_readable(os.getpid())


def said(*, ram: float = 5e8, gpu: float = 0.0, brand: str = "none", **more: Any) -> str:
    before = {"ram": 1e8, "gpu": 100.0}
    return json.dumps({"before": before, "during": {"ram": ram, "gpu": gpu}, "brand": brand} | more)


H200 = (
    '{"before": {"ram": 130015232.0, "gpu": 518.0}, '
    '"during": {"ram": 130154496.0, "gpu": 2566.0}, "brand": "nvidia"}'
)
"""A process with a context of CUDA took 2 GiB."""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (H200, Peak(ram_bytes=139_264, vram_bytes=2 * 2**30)),
        (said(), Peak(ram_bytes=400_000_000, vram_bytes=None)),
        (said(ram=0.0), Peak(ram_bytes=None, vram_bytes=None)),
        (said(gpu=1124.0, brand="nvidia"), Peak(ram_bytes=400_000_000, vram_bytes=2**30)),
        (said(gpu=1124.0, brand="amd"), Peak(ram_bytes=400_000_000, vram_bytes=1_024_000_000)),
        (said(gpu=100.0, brand="nvidia"), Peak(ram_bytes=400_000_000, vram_bytes=None)),
        (said(gpu=1124.0), Peak(ram_bytes=400_000_000, vram_bytes=None)),
    ],
)
def test_read_peak(line: str, expected: Peak) -> None:
    assert read_peak(line) == expected


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"error": "AccessDenied"}', "another user"),
        ('{"error": "ValueError"}', "gpu-tracker failed: ValueError"),
        ("Traceback", "said 'Traceback'"),
        ('{"before": {}}', "said"),
    ],
)
def test_read_failure(line: str, why: str) -> None:
    with pytest.raises(ProbeFailed, match=why):
        read_peak(line)
