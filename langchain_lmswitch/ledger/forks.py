"""Forks: SQLite's idea of who has locked a file must not be carried into another process.

It keeps the locks of a process in that process's memory; a child that opens a file which its
parent had open believes that it holds them, and others may delete the log from under it. So no
file is open while a process forks.
"""

import os
import threading
from contextlib import suppress
from typing import Final, Protocol
from weakref import WeakSet

_WAIT_S: Final = 3.0


class Forked(Protocol):
    """What has a file open."""

    @property
    def file(self) -> threading.Lock:
        """Held while the file is in use."""

    def shut(self) -> None:
        """Close the file until it is needed again; `file` is held."""

    def renew(self) -> None:
        """Begin anew in a child: its locks and threads are those of the parent."""


_watched: WeakSet[Forked] = WeakSet()
_held: list[threading.Lock] = []


def watch(ledger: Forked) -> None:
    """Close its file at every fork, and begin it anew in the child."""
    _watched.add(ledger)


def _before() -> None:
    for ledger in tuple(_watched):
        if ledger.file.acquire(timeout=_WAIT_S):
            _held.append(ledger.file)
            ledger.shut()


def _in_parent() -> None:
    while _held:
        _held.pop().release()


def _in_child() -> None:
    _held.clear()
    for ledger in tuple(_watched):
        ledger.renew()


with suppress(AttributeError):  # Windows does not fork
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
