"""The ledger's file: its schema, and what is written to it and read from it."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from langchain_lmswitch.ledger.base import LOADS_READ, MOST_DECISIONS, MOST_LOADS
from langchain_lmswitch.ledger.plain import packed, plain, unpacked
from langchain_lmswitch.policy.recording import recordable
from langchain_lmswitch.types.loads import LoadRecord
from langchain_lmswitch.types.records import DecisionRecord

SCHEMA: Final = 1
"""Raised when the tables change; kept in the file's `user_version`."""
APPLICATION: Final = 0x6C6D7377
"""Marks the file as ours: `lmsw`."""

_BUSY_S: Final = 2.0
_READ_BUSY_S: Final = 0.1
_PASSING: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_TRIES: Final = 20
_PAUSE_S: Final = 0.05

_TABLES: Final = (
    "CREATE TABLE loads (id INTEGER PRIMARY KEY, at_s REAL, host TEXT, record TEXT)",
    "CREATE INDEX loads_by_host ON loads (host, id)",
    """CREATE TABLE decisions
    (id INTEGER PRIMARY KEY, at_s REAL, kind TEXT, version TEXT, facts BLOB, outcome BLOB)""",
)


@cache
def _load_adapter() -> TypeAdapter[LoadRecord]:
    return TypeAdapter(LoadRecord)  # it takes a while to make


class Unusable(Exception):  # noqa: N818 - an outcome, caught beside its only raisers
    """The file is damaged, or something else than a ledger."""


class NewerSchema(Exception):  # noqa: N818 - as above
    """The file was written by a newer version of this package."""


class Store:
    """An open file. May be used by several threads, but by one at a time.

    Raises:
        Unusable: It is no ledger.
        NewerSchema: It is one of a newer version.
        sqlite3.Error: It cannot be opened or written now.
        OSError: Its folder cannot be made.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(
            path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            _told(self._prepare)
        except BaseException:
            self._connection.close()
            raise

    def add(self, records: Iterable[LoadRecord | DecisionRecord]) -> None:
        """Write records in one transaction, and drop the oldest beyond what is kept.

        Raises:
            Unusable: The file is damaged.
            sqlite3.Error: It cannot be written now.
        """
        loads, decisions = _rows(records)
        _told(lambda: self._add(loads, decisions))

    def close(self) -> None:
        """Close it."""
        with suppress(sqlite3.Error):
            self._connection.close()

    def _prepare(self) -> None:
        _patiently(lambda: _is_ours(self._connection))  # before anything is changed in it
        _patiently(lambda: self._connection.execute("PRAGMA journal_mode = WAL"))
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:  # it commits, or rolls back
            if _is_ours(self._connection):
                return
            for statement in _TABLES:
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA application_id = {APPLICATION}")
            self._connection.execute(f"PRAGMA user_version = {SCHEMA}")

    def _add(self, loads: Sequence[Any], decisions: Sequence[Any]) -> None:
        run = self._connection
        run.execute("BEGIN IMMEDIATE")
        with run:
            run.executemany("INSERT INTO loads (at_s, host, record) VALUES (?, ?, ?)", loads)
            run.executemany(
                "INSERT INTO decisions (at_s, kind, version, facts, outcome)"
                " VALUES (?, ?, ?, ?, ?)",
                decisions,
            )
            for table, most in (("loads", MOST_LOADS), ("decisions", MOST_DECISIONS)):
                newest = f"SELECT max(id) FROM {table}"  # noqa: S608 - our own names
                run.execute(f"DELETE FROM {table} WHERE id <= ({newest}) - {most}")  # noqa: S608 - as above


def read_loads(path: Path, host: str) -> list[LoadRecord]:
    """List the latest loads of one host, oldest first; none if the file cannot be read."""
    rows = _read(
        path,
        "SELECT record FROM loads WHERE host = ? ORDER BY id DESC LIMIT ?",
        (host, LOADS_READ),
    )
    found = []
    for (record,) in reversed(rows):
        with suppress(ValueError):  # one that another version wrote
            found.append(_load_adapter().validate_python(json.loads(record)))
    return found


def read_decisions(path: Path, last: int) -> list[DecisionRecord]:
    """List the latest decisions, oldest first; none if the file cannot be read."""
    rows = _read(
        path,
        "SELECT at_s, kind, version, facts, outcome FROM decisions ORDER BY id DESC LIMIT ?",
        (max(0, last),),
    )
    found = []
    for at_s, kind, version, facts, outcome in reversed(rows):
        with suppress(ValueError):
            facts, outcome = unpacked(facts), unpacked(outcome)  # noqa: PLW2901 - the same, readable
            found.append(
                DecisionRecord(at_s=at_s, kind=kind, version=version, facts=facts, outcome=outcome)
            )
    return found


def _rows(records: Iterable[LoadRecord | DecisionRecord]) -> tuple[list[Any], list[Any]]:
    loads: list[Any] = []
    decisions: list[Any] = []
    for one in records:
        with suppress(Exception):  # one that cannot be written must not keep the others
            match one:
                case LoadRecord():
                    loads.append((one.at_s, one.configuration.host, json.dumps(plain(one))))
                case DecisionRecord():
                    told = recordable(one)
                    facts, outcome = packed(told.facts), packed(told.outcome)
                    decisions.append((one.at_s, one.kind, one.version, facts, outcome))
    return loads, decisions


def _read(path: Path, query: str, arguments: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, timeout=_READ_BUSY_S, uri=True)) as connection:
            if not _is_ours(connection):
                return []
            return connection.execute(query, arguments).fetchall()
    except (sqlite3.Error, Unusable, NewerSchema):
        return []


def _is_ours(connection: sqlite3.Connection) -> bool:
    """Tell a ledger from an empty file.

    Raises:
        Unusable: It is something else.
        NewerSchema: It is a ledger of a newer version.
    """
    if not connection.in_transaction:  # all from one moment: another process may be making it
        connection.execute("BEGIN")
        with connection:
            return _is_ours(connection)
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    if application == APPLICATION and schema > SCHEMA:
        raise NewerSchema
    if application == APPLICATION and schema == SCHEMA:
        return True
    if tables or application or schema:
        msg = "it is something else than a ledger"
        raise Unusable(msg)
    return False


def _told(work: Callable[[], object]) -> None:
    """Run `work`; damage to the file is told from what may pass."""
    try:
        work()
    except sqlite3.DatabaseError as error:
        if _code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise Unusable(str(error)) from error
        raise


def _patiently(work: Callable[[], object]) -> None:
    """Run `work` again while the file is locked: not every statement waits by itself."""
    for left in reversed(range(_TRIES)):
        try:
            work()
        except sqlite3.OperationalError as error:
            if not left or _code(error) not in _PASSING:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the details
