"""NVIDIA GPUs through `nvidia-smi`, for want of NVML's Python binding."""

import csv
import logging
import subprocess
import time
from collections.abc import Callable, Sequence

from langchain_lmswitch.machine.nvml import NoAnswer
from langchain_lmswitch.types.machine import Gpu

_logger = logging.getLogger(__name__)

COMMAND = (
    "nvidia-smi",
    "--query-gpu=name,memory.total,memory.free",
    "--format=csv,noheader,nounits",
)

_TIMEOUT_S = 2.0
_CACHE_S = 3.0
"""An answer takes 10 to 20 ms as a rule, and over half a second at times."""

RunCommand = Callable[[Sequence[str]], str]
"""Runs a command and gives what it printed.

Raises:
    OSError: It could not be started.
    subprocess.SubprocessError: It failed, or took too long.
"""


def run_command(command: Sequence[str]) -> str:
    """Run a command for two seconds at most; see `RunCommand`."""
    done = subprocess.run(  # noqa: S603 - our own constant command
        command, capture_output=True, check=True, text=True, errors="replace", timeout=_TIMEOUT_S
    )
    return done.stdout


class NvidiaSmi:
    """GPUs as `nvidia-smi` prints them, asked every few seconds at most.

    Args:
        run: Runs the command.
        clock: Monotonic seconds.
    """

    def __init__(
        self, *, run: RunCommand = run_command, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._run = run
        self._clock = clock
        self._asked_s = float("-inf")
        self._answer: tuple[Gpu, ...] | None = None

    def gpus(self) -> tuple[Gpu, ...]:
        """List the GPUs; a failure, too, is remembered for a few seconds.

        Raises:
            NoAnswer: The tool failed, took too long, or printed something else.
        """
        if self._clock() - self._asked_s >= _CACHE_S:
            self._answer = self._ask()
            self._asked_s = self._clock()
        if self._answer is None:
            raise NoAnswer
        return self._answer

    def _ask(self) -> tuple[Gpu, ...] | None:
        try:
            return parse_smi(self._run(COMMAND))
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            _logger.debug("nvidia-smi gave no answer: %s", error)
            return None


def parse_smi(text: str) -> tuple[Gpu, ...]:
    """Read what `nvidia-smi` printed: a line for each GPU, sizes in MiB.

    `[N/A]`, `[Not Supported]` and the like are unknown, not zero.

    Raises:
        ValueError: It printed something else.
    """
    if text.strip() == "No devices were found":
        return ()
    rows = csv.reader(text.splitlines(), skipinitialspace=True)
    return tuple(_gpu(row) for row in rows if row)


def _gpu(row: list[str]) -> Gpu:
    match row:
        case [name, total, free]:
            total_bytes = _mib(total) or None
            free_bytes = None if total_bytes is None else _mib(free)
            return Gpu(name=name.strip(), total_bytes=total_bytes, free_bytes=free_bytes)
        case _:
            raise ValueError(f"not a line of nvidia-smi: {','.join(row)!r}")


def _mib(field: str) -> int | None:
    number = field.strip()
    return int(number) * 2**20 if number.isascii() and number.isdigit() else None
