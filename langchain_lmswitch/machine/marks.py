"""Marks that other processes can see, and that end with the process that set them."""

import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil
from filelock import FileLock, Timeout

log: logging.Logger = logging.getLogger(__name__)

_SET_WITHIN_S: Final = 1.0
"""Somebody who looks at a mark holds it for a moment."""
_POLL_S: Final = 0.002


class Marks:
    """Named marks in a folder: a file for each mark and process, locked while the mark is set.

    The system takes a lock back when its process ends, however that comes about, so that no mark
    outlives the one who set it. Where nothing can be written there are no marks, and a warning.

    Args:
        folder: Where they lie, the same for all who should see them; made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = f"{os.getpid()}-{secrets.token_hex(4)}.lock"
        self._set: dict[str, FileLock] = {}
        self._ever: set[str] = set()
        self._works = True

    def set(self, name: str) -> bool:
        """Set a mark; `False` if it was set before, or cannot be."""
        if not self._works or name in self._set:
            return False
        path = self._folder / name / self._file
        try:
            try:
                lock = _locked(path)
            except FileNotFoundError:  # the last process that left has just tidied up
                lock = _locked(path)
        except (OSError, NotImplementedError) as error:  # a `Timeout` is an `OSError`
            self._works = False
            log.warning(
                "Other processes cannot see which models this one uses, and may unload them: %s. "
                "See that %s can be written, or set LMSWITCH_HOME.",
                error,
                self._folder,
            )
            return False
        self._set[name] = lock
        self._ever.add(name)
        return True

    def clear(self, name: str) -> None:
        """Take a mark of ours off; safe to repeat."""
        if lock := self._set.pop(name, None):
            lock.release()

    def clear_all(self) -> None:
        """Take all marks of ours off, and their files away."""
        for name in self._ever:
            with suppress(OSError):
                (self._folder / name / self._file).unlink()
            self.clear(name)
        self._ever.clear()

    def others(self, name: str) -> bool:
        """Tell whether any other process, or another object of this class, has set a mark."""
        return any(_is_locked(path) for path in self._files(name))

    def holders(self, name: str) -> list[int]:
        """List the processes that have set a mark; of this one, through another object only."""
        return [_pid(path) for path in self._files(name) if _is_locked(path)]

    def _files(self, name: str) -> list[Path]:
        place = self._folder / name
        try:
            files = os.listdir(place)  # noqa: PTH208 - three times as quick as `Path.iterdir`
        except OSError:
            return []
        return [place / file for file in files if file != self._file]


def _locked(path: Path) -> FileLock:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = lock_at(path)
    lock.acquire(timeout=_SET_WITHIN_S, poll_interval=_POLL_S)
    return lock


def lock_at(path: Path) -> FileLock:
    """Make a lock that one thread may take and another give back."""
    return FileLock(path, thread_local=False)


def _is_locked(path: Path) -> bool:
    lock = lock_at(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    except OSError:
        return False
    if not psutil.pid_exists(_pid(path)):
        with suppress(OSError):
            path.unlink()
    lock.release()
    return False


def _pid(path: Path) -> int:
    number = path.name.partition("-")[0]
    return int(number) if number.isdecimal() else 0
