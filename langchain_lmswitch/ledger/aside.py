"""Setting a file aside that is no ledger, so that a new one can take its place."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from filelock import FileLock

_LOCK_S: Final = 2.0

Identity = tuple[int, int]
"""What a file is, whatever its name; see `identity`."""


def identity(path: Path) -> Identity | None:
    """Tell which file has this name now; `None` if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def set_aside(path: Path, damaged: Identity | None) -> Path | None:
    """Rename a damaged file; `None` if another process has done so already.

    Several processes may find the damage at the same time: none renames what another has just put
    in its place.

    Raises:
        OSError: It cannot be renamed.
    """
    with FileLock(f"{path}.lock", timeout=_LOCK_S):
        return _renamed(path) if damaged and identity(path) == damaged else None


def _renamed(path: Path) -> Path:
    to = path.with_name(f"{path.name}.corrupt-{time.strftime('%Y%m%dT%H%M%S')}")
    if to.exists():
        to = to.with_name(f"{to.name}.{time.time_ns()}")
    path.rename(to)
    for ending in ("-wal", "-shm"):
        with suppress(OSError):  # it belongs to the old file, and would be taken for the new one's
            path.with_name(path.name + ending).rename(to.with_name(to.name + ending))
    return to
