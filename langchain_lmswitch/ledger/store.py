"""What is written to the ledger's file, and read from it."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from langchain_lmswitch.ledger.base import LOADS_READ, MOST_DECISIONS, MOST_LOADS
from langchain_lmswitch.ledger.plain import packed, plain, unpacked
from langchain_lmswitch.ledger.schema import (
    NewerSchema,
    Unusable,
    damage_told,
    is_ours,
    prepare,
)
from langchain_lmswitch.policy.recording import recordable
from langchain_lmswitch.types.loads import LoadRecord
from langchain_lmswitch.types.records import DecisionRecord

_BUSY_S: Final = 2.0
_READ_BUSY_S: Final = 0.1


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

    def add(self, records: Iterable[LoadRecord | DecisionRecord]) -> None:
        """Write records in one transaction, and drop the oldest beyond what is kept.

        Raises:
            Unusable: The file is damaged.
            sqlite3.Error: It cannot be written now.
        """
        loads, decisions = _rows(records)
        damage_told(lambda: self._add(loads, decisions))

    def close(self) -> None:
        """Close it."""
        with suppress(sqlite3.Error):
            self._connection.close()

    def _add(self, loads: Sequence[Any], decisions: Sequence[Any]) -> None:
        run = self._connection
        run.execute("BEGIN IMMEDIATE")
        with run:  # it commits, or rolls back
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
            record = DecisionRecord(
                at_s=at_s,
                kind=kind,
                version=version,
                facts=unpacked(facts),
                outcome=unpacked(outcome),
            )
            found.append(record)
    return found


def _read(path: Path, query: str, arguments: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, timeout=_READ_BUSY_S, uri=True)) as connection:
            return connection.execute(query, arguments).fetchall() if is_ours(connection) else []
    except (sqlite3.Error, Unusable, NewerSchema):
        return []


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


@cache
def _load_adapter() -> TypeAdapter[LoadRecord]:
    return TypeAdapter(LoadRecord)  # it takes a while to make
