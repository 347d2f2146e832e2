"""Vendors' command-line tools, the last resort: a process for each answer."""

import logging
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Final

from langchain_lmswitch.types.machine import Gpu

_logger = logging.getLogger(__name__)

_TIMEOUT_S: Final = 2.0
_FRESH_S: Final = 3.0
"""An answer takes 10 to 30 ms as a rule, and over half a second at times."""
_LONGEST_PAUSE_S: Final = 60.0

MIB: Final = 2**20

RunCommand = Callable[[Sequence[str]], str]
"""Runs a command and gives what it printed.

Raises:
    OSError: It could not be started.
    subprocess.SubprocessError: It failed, or took too long.
"""


class NoAnswer(Exception):  # noqa: N818 - an outcome, caught beside its only raisers
    """A driver could not be asked; it may not be there at all."""


def run_command(command: Sequence[str]) -> str:
    """Run a command for two seconds at most; see `RunCommand`."""
    done = subprocess.run(  # noqa: S603 - our own constant command
        command, capture_output=True, check=True, text=True, errors="replace", timeout=_TIMEOUT_S
    )
    return done.stdout


class Tool:
    """GPUs as a command prints them, asked every three seconds at most.

    A command that fails is left alone for three seconds, then for twice as long after each further
    failure, up to a minute. Whoever asks while an answer is awaited gets the one before it.

    Args:
        command: What to run.
        parse: Reads what it printed; raises `ValueError` if that is something else.
        run: Runs the command.
        clock: Monotonic seconds.
    """

    quick: Final = False
    """Now and then an answer takes up to two seconds."""

    def __init__(
        self,
        command: Sequence[str],
        parse: Callable[[str], tuple[Gpu, ...]],
        *,
        run: RunCommand = run_command,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._parse = parse
        self._run = run
        self._clock = clock
        self._due_s = float("-inf")
        self._pause_s = _FRESH_S
        self._answer: tuple[Gpu, ...] | None = None

    def gpus(self) -> tuple[Gpu, ...]:
        """List the GPUs.

        Raises:
            NoAnswer: The command failed, took too long, or printed something else.
        """
        if self._clock() >= self._due_s:
            self._due_s = self._clock() + _TIMEOUT_S  # others do not ask meanwhile
            self._answer = self._ask()
            self._due_s = self._clock() + self._next_pause_s()
        if self._answer is None:
            raise NoAnswer
        return self._answer

    def _next_pause_s(self) -> float:
        pause_s = _FRESH_S if self._answer is not None else self._pause_s
        doubled_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        self._pause_s = _FRESH_S if self._answer is not None else doubled_s
        return pause_s

    def _ask(self) -> tuple[Gpu, ...] | None:
        try:
            return self._parse(self._run(self._command))
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            _logger.debug("%s gave no answer: %s", self._command[0], error)
            return None


def installed(command: Sequence[str]) -> bool:
    """Say whether a command is on the path."""
    return shutil.which(command[0]) is not None


def mib(field: str) -> int | None:
    """Read a number of MiB as bytes; `None` for `[N/A]`, `N/A` and whatever else is no number."""
    number = field.strip()
    return int(number) * MIB if number.isascii() and number.isdigit() else None
