"""What every ledger does, on disk and in memory."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from unit_tests.ledger.notes import HOST, decision, load, numbers

from langchain_lmswitch.ledger.base import LOADS_READ, MOST_DECISIONS, MOST_LOADS, Ledger
from langchain_lmswitch.ledger.memory import DECISIONS_IN_MEMORY, MemoryLedger
from langchain_lmswitch.ledger.sqlite import SqliteLedger


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger of either kind, empty."""
    made: Ledger = MemoryLedger()
    if request.param == "sqlite":
        made = SqliteLedger(tmp_path / "home" / "ledger.sqlite")
    yield made
    made.close()


def test_an_empty_ledger_knows_nothing(ledger: Ledger) -> None:
    assert (ledger.loads(HOST), ledger.decisions(10)) == ([], [])


def test_what_is_noted_can_be_read_at_once(ledger: Ledger) -> None:
    for number in range(5):
        ledger.note_load(load(number))
        ledger.note_decision(decision(number))
        assert ledger.loads(HOST)[-1] == load(number)
        assert numbers(ledger.decisions(1)) == [number]

    assert ledger.loads(HOST) == [load(number) for number in range(5)]
    assert numbers(ledger.decisions(3)) == [2, 3, 4]


def test_loads_are_those_of_one_host(ledger: Ledger) -> None:
    ledger.note_load(load(1))
    ledger.note_load(load(2, host="other:1"))

    assert ledger.loads("other:1") == [load(2, host="other:1")]
    assert ledger.loads("nobody:1") == []


def test_decisions_come_back_as_json_values_without_what_is_usual(ledger: Ledger) -> None:
    ledger.note_decision(decision(7))

    [found] = ledger.decisions(5)
    asked = {"host": HOST, "key": "model", "size_bytes": 10**9, "context_tokens": 4096}
    assert found.facts == {"number": 7, "asked": asked}
    assert (found.at_s, found.kind, found.outcome, found.version) == (
        7.0,
        "choice",
        {"model": "m"},
        "1",
    )


@pytest.mark.parametrize("last", [0, -1])
def test_none_are_none(ledger: Ledger, last: int) -> None:
    ledger.note_decision(decision())

    assert ledger.decisions(last) == []


def test_a_closed_ledger_may_be_used_again(ledger: Ledger) -> None:
    ledger.note_load(load(1))
    ledger.close()
    ledger.note_load(load(2))

    assert ledger.loads(HOST) == [load(1), load(2)]


def test_only_so_many_loads_are_given_back(ledger: Ledger) -> None:
    for number in range(LOADS_READ + 5):
        ledger.note_load(load(number))
    ledger.close()

    found = ledger.loads(HOST)
    assert (len(found), found[0], found[-1]) == (LOADS_READ, load(5), load(LOADS_READ + 4))


def test_the_oldest_are_dropped(ledger: Ledger) -> None:
    most = DECISIONS_IN_MEMORY if isinstance(ledger, MemoryLedger) else MOST_DECISIONS
    for number in range(most + 10):
        ledger.note_decision(decision(number))
    ledger.close()

    assert numbers(ledger.decisions(2 * most)) == list(range(10, most + 10))


def test_the_file_holds_no_more_loads_than_are_kept(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    for number in range(MOST_LOADS + 10):
        ledger.note_load(load(number))
    ledger.close()

    connection = sqlite3.connect(ledger.path)
    [(count,)] = connection.execute("SELECT count(*) FROM loads")
    connection.close()
    assert count == MOST_LOADS
