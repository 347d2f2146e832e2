"""A ledger on disk, shared by all processes."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from langchain_lmswitch.ledger import forks
from langchain_lmswitch.ledger.aside import Identity, identity, set_aside
from langchain_lmswitch.ledger.backlog import Backlog
from langchain_lmswitch.ledger.base import Newest, Record
from langchain_lmswitch.ledger.memory import MemoryLedger
from langchain_lmswitch.ledger.picking import answer_in, answers_of, as_read, grades_of, loads_of
from langchain_lmswitch.ledger.reading import (
    read_answer,
    read_answers,
    read_decisions,
    read_grades,
    read_loads,
    read_newest,
)
from langchain_lmswitch.ledger.schema import NewerSchema, Unusable
from langchain_lmswitch.ledger.store import Store
from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.grades import Grade
from langchain_lmswitch.types.loads import LoadRecord
from langchain_lmswitch.types.records import DecisionRecord

T = TypeVar("T")

log: logging.Logger = logging.getLogger(__name__)

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

    quick: Final = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._memory: MemoryLedger | None = None
        self._replaced = False
        self._opening: Identity | None = None
        self.renew()
        forks.watch(self)

    def renew(self) -> None:
        """Begin anew in a forked process: locks and threads are those of its parent."""
        self.file: threading.Lock = threading.Lock()
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

    def note_answer(self, record: AnswerRecord) -> None:
        """Remember an answer, so that it can be judged later."""
        self._backlog.put(record)

    def answers(self, host: str | None = None) -> list[AnswerRecord]:
        """List the latest answers of one host, or of all, oldest first."""
        with self._unwritten() as noted:
            return answers_of(host, [*read_answers(self.path, host), *noted])

    def answer(self, name: str) -> AnswerRecord | None:
        """Find an answer by its request or its run; `None` if it is not among those kept."""
        with self._unwritten() as noted:
            return answer_in([*read_answer(self.path, name), *noted], name)

    def note_grade(self, grade: Grade) -> None:
        """Remember a grade, instead of an earlier one of the same model for the same request."""
        self._backlog.put(grade)

    def grades(self, host: str | None = None, *, after: int = 0) -> list[Grade]:
        """List the latest grades of one host, or of all, oldest first; see `Ledger`."""
        with self._unwritten() as noted:
            return grades_of(host, [*read_grades(self.path, host, after=after), *noted])

    def newest(self) -> Newest | None:
        """Tell how far grades have been written; see `Ledger`."""
        return read_newest(self.path)

    def insist(self, work: Callable[[Store], T]) -> T:
        """Change the file at once, after all that was noted; see `Store`.

        Raises:
            OSError: It cannot be changed now.
        """
        self.flush()
        try:
            with self.file:
                return work(self._opened())
        except (NewerSchema, Unusable, sqlite3.Error) as error:
            why = str(error) or "a newer version of this package wrote it"
            msg = f"{self.path} cannot be changed ({why}). Try again, or delete the file."
            raise OSError(msg) from error

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
            "What is learnt is remembered in this process only: %s cannot be used (%s).",
            self.path,
            reason,
        )
