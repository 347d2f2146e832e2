"""What is read from the ledger's file; nothing, if it cannot be read."""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter

from langchain_lmswitch.ledger.base import LOADS_READ, MOST_ANSWERS, MOST_GRADES, Newest
from langchain_lmswitch.ledger.plain import unpacked, unpacked_text
from langchain_lmswitch.ledger.schema import NewerSchema, Unusable, version_of
from langchain_lmswitch.ledger.sound import sound_answer, sound_grade
from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.grades import Grade
from langchain_lmswitch.types.loads import LoadRecord
from langchain_lmswitch.types.records import DecisionRecord

T = TypeVar("T")

log: logging.Logger = logging.getLogger(__name__)

_BUSY_S: Final = 0.1

_warned: set[tuple[Path, str]] = set()
"""Of what has been warned already: a ledger is read again and again."""


def read_loads(path: Path, host: str) -> list[LoadRecord]:
    """List the latest loads of one host, oldest first."""
    rows = _read(
        path,
        "SELECT record FROM loads WHERE host = ? ORDER BY id DESC LIMIT ?",
        (host, LOADS_READ),
    )
    found = []
    for (record,) in reversed(rows):
        with suppress(ValueError, TypeError, RecursionError):  # one that another version wrote
            found.append(_load_adapter().validate_python(json.loads(record)))
    return found


def read_decisions(path: Path, last: int) -> list[DecisionRecord]:
    """List the latest decisions, oldest first."""
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


def read_answers(path: Path, host: str | None) -> list[AnswerRecord]:
    """List the latest answers of one host, or of all, oldest first."""
    query = "SELECT record FROM answers WHERE host = ? OR ? IS NULL ORDER BY id DESC LIMIT ?"
    rows = _read(path, query, (host, host, MOST_ANSWERS))
    return _sound(path, "answers", reversed(rows), sound_answer)


def read_answer(path: Path, name: str) -> list[AnswerRecord]:
    """Find an answer by its request or its run; the latest comes last."""
    query = "SELECT record FROM answers WHERE request = ? OR run = ? ORDER BY id DESC LIMIT 2"
    rows = _read(path, query, (name, name))
    return _sound(path, "answers", reversed(rows), sound_answer)


def read_grades(path: Path, host: str | None, *, after: int = 0) -> list[Grade]:
    """List the latest grades of one host, or of all, in the order they were noted."""
    query = (
        "SELECT record FROM grades WHERE id > ? AND (host = ? OR ? IS NULL)"
        " ORDER BY id DESC LIMIT ?"
    )
    rows = _read(path, query, (after, host, host, MOST_GRADES))
    return _sound(path, "grades", reversed(rows), sound_grade)


def read_newest(path: Path) -> Newest | None:
    """Tell how far grades have been written; `None` if that cannot be read."""
    query = (
        "SELECT (SELECT coalesce(sum(value), 0) FROM counts WHERE name = 'forgotten'),"
        " (SELECT coalesce(max(id), 0) FROM grades)"
    )
    rows = _read(path, query, ())
    return Newest(*rows[0]) if rows else None


def _sound(path: Path, what: str, rows: Iterable[tuple[Any]], read: Callable[[str], T]) -> list[T]:
    """Read what can be read, and warn once of what cannot."""
    found, spoiled = [], []
    for (record,) in rows:
        try:
            found.append(read(unpacked_text(record)))
        except ValueError as error:
            spoiled.append(str(error).partition("\n")[0])
    if spoiled and (path, what) not in _warned:
        _warned.add((path, what))
        log.warning(
            "%d %s in %s cannot be used and are passed over (the first: %.80s).",
            len(spoiled),
            what,
            path,
            spoiled[0],
        )
    return found


def _read(path: Path, query: str, arguments: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, timeout=_BUSY_S, uri=True)) as connection:
            return connection.execute(query, arguments).fetchall() if version_of(connection) else []
    except (sqlite3.Error, Unusable, NewerSchema):
        return []


@cache
def _load_adapter() -> TypeAdapter[LoadRecord]:
    return TypeAdapter(LoadRecord)  # it takes a while to make
