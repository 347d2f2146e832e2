"""A file for what was worked out of conversations, shared by all processes."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from langchain_lmswitch.context.stores import Kind
from langchain_lmswitch.ledger import forks
from langchain_lmswitch.ledger.aside import Identity, identity, set_aside
from langchain_lmswitch.ledger.plain import packed, unpacked
from langchain_lmswitch.ledger.schema import (
    Foreign,
    Form,
    NewerSchema,
    Unusable,
    damage_told,
    prepare,
)

T = TypeVar("T")

log: logging.Logger = logging.getLogger(__name__)

FORM: Final = Form(
    application=0x6C6D6378,  # `lmcx`
    tables={
        1: (
            """CREATE TABLE entries
            (id INTEGER PRIMARY KEY, namespace TEXT, kind TEXT, key TEXT, value BLOB)""",
            "CREATE UNIQUE INDEX entries_by_key ON entries (namespace, kind, key)",
        )
    },
    name="a file of contexts",
)
MOST_ENTRIES: Final = 200_000
"""What is kept; the oldest go first."""
_BUSY_S: Final = 2.0
_AT_ONCE: Final = 500
"""Keys looked up by one statement: SQLite takes a thousand."""
_INSERT: Final = "INSERT OR REPLACE INTO entries (namespace, kind, key, value) VALUES (?, ?, ?, ?)"
_TRIM: Final = "DELETE FROM entries WHERE id <= (SELECT max(id) FROM entries) - ?"


class SqliteContextStore:
    """Keeps indexes, summaries and vectors of conversations in a file that processes share.

    They hold private things: indexes the words of each message, summaries what was said. So there
    is such a file only if you name one; `clear` empties it.

    1. Nothing is made before something is kept.
    2. A file that is damaged is set aside, and a new one begun.
    3. If the file cannot be used (a disk that is full or read-only, a lock that lasts, a newer
       version's file, somebody else's database), it is left alone, and nothing is kept or found.
       It is warned of once, and no call fails.
    4. The file is closed while a process forks.

    Args:
        path: The file; its folder is made when it is needed.
        namespace: Keeps apart what must not be mixed, such as users.
    """

    def __init__(self, path: str | Path, *, namespace: str = "") -> None:
        self.path: Path = Path(path)
        self.namespace = namespace
        self._warned = False
        self._replaced = False
        self.renew()
        forks.watch(self)

    def renew(self) -> None:
        """Begin anew in a forked process: locks are those of its parent."""
        self.file: threading.Lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opening: Identity | None = None

    def get_many(self, kind: Kind, keys: Sequence[str]) -> Mapping[str, Any]:
        """Give what is kept under these keys; others are left out."""
        if not self.path.exists():  # 1
            return {}
        rows = self._tried(lambda: self._rows(kind, keys)) or ()
        return dict(_read(rows))

    def put_many(self, kind: Kind, items: Mapping[str, Any]) -> None:
        """Keep values under their keys."""
        rows = [(self.namespace, kind, key, packed(value)) for key, value in items.items()]
        self._tried(lambda: self._insert(rows))

    def clear(self) -> None:
        """Forget all of this namespace; nothing of it stays on the disk."""
        if self.path.exists():
            self._tried(self._clear)

    def close(self) -> None:
        """Close the file until it is needed again."""
        with self.file:
            self.shut()

    def __del__(self) -> None:
        with suppress(Exception):  # the interpreter may be ending
            self.shut()

    def shut(self) -> None:
        """Close the file until it is needed again; `file` is held."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _tried(self, work: Callable[[], T]) -> T | None:
        """Work on the file; `None` if that cannot be."""
        with self.file:
            try:
                try:
                    return _told(work)
                except Foreign:
                    raise
                except Unusable as damage:
                    self._replace(damage)  # 2
                    return _told(work)
            except NewerSchema:
                self._warn("it was written by a newer version of langchain-lmswitch")
            except (Unusable, sqlite3.Error, OSError) as error:
                self._warn(str(error))
            self.shut()
            return None

    def _rows(self, kind: Kind, keys: Sequence[str]) -> list[tuple[str, bytes]]:
        rows: list[tuple[str, bytes]] = []
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            places = ", ".join("?" * len(some))
            query = (
                "SELECT key, value FROM entries"  # noqa: S608 - question marks only
                f" WHERE namespace = ? AND kind = ? AND key IN ({places})"
            )
            rows += self._opened().execute(query, (self.namespace, kind, *some)).fetchall()
        return rows

    def _insert(self, rows: Sequence[tuple[str, str, str, bytes]]) -> None:
        run = self._opened()
        run.execute("BEGIN IMMEDIATE")
        with run:  # it commits, or rolls back
            run.executemany(_INSERT, rows)
            run.execute(_TRIM, (MOST_ENTRIES,))

    def _clear(self) -> None:
        run = self._opened()
        run.execute("PRAGMA secure_delete = ON")
        run.execute("DELETE FROM entries WHERE namespace = ?", (self.namespace,))
        run.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._opening = identity(self.path)
            made = sqlite3.connect(
                self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                prepare(made, FORM)
            except BaseException:
                made.close()
                raise
            self._connection = made
            self._opening = self._opening or identity(self.path)
        return self._connection

    def _replace(self, damage: Unusable) -> None:
        """Set the file aside, once: what is damaged again so soon will be so again."""
        self.shut()
        if self._replaced:
            raise damage
        self._replaced = True
        if (to := set_aside(self.path, self._opening)) is not None:
            log.warning("%s could not be read (%s); it is now %s.", self.path, damage, to.name)

    def _warn(self, reason: str) -> None:
        if not self._warned:  # 3
            log.warning(
                "Conversations are indexed anew in each process: %s cannot be used (%s).",
                self.path,
                reason,
            )
        self._warned = True


def _told(work: Callable[[], T]) -> T:
    """Run `work`; damage to the file is told from what may pass."""
    done: list[T] = []
    damage_told(lambda: done.append(work()))
    return done[0]


def _read(rows: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, Any]]:
    for key, value in rows:
        try:
            yield key, unpacked(value)
        except ValueError:
            continue  # damaged: it is worked out anew
