"""Where a file is put together, and how it takes its place: whole, checked and alone."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from langchain_lmswitch.embedded.pull.transfer import TICK_S, Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """The place of one weight file."""

    target: Path
    size_bytes: int

    @property
    def is_done(self) -> bool:
        """Whether the file is there; it is only ever put there whole and checked."""
        return self.target.is_file() and self.target.stat().st_size == self.size_bytes

    def staging(self, source: str) -> Path:
        """Returns the folder for unfinished pieces from one source; the shelf passes it over."""
        folder = self._unfinished / source
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def settle(self, whole: Path) -> None:
        """Gives the finished file its name, lastingly, and forgets the pieces."""
        whole.replace(self.target)
        _sync(self.target.parent)
        shutil.rmtree(self._unfinished, ignore_errors=True)

    @contextmanager
    def alone(self, transfer: Transfer) -> Iterator[None]:
        """Holds the file's lock against other processes; waiting for it can be cancelled."""
        self.target.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.target.with_name(f".{self.target.name}.lock"))
        while True:
            try:
                lock.acquire(timeout=TICK_S)
                break
            except Timeout:
                transfer.check()
        try:
            yield
        finally:
            lock.release()

    @property
    def _unfinished(self) -> Path:
        return self.target.with_name(f"{self.target.name}.part")


def _sync(folder: Path) -> None:
    """Makes a rename last, where the system can do that."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
