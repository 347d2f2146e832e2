"""Answers and grades in the ledger: kept within bounds, replaced, and never believed blindly."""

import json
import logging
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from unit_tests.ledger.grades import HERE, answer, grade
from unit_tests.ledger.notes import HOST, decision, load, numbers

from langchain_lmswitch.ledger.base import MOST_ANSWERS, MOST_GRADES, Ledger
from langchain_lmswitch.ledger.memory import MemoryLedger
from langchain_lmswitch.ledger.plain import packed, plain
from langchain_lmswitch.ledger.schema import APPLICATION, SCHEMA
from langchain_lmswitch.ledger.sqlite import SqliteLedger
from langchain_lmswitch.ledger.store import Store
from langchain_lmswitch.types.grades import Grade


@pytest.fixture(params=["memory", "sqlite", "sqlite, written"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger of either kind, empty; one writes at once."""
    made: Ledger = MemoryLedger()
    if request.param != "memory":
        made = SqliteLedger(tmp_path / "home" / "ledger.sqlite")
    if isinstance(made, SqliteLedger) and request.param == "sqlite, written":
        noting = made.note_grade

        def note(grade: Grade) -> None:
            noting(grade)
            made.flush()

        made.note_grade = note  # type: ignore[method-assign]
    yield made
    made.close()


def test_what_is_noted_can_be_read_at_once(ledger: Ledger) -> None:
    ledger.note_answer(answer(1))
    ledger.note_grade(grade(1))
    ledger.note_grade(grade(2, host="far:1"))

    assert ledger.grades() == [grade(1), grade(2, host="far:1")]
    assert ledger.grades(HERE) == [grade(1)]
    assert ledger.answers("far:1") == []
    assert ledger.answers() == ledger.answers(HERE) == [answer(1)]
    assert ledger.answer("run-1") == ledger.answer("request-1") == answer(1)
    assert ledger.answer("run-2") is None


def test_an_answer_without_a_run_is_not_found_by_no_name(ledger: Ledger) -> None:
    ledger.note_answer(replace(answer(1), run=""))

    assert ledger.answer("") is None


def test_the_last_grade_of_a_model_for_a_request_counts(ledger: Ledger) -> None:
    ledger.note_grade(grade(1, request="q", score=1.0))
    ledger.note_grade(grade(2, request="q", score=0.5, key="other"))
    ledger.note_grade(grade(3, request="q", score=0.0))
    ledger.note_grade(grade(4, request="q", host="far:1"))

    assert [(one.key, one.score) for one in ledger.grades(HERE)] == [("other", 0.5), ("coder", 0.0)]
    assert len(ledger.grades()) == 3


@pytest.mark.parametrize("on_disk", [True, False])
def test_only_so_many_are_kept(tmp_path: Path, *, on_disk: bool) -> None:
    """The oldest go first."""
    ledger = SqliteLedger(tmp_path / "ledger.sqlite") if on_disk else MemoryLedger()
    for number in range(MOST_GRADES + 10):
        ledger.note_grade(grade(number))
    for number in range(MOST_ANSWERS + 10):
        ledger.note_answer(answer(number))
    ledger.close()

    assert (len(ledger.grades()), ledger.grades()[0]) == (MOST_GRADES, grade(10))
    assert (len(ledger.answers()), ledger.answers()[0]) == (MOST_ANSWERS, answer(10))
    assert ledger.answer("run-3") is None


def test_a_ledger_of_the_first_version_is_gone_on_with(tmp_path: Path) -> None:
    """Its loads and decisions stay."""
    path = tmp_path / "ledger.sqlite"
    store = Store(path)
    store.add([load(1), decision(1)])
    store.close()
    connection = sqlite3.connect(path)
    connection.executescript(
        "DROP TABLE answers; DROP TABLE grades; DROP TABLE counts; PRAGMA user_version = 1"
    )
    connection.close()

    ledger = SqliteLedger(path)
    assert (ledger.grades(), ledger.answers(), ledger.answer("x")) == ([], [], None)
    assert ledger.loads(HOST) == [load(1)]
    ledger.note_grade(grade(1))
    ledger.close()

    assert (ledger.grades(), ledger.loads(HOST)) == ([grade(1)], [load(1)])
    assert numbers(ledger.decisions(5)) == [1]
    connection = sqlite3.connect(path)
    found = [
        connection.execute(f"PRAGMA {one}").fetchone()[0]
        for one in ("application_id", "user_version")
    ]
    connection.close()
    assert found == [APPLICATION, SCHEMA]
    assert list(tmp_path.glob("*corrupt*")) == []


POISON: Mapping[str, Mapping[str, Any]] = {
    "a score that is no number": {"score": float("nan")},
    "an endless score": {"score": float("inf")},
    "a score beyond one": {"score": 1.5},
    "an absurd weight": {"weight": 1e9},
    "no weight": {"weight": 0.0},
    "a weight below zero": {"weight": -1.0},
    "a weight that is no number": {"weight": float("nan")},
    "a text for a number": {"score": "0.5"},
    "a truth for a number": {"score": True},
    "a time before all": {"at_s": -1.0},
    "a time that is none": {"at_s": float("nan")},
    "nobody's grade": {"key": ""},
    "an endless name": {"key": "k" * 5000},
    "an unknown source": {"source": "rumor"},
    "features of another kind": {"features": [1, 2]},
    "a task that is none": {"features": {"kinds": {"world peace": 1.0}}},
    "a probability beyond one": {"features": {"kinds": {"code": 7.0}}},
    "a difficulty that is none": {"features": {"difficulty": float("nan")}},
    "a huge vector": {"features": {"vector": [1] * 50_000}},
    "a vector beyond bounds": {"features": {"vector": [10**6]}},
    "a vector of halves": {"features": {"vector": [0.5]}},
    "endless signs": {"features": {"signs": [float("inf")]}},
}


def _put(path: Path, table: str, record: Any) -> None:
    connection = sqlite3.connect(path)
    connection.execute(
        f"INSERT INTO {table} (host, request, key, record) VALUES (?, ?, 'coder', ?)",  # noqa: S608 - our own names
        (HERE, f"poison-{record!r:.40}", record),
    )
    connection.commit()
    connection.close()


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_a_poisoned_grade_is_passed_over_with_a_warning(
    poison: Mapping[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    ledger.note_grade(grade(1))
    ledger.close()
    _put(ledger.path, "grades", packed({**plain(grade(2)), **poison}))

    assert ledger.grades() == ledger.grades(HERE) == [grade(1)]
    [warning] = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert warning.startswith("1 grades in ")


@pytest.mark.parametrize(
    "record",
    [
        None,
        7,
        "text",
        b"bytes",
        packed([]),
        zlib.compress(b"0" * 2**26),
        zlib.compress(b"[" * 9999),
    ],
)
def test_what_is_no_record_at_all_is_passed_over(record: Any, tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    ledger.note_grade(grade(1))
    ledger.note_answer(answer(1))
    ledger.close()
    _put(ledger.path, "grades", record)
    _put(ledger.path, "answers", record)

    assert (ledger.grades(), ledger.answers()) == ([grade(1)], [answer(1)])
    assert ledger.answer("run-1") == answer(1)


@pytest.mark.parametrize(
    "poison",
    [{"tokens_per_second": float("inf")}, {"first_token_s": -1.0}, {"run": 7}, {"task": "war"}],
)
def test_a_poisoned_answer_is_passed_over(poison: Mapping[str, Any], tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    ledger.note_answer(answer(1))
    ledger.close()
    _put(ledger.path, "answers", packed({**plain(answer(2)), **poison}))

    assert ledger.answers() == [answer(1)]


def test_the_file_can_be_made_to_forget(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    for number in range(4):
        ledger.note_grade(grade(number, key="coder" if number else "other"))
        ledger.note_answer(answer(number, key="coder" if number else "other"))
    ledger.note_load(load(1))

    assert ledger.insist(lambda store: store.forget("coder")) == 3
    assert [one.key for one in ledger.grades()] == ["other"]
    assert [one.key for one in ledger.answers()] == ["other"]
    assert ledger.insist(lambda store: store.forget("")) == 1
    assert (ledger.grades(), ledger.answers(), ledger.loads(HOST)) == ([], [], [load(1)])
    ledger.close()


def test_what_cannot_be_changed_is_said(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_text("Dear diary, " * 100)

    with pytest.raises(OSError, match=r"cannot be changed.*Try again, or delete the file"):
        SqliteLedger(path).insist(lambda store: store.forget(""))


def test_what_is_written_is_small(tmp_path: Path) -> None:
    """With a real vector of 256 numbers, a thousand answers and grades take less than 2 MB."""
    vector = tuple((number * 37) % 255 - 127 for number in range(256))
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    for number in range(1000):
        features = replace(answer().features, vector=vector[number % 256 :] + vector)
        ledger.note_answer(replace(answer(number), features=features))
        ledger.note_grade(replace(grade(number), features=features))
    ledger.close()

    assert ledger.path.stat().st_size < 2_000_000
    assert json.loads(json.dumps(plain(ledger.grades()[-1])))["key"] == "coder"
