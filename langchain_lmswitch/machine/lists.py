"""Short lists of names that all processes of a user read and write, in files."""

import json
import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from filelock import FileLock

log: logging.Logger = logging.getLogger(__name__)

_TURN_WITHIN_S: Final = 5.0
"""A change takes a millisecond: who waits for longer than this waits for something broken."""

Names = tuple[str, ...]
_Version = tuple[int, int, int]


class SharedList:
    """Names in a file, the oldest first; what one process adds, all others see at their next look.

    The file is replaced as a whole, and changes take turns. One that cannot be read, or that is no
    list of names, counts as empty, with a warning; the next change makes it good again.

    Args:
        path: The file; made when it is needed. `None` keeps the names in this object only.
        most: How many are kept at most; the oldest go.
    """

    def __init__(self, path: Path | None, *, most: int | None = None) -> None:
        self._path = path
        self._most = most
        self._names: Names = ()
        self._version: _Version | None = None

    @property
    def names(self) -> Names:
        """The names as they are now; the file is read only if it has changed."""
        version = _version(self._path) if self._path else self._version
        if self._path and version != self._version:
            self._names, self._version = _read(self._path), version
        return self._names

    def add(self, name: str) -> bool:
        """Add a name; `False` if it is there already.

        Raises:
            OSError: The file cannot be written.
        """
        return self._change(lambda names: names if name in names else (*names, name))

    def discard(self, name: str) -> bool:
        """Take a name off; `False` if it is not there.

        Raises:
            OSError: The file cannot be written.
        """
        return self._change(lambda names: tuple(one for one in names if one != name))

    def _change(self, change: Callable[[Names], Names]) -> bool:
        if self._path is None:
            before, self._names = self._names, self._latest(change(self._names))
            return self._names != before
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(self._path.with_suffix(".lock"), timeout=_TURN_WITHIN_S):
            before = self.names
            after = self._latest(change(before))
            if after != before:
                _write(self._path, after)
        return after != before

    def _latest(self, names: Names) -> Names:
        return names if self._most is None else names[-self._most :]


def _version(path: Path) -> _Version | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - every survey looks, and `Path` takes twice as long
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _read(path: Path) -> Names:
    try:
        found = json.loads(path.read_text("utf-8"))
        if isinstance(found, list) and all(isinstance(one, str) for one in found):
            return tuple(found)
        why = "it holds something else"
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        why = str(error)
    log.warning("%s is no list of names and counts as empty: %s.", path, why)
    return ()


def _write(path: Path, names: Names) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        draft.write_text(json.dumps(names, indent=1), "utf-8")
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
