"""One download under way: what it is called, how far it is, whether it is still wanted."""

import logging
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from langchain_lmswitch.errors import DownloadFailed

_log = logging.getLogger(__name__)

TICK_S: Final = 0.1
_GRACE_S: Final = 2.0


class Transfer:
    """Counts bytes that have really arrived, and raises once the download is cancelled."""

    def __init__(
        self,
        name: str,
        *,
        total_bytes: int,
        on_progress: Callable[[int, int], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self.name = name
        self._total_bytes = total_bytes
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._finished_bytes = 0
        self._reported_bytes = -1

    def check(self) -> None:
        """Raises `DownloadFailed` if the caller has cancelled."""
        if self._cancelled():
            raise DownloadFailed(
                self.name,
                reason="it was cancelled",
                remedy="Run it again to go on: what is finished is kept.",
            )

    def report(self, growing_bytes: int = 0) -> None:
        """Tells the caller how much is there; never less than before, never more than all."""
        done = min(self._finished_bytes + growing_bytes, self._total_bytes)
        if done > self._reported_bytes:
            self._reported_bytes = done
            self._on_progress(done, self._total_bytes)

    def finish(self, n_bytes: int) -> None:
        """Counts a piece that is complete."""
        self._finished_bytes += n_bytes
        self.report()

    def run(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        growing_bytes: int,
    ) -> tuple[int, str]:
        """Runs a program that fills a folder, and watches the folder grow.

        Args:
            command: The program and its arguments.
            folder: Where it writes; its size is the progress.
            environment: Additions to our own environment.
            growing_bytes: What the folder is expected to reach; more is not counted.

        Returns:
            Exit status and what it wrote to standard error.

        Raises:
            DownloadFailed: The caller cancelled; the program is gone by then.
        """
        words = folder / "stderr.txt"
        with words.open("wb") as errors:
            process = subprocess.Popen(  # noqa: S603  our own interpreter, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=os.environ | environment,
            )
            try:
                self._watch(process, folder, growing_bytes)
            finally:
                _end(process)
        said = words.read_text("utf-8", "replace")
        _log.debug("%s ended with %s: %s", command[:4], process.returncode, said)
        return process.returncode, said

    def _watch(self, process: subprocess.Popen[bytes], folder: Path, limit_bytes: int) -> None:
        while True:
            self.check()
            try:
                process.wait(TICK_S)
            except subprocess.TimeoutExpired:
                self.report(min(folder_bytes(folder), limit_bytes))
            else:
                return


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def folder_bytes(folder: Path) -> int:
    """Returns the size of the files under a folder that others are changing."""
    total = 0
    for here, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(here) / name).stat().st_size
            except OSError:  # moved or removed meanwhile
                continue
    return total


def last_words(said: str) -> str:
    """Returns the line of a program's complaints that says most."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.upper().startswith("ERROR")]
    return (errors or lines or ["it gave no reason"])[-1][:300]
