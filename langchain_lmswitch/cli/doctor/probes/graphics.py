"""Probe: GPUs, signs of GPUs, and the tools that tell of them."""

import csv
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langchain_lmswitch.cli.doctor.examination import Examination, aside
from langchain_lmswitch.machine import amd, smi
from langchain_lmswitch.machine.files import read_text
from langchain_lmswitch.machine.nvml import import_nvml
from langchain_lmswitch.machine.tools import installed
from langchain_lmswitch.types.machine import Gpu, Snapshot

_VENDORS: Final = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"}
"""Others are screens of virtual machines and servers, which compute nothing."""
_DISPLAY: Final = "0x03"
_SIGNS: Final = (
    ("NVIDIA", "proc/driver/nvidia/version"),
    ("NVIDIA", "dev/nvidia0"),
    ("NVIDIA", "usr/lib/wsl/lib/libnvidia-ml.so.1"),
    ("AMD", "dev/kfd"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graphics:
    """What is told of GPUs, and what hints at them."""

    gpus: tuple[Gpu, ...] | None
    """As the package sees them; `None` if it is unknown whether there are any."""
    cards: tuple[str, ...] = ()
    """Makers of the graphics cards on the bus."""
    signs: tuple[tuple[str, str], ...] = ()
    """Files that a driver or its device leaves, each with the maker."""
    tools: tuple[str, ...] = ()
    """Which of the tools are here: `nvml`, `nvidia-smi`, `amd-smi`."""
    printed: tuple[tuple[str, ...], ...] = ()
    """What `nvidia-smi` printed: name, total and free of each GPU, as they are."""
    container: bool = False


async def read_graphics(exam: Examination) -> Graphics:
    """Look for GPUs."""
    snapshot = await exam.of(read_snapshot)
    return await aside(lambda: _graphics(exam.root, snapshot.gpus))


async def read_snapshot(exam: Examination) -> Snapshot:
    """Measure this machine."""
    return await aside(exam.session.measure().snapshot)


def _graphics(root: Path, gpus: tuple[Gpu, ...] | None) -> Graphics:
    from langchain_lmswitch.machine.boundary import read_surroundings

    named = {"nvidia-smi": smi.COMMAND, "amd-smi": amd.COMMAND}
    tools = [name for name, command in named.items() if installed(command)]
    untold = gpus is None or any(gpu.unified or gpu.free_bytes is None for gpu in gpus)
    return Graphics(
        gpus=gpus,
        cards=tuple(dict.fromkeys(_cards(root))),
        signs=tuple((maker, f"/{path}") for maker, path in _SIGNS if (root / path).exists()),
        tools=(*tools, *(["nvml"] if import_nvml() else [])),
        printed=_printed() if untold and "nvidia-smi" in tools else (),
        container=read_surroundings(root=root).enclosure == "container",
    )


def _cards(root: Path) -> Iterator[str]:
    for device in sorted((root / "sys/bus/pci/devices").glob("*")):
        maker = _VENDORS.get(read_text(device / "vendor"))
        if maker and read_text(device / "class").startswith(_DISPLAY):
            yield maker


def _printed() -> tuple[tuple[str, ...], ...]:
    try:
        text = smi.run_smi(smi.COMMAND)
    except (OSError, subprocess.SubprocessError):
        return ()
    rows = csv.reader(text.splitlines(), skipinitialspace=True)
    return tuple(tuple(field.strip() for field in row) for row in rows if len(row) == 3)  # noqa: PLR2004
