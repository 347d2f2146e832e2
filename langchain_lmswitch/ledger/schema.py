"""The form of the ledger's file, and how to tell it from others."""

import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

SCHEMA: Final = 3
"""Raised when the tables change; kept in the file's `user_version`."""
APPLICATION: Final = 0x6C6D7377
"""Marks the file as ours: `lmsw`."""

_TABLES: Final = {
    1: (
        "CREATE TABLE loads (id INTEGER PRIMARY KEY, at_s REAL, host TEXT, record TEXT)",
        "CREATE INDEX loads_by_host ON loads (host, id)",
        """CREATE TABLE decisions
        (id INTEGER PRIMARY KEY, at_s REAL, kind TEXT, version TEXT, facts BLOB, outcome BLOB)""",
    ),
    2: (
        """CREATE TABLE answers
        (id INTEGER PRIMARY KEY, host TEXT, request TEXT, key TEXT, run TEXT, record BLOB)""",
        "CREATE UNIQUE INDEX answers_by_request ON answers (request, key, host)",
        "CREATE INDEX answers_by_run ON answers (run)",
        """CREATE TABLE grades
        (id INTEGER PRIMARY KEY, host TEXT, request TEXT, key TEXT, record BLOB)""",
        "CREATE UNIQUE INDEX grades_by_request ON grades (host, request, key)",
    ),
    3: ("CREATE TABLE counts (name TEXT PRIMARY KEY, value INTEGER)",),
}
"""What each version added: a file of an earlier one gets what it lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a file of ours has in it."""

    application: int
    """Marks the file, as its `application_id`."""
    tables: Mapping[int, tuple[str, ...]]
    """What each version added; the last one is kept in the file's `user_version`."""
    name: str = "a ledger"

    @property
    def schema(self) -> int:
        """The version that is written."""
        return max(self.tables)


LEDGER: Final = Form(application=APPLICATION, tables=_TABLES)
_PASSING: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_TRIES: Final = 20
_PAUSE_S: Final = 0.05


class Unusable(Exception):  # noqa: N818 - an outcome, caught beside its only raisers
    """The file is damaged, or something else than a ledger."""


class Foreign(Unusable):
    """The file is in order, and somebody else's."""


class NewerSchema(Exception):  # noqa: N818 - as above
    """The file was written by a newer version of this package."""


def prepare(connection: sqlite3.Connection, form: Form = LEDGER) -> None:
    """Make the tables that are not there.

    Raises:
        Unusable: The file is damaged, or something else.
        NewerSchema: It is a ledger of a newer version.
        sqlite3.Error: It cannot be used now.
    """
    _patiently(lambda: version_of(connection, form))  # before anything is changed in it
    _patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"))
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # it commits, or rolls back
        if (found := version_of(connection, form)) == form.schema:
            return
        for version in range(found + 1, form.schema + 1):
            for statement in form.tables[version]:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {form.application}")
        connection.execute(f"PRAGMA user_version = {form.schema}")


def version_of(connection: sqlite3.Connection, form: Form = LEDGER) -> int:
    """Tell the version of a ledger; 0 is an empty file.

    Raises:
        Foreign: It is something else.
        NewerSchema: It is a ledger of a newer version.
    """
    if not connection.in_transaction:  # all from one moment: another process may be making it
        connection.execute("BEGIN")
        with connection:
            return version_of(connection, form)
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    if application == form.application and schema > form.schema:
        raise NewerSchema
    if application == form.application and schema in form.tables:
        return int(schema)
    if tables or application or schema:
        msg = f"it is something else than {form.name}"
        raise Foreign(msg)
    return 0


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
