"""The file of contexts: shared, and no reason for a call to fail."""

import logging
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from langchain_lmswitch.ledger import contexts
from langchain_lmswitch.ledger.contexts import FORM, SqliteContextStore

TOLD = {"a1": "They spoke of «towns».", "b2": {"format": 1, "spans": [[0, 1]]}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "home" / "contexts.sqlite"


def test_what_was_kept_is_found_by_kind_and_namespace(path: Path) -> None:
    SqliteContextStore(path, namespace="anna").put_many("summaries", TOLD)
    found = SqliteContextStore(path, namespace="anna")

    assert found.get_many("summaries", ["b2", "a1", "c3"]) == TOLD
    assert found.get_many("segments", ["a1"]) == {}
    assert SqliteContextStore(path).get_many("summaries", ["a1"]) == {}


def test_looking_makes_no_file(path: Path) -> None:
    store = SqliteContextStore(path)
    store.clear()

    assert store.get_many("segments", ["a1"]) == {}
    assert not path.parent.exists()


def test_many_keys_at_once(path: Path) -> None:
    items = {f"{number:05}": number for number in range(3000)}
    store = SqliteContextStore(path)
    store.put_many("segments", items)

    assert store.get_many("segments", [*items]) == items


def test_the_oldest_go_first(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "MOST_ENTRIES", 3)
    store = SqliteContextStore(path)
    for key in "abcd":
        store.put_many("segments", {key: key})

    assert [*store.get_many("segments", [*"abcd"])] == [*"bcd"]


def test_what_is_cleared_is_gone_from_the_disk(path: Path) -> None:
    store, other = SqliteContextStore(path), SqliteContextStore(path, namespace="ben")
    other.put_many("summaries", TOLD)
    store.put_many("summaries", TOLD | {"something secret": 1})
    assert any(b"something secret" in one.read_bytes() for one in path.parent.iterdir())
    store.clear()

    assert store.get_many("summaries", [*TOLD]) == {}
    assert other.get_many("summaries", [*TOLD]) == TOLD
    assert not any(b"something secret" in one.read_bytes() for one in path.parent.iterdir())


def other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE checkpoints (id INTEGER)")


def newer_version(path: Path) -> None:
    SqliteContextStore(path).put_many("summaries", TOLD)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA user_version = {FORM.schema + 1}")


@pytest.mark.parametrize("make", [other_database, newer_version])
def test_somebody_elses_file_is_left_alone(
    make: Callable[[Path], None], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    make(path)
    store, before = SqliteContextStore(path), path.read_bytes()
    for _ in range(2):
        store.put_many("summaries", TOLD)
        assert store.get_many("summaries", [*TOLD]) == {}

    assert path.read_bytes() == before
    assert [one.levelno for one in caplog.records] == [logging.WARNING]


def torn(path: Path) -> None:
    store = SqliteContextStore(path)
    store.put_many("summaries", TOLD)
    store.close()
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xa5" * (len(data) - 100))


def empty_blocks(path: Path) -> None:
    path.write_bytes(bytes(8192))


@pytest.mark.parametrize("damage", [torn, empty_blocks])
def test_a_damaged_file_is_set_aside(
    damage: Callable[[Path], None], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    damage(path)
    store, before = SqliteContextStore(path), path.read_bytes()

    assert store.get_many("summaries", [*TOLD]) == {}
    store.put_many("summaries", TOLD)
    assert store.get_many("summaries", [*TOLD]) == TOLD
    [aside] = path.parent.glob("*.corrupt-*[0-9]")
    assert aside.read_bytes() == before
    assert [one.levelno for one in caplog.records] == [logging.WARNING]
    assert aside.name in caplog.text


def test_a_row_that_cannot_be_read_is_not_found(path: Path) -> None:
    store = SqliteContextStore(path)
    store.put_many("summaries", TOLD)
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE entries SET value = x'00' WHERE key = 'a1'")

    assert [*store.get_many("summaries", [*TOLD])] == ["b2"]


def test_a_place_that_cannot_be_is_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    store = SqliteContextStore(tmp_path / "file" / "contexts.sqlite")
    for _ in range(3):
        store.put_many("summaries", TOLD)

    assert store.get_many("summaries", [*TOLD]) == {}
    assert [one.levelno for one in caplog.records] == [logging.WARNING]


def test_threads_and_processes_share_it(path: Path) -> None:
    code = (
        "import sys; from langchain_lmswitch.ledger.contexts import SqliteContextStore\n"
        "store = SqliteContextStore(sys.argv[1])\n"
        "for number in range(50): store.put_many('segments', {f'process {number}': number})"
    )
    other = subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code, str(path)],
        cwd=Path(__file__).parents[3],
    )
    stores = [SqliteContextStore(path) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        for number in range(50):
            store = stores[number % 2]
            pool.submit(store.put_many, "segments", {f"thread {number}": number})

    assert other.wait(timeout=60) == 0
    names = [f"{who} {number}" for who in ("thread", "process") for number in range(50)]
    assert len(stores[1].get_many("segments", names)) == 100
