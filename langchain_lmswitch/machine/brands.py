"""Which GPUs gpu-tracker can be asked about on this computer, if any."""

import csv
import logging
import subprocess
import sys
from typing import Final, Literal

from langchain_lmswitch.machine import amd, smi
from langchain_lmswitch.machine.boundary import Enclosure, read_surroundings
from langchain_lmswitch.machine.tools import RunCommand, installed, run_command

_logger = logging.getLogger(__name__)

Brand = Literal["nvidia", "amd"]

PROCESSES: Final = (
    smi.COMMAND[0],
    "--query-compute-apps=pid,used_gpu_memory",
    "--format=csv,noheader,nounits",
)
_AMD_UNTIL: Final = (3, 13)


def gpu_brand(
    *,
    run: RunCommand = run_command,
    platform: str = sys.platform,
    enclosure: Enclosure | None = None,
    python: tuple[int, int] = (sys.version_info[0], sys.version_info[1]),
) -> Brand | None:
    """Say whose GPUs it may track; `None` if the memory of processes on them is not told.

    It takes every field for a number, tries again without a pause when one is none, and says 0
    where it found nothing; so it is asked only where it will understand the answers.

    1. Not on Windows, nor in WSL: there the driver does not tell what each process holds.
    2. Not on a Mac: a part of main memory is all there is.
    3. NVIDIA, if every GPU tells its memory, and every process on one what it holds of it. With
       NVIDIA's tool it asks nobody else.
    4. AMD up to Python 3.12, if every GPU tells its memory: what it is made of is gone in 3.13.

    Args:
        run: Runs the vendors' tools.
        platform: `sys.platform`.
        enclosure: What we are inside of; `None` looks.
        python: The version of Python that runs it.
    """
    inside = read_surroundings().enclosure if enclosure is None else enclosure
    if platform in {"win32", "darwin"} or inside == "wsl":  # 1, 2
        return None
    if installed(smi.COMMAND):
        return "nvidia" if _nvidia_tells(run) else None  # 3
    told = installed(amd.COMMAND) and python < _AMD_UNTIL and _amd_tells(run)
    return "amd" if told else None  # 4


def _nvidia_tells(run: RunCommand) -> bool:
    try:
        gpus = smi.parse_smi(run(smi.COMMAND))
        rows = [*csv.reader(run(PROCESSES).splitlines(), skipinitialspace=True)]
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        _logger.debug("nvidia-smi gave no answer: %s", type(error).__name__)
        return False
    whole = all(gpu.total_bytes is not None and gpu.free_bytes is not None for gpu in gpus)
    return bool(gpus) and whole and all(row[-1].strip().isdigit() for row in rows if row)


def _amd_tells(run: RunCommand) -> bool:
    try:
        gpus = amd.parse_amd_smi(run(amd.COMMAND))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        _logger.debug("amd-smi gave no answer: %s", type(error).__name__)
        return False
    return amd.all_told(gpus)
