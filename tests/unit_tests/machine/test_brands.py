"""Whose GPUs gpu-tracker understands: by what the vendors' tools print, recorded."""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from langchain_lmswitch.machine.brands import gpu_brand

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the tools are shell scripts")

RTX = "NVIDIA GeForce RTX 4090, 24564, 23010"
GB10 = "NVIDIA GB10, [N/A], [N/A]"
WDDM = "NVIDIA RTX A2000 8GB Laptop GPU, 8188, [N/A]"
H200 = "NVIDIA H200, 143771, 137510"
NO_DRIVER = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
AMD = "gpu,total_vram,used_vram,free_vram\n0,16368,100,16268"
AMD_SILENT = "gpu,total_vram,used_vram,free_vram\n0,N/A,N/A,N/A"

Install = Callable[..., None]


@pytest.fixture(name="install")
def _install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put tools on a path that has nothing else."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def install(name: str, *, gpus: str, processes: str = "", code: int = 0) -> None:
        script = tmp_path / name
        script.write_text(
            f'#!/bin/sh\ncase "$*" in *compute-apps*) printf "%s" "{processes}" ;; '
            f'*) printf "%s" "{gpus}" ;; esac\nexit {code}\n'
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)

    return install


def brand(**options: Any) -> str | None:
    return gpu_brand(**{"platform": "linux", "enclosure": "none", "python": (3, 12), **options})


def test_no_tool(install: Install) -> None:
    assert install is not None
    assert brand() is None


@pytest.mark.parametrize(
    ("gpus", "processes", "expected"),
    [
        pytest.param(RTX, "", "nvidia", id="nobody uses it yet"),
        pytest.param(H200, "547, 5638\n", "nvidia", id="H200"),
        pytest.param(RTX, "812, 1024\n977, 5210\n", "nvidia", id="others use it"),
        pytest.param(f"{RTX}\n{RTX}", "812, 1024", "nvidia", id="two"),
        pytest.param(RTX, "812, [N/A]", None, id="processes are not told: WSL 2 and WDDM"),
        pytest.param(RTX, "812, [Insufficient Permissions]", None, id="not to us"),
        pytest.param(WDDM, "", None, id="free is not told"),
        pytest.param(GB10, "", None, id="memory is main memory: GB10, Jetson"),
        pytest.param(f"{RTX}\n{GB10}", "", None, id="one of two"),
        pytest.param("No devices were found", "", None, id="no devices"),
        pytest.param("garbage", "", None, id="something else"),
    ],
)
def test_nvidia(install: Install, gpus: str, processes: str, expected: str | None) -> None:
    install("nvidia-smi", gpus=gpus, processes=processes)

    assert brand() == expected


def test_nvidia_without_driver(install: Install) -> None:
    install("nvidia-smi", gpus=NO_DRIVER, code=9)

    assert brand() is None


def test_tool_that_cannot_be_run(install: Install, tmp_path: Path) -> None:
    """As an unreadable folder on the path, it makes gpu-tracker's constructor fail."""
    install("nvidia-smi", gpus=RTX)

    def run(command: object) -> str:
        raise PermissionError(13, "Permission denied", str(tmp_path / str(command)))

    assert brand(run=run) is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, "amd", id="3.12"),
        pytest.param({"python": (3, 11)}, "amd", id="3.11"),
        pytest.param({"python": (3, 13)}, None, id="3.13"),
        pytest.param({"python": (3, 14)}, None, id="3.14"),
    ],
)
def test_amd(install: Install, options: dict[str, Any], expected: str | None) -> None:
    install("amd-smi", gpus=AMD)

    assert brand(**options) == expected


def test_amd_that_does_not_tell(install: Install) -> None:
    install("amd-smi", gpus=AMD_SILENT)

    assert brand() is None


def test_with_nvidias_tool_amd_is_not_asked(install: Install) -> None:
    """Just as gpu-tracker itself looks at one of them only."""
    install("nvidia-smi", gpus=GB10)
    install("amd-smi", gpus=AMD)

    assert brand() is None


@pytest.mark.parametrize(
    "options", [{"platform": "win32"}, {"platform": "darwin"}, {"enclosure": "wsl"}]
)
def test_drivers_that_tell_nothing_of_processes(install: Install, options: dict[str, Any]) -> None:
    install("nvidia-smi", gpus=RTX)

    assert brand(**options) is None


def test_this_computer() -> None:
    assert gpu_brand() in {None, "nvidia", "amd"}
    assert os.environ["PATH"]
