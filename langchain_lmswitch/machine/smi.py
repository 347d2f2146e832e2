"""NVIDIA GPUs through `nvidia-smi`, for want of NVML's Python binding."""

import csv
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Final

from langchain_lmswitch.machine.tools import RunCommand, Tool, mib, run_command
from langchain_lmswitch.types.machine import Gpu

COMMAND: Final = (
    "nvidia-smi",
    "--query-gpu=name,memory.total,memory.free",
    "--format=csv,noheader,nounits",
)

_NOT_APPLICABLE: Final = "[N/A]"
_NO_DEVICES: Final = "No devices were found"


def run_smi(command: Sequence[str]) -> str:
    """Run it; that there are no devices is an answer, though it ends with 6 then."""
    try:
        return run_command(command)
    except subprocess.CalledProcessError as error:
        if _NO_DEVICES in (error.stdout or ""):
            return _NO_DEVICES
        raise


def nvidia_smi(*, run: RunCommand = run_smi, clock: Callable[[], float] = time.monotonic) -> Tool:
    """Make what asks `nvidia-smi`, which takes 22 to 27 ms (an H200)."""
    return Tool(COMMAND, parse_smi, run=run, clock=clock)


def parse_smi(text: str) -> tuple[Gpu, ...]:
    """Read what `nvidia-smi` printed: a line for each GPU, sizes in MiB.

    `[N/A]`, `[Not Supported]` and the like are unknown, not zero. A GPU to which even the total
    does not apply (`[N/A]`: GB10, Jetson) has no memory of its own.

    Raises:
        ValueError: It printed something else.
    """
    if text.strip() == _NO_DEVICES:
        return ()
    rows = csv.reader(text.splitlines(), skipinitialspace=True)
    return tuple(_gpu(row) for row in rows if row)


def _gpu(row: list[str]) -> Gpu:
    match row:
        case [name, total, free]:
            total_bytes = mib(total) or None
            free_bytes = None if total_bytes is None else mib(free)
            return Gpu(
                name=name.strip(),
                total_bytes=total_bytes,
                free_bytes=free_bytes,
                unified=total.strip() == _NOT_APPLICABLE,
            )
        case _:
            raise ValueError(f"not a line of nvidia-smi: {','.join(row)!r}")
