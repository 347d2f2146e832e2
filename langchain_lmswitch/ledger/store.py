"""What is written to the ledger's file."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, assert_never

from langchain_lmswitch.ledger.base import (
    MOST_ANSWERS,
    MOST_DECISIONS,
    MOST_GRADES,
    MOST_LOADS,
    Record,
)
from langchain_lmswitch.ledger.picking import name_of
from langchain_lmswitch.ledger.plain import packed, plain
from langchain_lmswitch.ledger.schema import damage_told, prepare
from langchain_lmswitch.policy.recording import recordable
from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.grades import Grade
from langchain_lmswitch.types.loads import LoadRecord
from langchain_lmswitch.types.records import DecisionRecord

_BUSY_S: Final = 2.0

_INSERT: Final = {
    "loads": "INSERT INTO loads (at_s, host, record) VALUES (?, ?, ?)",
    "decisions": "INSERT INTO decisions (at_s, kind, version, facts, outcome)"
    " VALUES (?, ?, ?, ?, ?)",
    "answers": "INSERT OR REPLACE INTO answers (host, request, key, run, record)"
    " VALUES (?, ?, ?, ?, ?)",
    "grades": "INSERT OR REPLACE INTO grades (host, request, key, record) VALUES (?, ?, ?, ?)",
}
_MOST: Final = {
    "loads": MOST_LOADS,
    "decisions": MOST_DECISIONS,
    "answers": MOST_ANSWERS,
    "grades": MOST_GRADES,
}

Rows = Mapping[str, list[tuple[Any, ...]]]
"""What goes into each table."""


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
            damage_told(lambda: prepare(self._connection))
        except BaseException:
            self._connection.close()
            raise

    def add(self, records: Iterable[Record]) -> None:
        """Write records in one transaction, and drop the oldest beyond what is kept.

        Raises:
            Unusable: The file is damaged.
            sqlite3.Error: It cannot be written now.
        """
        rows = _rows(records)
        damage_told(lambda: self._add(rows))

    def forget(self, key: str) -> int:
        """Drop the grades and answers of one model, or of all if `key` is empty; count the grades.

        Raises:
            Unusable: The file is damaged.
            sqlite3.Error: It cannot be written now.
        """
        dropped = 0

        def drop() -> None:
            nonlocal dropped
            dropped = self._drop(key)

        damage_told(drop)
        return dropped

    def close(self) -> None:
        """Close it."""
        with suppress(sqlite3.Error):
            self._connection.close()

    def _add(self, rows: Rows) -> None:
        run = self._connection
        run.execute("BEGIN IMMEDIATE")
        with run:  # it commits, or rolls back
            for table, added in rows.items():
                run.executemany(_INSERT[table], added)
                newest = f"SELECT max(id) FROM {table}"  # noqa: S608 - our own names
                run.execute(f"DELETE FROM {table} WHERE id <= ({newest}) - {_MOST[table]}")  # noqa: S608 - as above

    def _drop(self, key: str) -> int:
        run = self._connection
        run.execute("BEGIN IMMEDIATE")
        with run:
            run.execute(
                "INSERT INTO counts VALUES ('forgotten', 1)"
                " ON CONFLICT (name) DO UPDATE SET value = value + 1"
            )
            run.execute("DELETE FROM answers WHERE key = ? OR ? = ''", (key, key))
            return run.execute("DELETE FROM grades WHERE key = ? OR ? = ''", (key, key)).rowcount


def _rows(records: Iterable[Record]) -> Rows:
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for one in records:
        with suppress(Exception):  # one that cannot be written must not keep the others
            table, row = _row(one)
            rows.setdefault(table, []).append(row)
    return rows


def _row(record: Record) -> tuple[str, tuple[Any, ...]]:
    match record:
        case LoadRecord(at_s=at_s, configuration=asked):
            return "loads", (at_s, asked.host, json.dumps(plain(record)))
        case DecisionRecord(at_s=at_s, kind=kind, version=version):
            told = recordable(record)
            return "decisions", (at_s, kind, version, packed(told.facts), packed(told.outcome))
        case AnswerRecord(host=host, request=request, key=key, run=run):
            return "answers", (host, request, key, run, packed(record))
        case Grade():
            return "grades", (*name_of(record), packed(record))
        case _:
            assert_never(record)
