"""A ledger on disk, shared by all processes."""

import logging
import sqlite3
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from langchain_lmswitch.ledger import forks
from langchain_lmswitch.ledger.aside import Identity, identity, set_aside
from langchain_lmswitch.ledger.backlog import Backlog
from langchain_lmswitch.ledger.memory import MemoryLedger, Record, as_read, loads_of
from langchain_lmswitch.ledger.store import (
    NewerSchema,
    Store,
    Unusable,
    read_decisions,
    read_loads,
)
from langchain_lmswitch.types.loads import LoadRecord
from langchain_lmswitch.types.records import DecisionRecord

log = logging.getLogger(__name__)

_CLOSE_S: Final = 3.0
_READ_WAIT_S: Final = 0.25
"""How long reading waits for writing: it gives what it has rather than stop an event loop."""


class SqliteLedger:
    """Remembers in a file that any number of processes share.

    1. Nothing is opened before a record is noted, and reading makes nothing.
    2. One thread writes what is noted. It can be read at once.
    3. A file that is damaged, or something else, is set aside, and a new one begun.
    4. If the file cannot be written (a disk that is full or read-only, a lock that lasts), or was
       written by a newer version, this process goes on in memory. It is warned of once.
    5. A fork begins with nothing to write, and opens the file anew.

    Args:
        path: The file; its folder is made when it is needed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._memory: MemoryLedger | None = None
        self._replaced = False
        self._opening: Identity | None = None
        self.renew()
        forks.watch(self)

    def renew(self) -> None:
        """Begin anew in a forked process: locks and threads are those of its parent."""
        self.file = threading.Lock()
        self._store: Store | None = None
        self._backlog = Backlog(self._write)

    def note_load(self, record: LoadRecord) -> None:
        """Remember a load, made or failed."""
        self._backlog.put(record)

    def note_decision(self, record: DecisionRecord) -> None:
        """Remember a decision."""
        self._backlog.put(record)

    def loads(self, host: str) -> list[LoadRecord]:
        """List the latest loads of one host, oldest first."""
        with self._unwritten() as noted:
            return loads_of(host, [*read_loads(self.path, host), *noted])

    def decisions(self, last: int) -> list[DecisionRecord]:
        """List the latest decisions, oldest first, facts and outcomes as JSON values."""
        with self._unwritten() as noted:
            return as_read([*read_decisions(self.path, last), *noted], last)

    def flush(self, timeout_s: float = _CLOSE_S) -> bool:
        """Wait until all that was noted is written; `False` if it took too long."""
        return self._backlog.flush(timeout_s)

    def close(self) -> None:
        """Write what is noted, and close the file; noting opens it again."""
        self._backlog.close(_CLOSE_S)
        with self.file:
            self.shut()

    def shut(self) -> None:
        """Close the file until it is needed again; `file` is held."""
        if self._store is not None:
            self._store.close()
        self._store = None

    @contextmanager
    def _unwritten(self) -> Generator[list[Record], None, None]:
        """List what is not in the file, which does not change inside; not what may be by then."""
        taken = self.file.acquire(timeout=_READ_WAIT_S)
        try:
            yield [
                *(self._memory.noted() if self._memory else ()),
                *self._backlog.unwritten(in_hand=taken),
            ]
        finally:
            if taken:
                self.file.release()

    def _write(self, records: Sequence[Record]) -> None:
        with self.file:
            if self._memory is None and not self._kept(records):
                self._memory = MemoryLedger()
            if self._memory is not None:
                self._memory.note(records)
            self._backlog.written()

    def _kept(self, records: Sequence[Record]) -> bool:
        """Write to the file; `False` if that cannot be."""
        try:
            try:
                self._opened().add(records)
            except Unusable as damage:
                self._replace(damage)
                self._opened().add(records)
        except NewerSchema:
            self._warn("it was written by a newer version of langchain-lmswitch")
        except (Unusable, sqlite3.Error, OSError) as error:
            self._warn(str(error))
        else:
            return True
        self.shut()
        return False

    def _opened(self) -> Store:
        if self._store is None:
            self._opening = identity(self.path)
            self._store = Store(self.path)
            self._opening = self._opening or identity(self.path)
        return self._store

    def _replace(self, damage: Unusable) -> None:
        """Set the file aside, once: what is damaged again so soon will be so again.

        Raises:
            Unusable: It was set aside before.
            OSError: It cannot be renamed.
        """
        self.shut()
        if self._replaced:
            raise damage
        self._replaced = True
        if (to := set_aside(self.path, self._opening)) is not None:
            log.warning("%s could not be read (%s); it is now %s.", self.path, damage, to.name)

    def _warn(self, reason: str) -> None:
        log.warning(
            "What loads take is remembered in this process only: %s cannot be used (%s).",
            self.path,
            reason,
        )
