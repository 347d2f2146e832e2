"""The form of the ledger's file, and how to tell it from others."""

import sqlite3
import time
from collections.abc import Callable
from typing import Final

SCHEMA: Final = 1
"""Raised when the tables change; kept in the file's `user_version`."""
APPLICATION: Final = 0x6C6D7377
"""Marks the file as ours: `lmsw`."""

_TABLES: Final = (
    "CREATE TABLE loads (id INTEGER PRIMARY KEY, at_s REAL, host TEXT, record TEXT)",
    "CREATE INDEX loads_by_host ON loads (host, id)",
    """CREATE TABLE decisions
    (id INTEGER PRIMARY KEY, at_s REAL, kind TEXT, version TEXT, facts BLOB, outcome BLOB)""",
)
_PASSING: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_TRIES: Final = 20
_PAUSE_S: Final = 0.05


class Unusable(Exception):  # noqa: N818 - an outcome, caught beside its only raisers
    """The file is damaged, or something else than a ledger."""


class NewerSchema(Exception):  # noqa: N818 - as above
    """The file was written by a newer version of this package."""


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables, unless they are there.

    Raises:
        Unusable: The file is damaged, or something else.
        NewerSchema: It is a ledger of a newer version.
        sqlite3.Error: It cannot be used now.
    """
    _patiently(lambda: is_ours(connection))  # before anything is changed in it
    _patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"))
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # it commits, or rolls back
        if is_ours(connection):
            return
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")


def is_ours(connection: sqlite3.Connection) -> bool:
    """Tell a ledger from an empty file.

    Raises:
        Unusable: It is something else.
        NewerSchema: It is a ledger of a newer version.
    """
    if not connection.in_transaction:  # all from one moment: another process may be making it
        connection.execute("BEGIN")
        with connection:
            return is_ours(connection)
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


def damage_told(work: Callable[[], object]) -> None:
    """Run `work`; damage to the file is told from what may pass.

    Raises:
        Unusable: The file is damaged.
    """
    try:
        work()
    except sqlite3.DatabaseError as error:
        if _code(error) in _DAMAGE:
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
