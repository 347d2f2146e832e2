"""The ledger's file: made late, shared, and never a reason to fail."""

import logging
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from unit_tests.ledger.notes import HOST, decision, load, numbers

from langchain_lmswitch.ledger.sqlite import SqliteLedger
from langchain_lmswitch.ledger.store import APPLICATION, SCHEMA, Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger is to be."""
    return tmp_path / "home" / "ledger.sqlite"


def again(path: Path) -> SqliteLedger:
    """Open the ledger as another process would."""
    return SqliteLedger(path)


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


def test_making_and_reading_a_ledger_touches_nothing(path: Path) -> None:
    ledger = SqliteLedger(path)
    assert (ledger.loads(HOST), ledger.decisions(5)) == ([], [])
    ledger.close()

    assert not path.parent.exists()


def test_it_outlives_its_process(path: Path) -> None:
    ledger = SqliteLedger(path)
    ledger.note_load(load(1))
    ledger.note_decision(decision(1))
    assert ledger.flush()

    assert again(path).loads(HOST) == [load(1)]
    assert numbers(again(path).decisions(5)) == [1]
    ledger.close()


def test_an_ending_process_writes_what_it_noted(path: Path) -> None:
    """Without a word to the ledger."""
    code = (
        "import sys; from pathlib import Path; from unit_tests.ledger.notes import load\n"
        "from langchain_lmswitch.ledger.sqlite import SqliteLedger\n"
        "SqliteLedger(Path(sys.argv[1])).note_load(load(3))"
    )
    _run(code, path)

    assert again(path).loads(HOST) == [load(3)]


def test_noting_returns_at_once_while_the_file_is_locked(path: Path) -> None:
    ledger = SqliteLedger(path)
    ledger.note_load(load(1))
    ledger.flush()
    with _locked(path) as release:
        started_s = time.perf_counter()
        for number in range(100):
            ledger.note_decision(decision(number))
        ended_s = time.perf_counter()
        assert not ledger.flush(timeout_s=0.2)
        release()

    assert ended_s - started_s < 0.1  # the lock would have been waited for for two seconds
    assert ledger.flush()
    ledger.close()
    assert numbers(again(path).decisions(200)) == list(range(100))


def test_a_lock_that_lasts_is_warned_of_once_and_memory_used(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = SqliteLedger(path)
    ledger.note_load(load(1))
    ledger.flush()
    with _locked(path):
        ledger.note_load(load(2))
        assert ledger.flush(timeout_s=5)
        ledger.note_load(load(3))
        assert ledger.flush()

    assert ledger.loads(HOST) == [load(1), load(2), load(3)]
    assert again(path).loads(HOST) == [load(1)]
    [warning] = warned(caplog)
    assert "locked" in warning
    ledger.close()


@pytest.mark.parametrize("where", ["/proc/lmswitch/ledger.sqlite", "/dev/null/ledger.sqlite", "."])
def test_a_place_that_cannot_be_written_is_warned_of_once(
    where: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = SqliteLedger(tmp_path / where)
    for number in range(3):
        ledger.note_load(load(number))
        assert ledger.flush()

    assert ledger.loads(HOST) == [load(number) for number in range(3)]
    assert len(warned(caplog)) == 1
    ledger.close()


def test_a_full_disk_is_warned_of_once(path: Path) -> None:
    """The limit on the size of files fails writes as a full disk does."""
    code = (
        "import resource, sys; from pathlib import Path; from unit_tests.ledger.notes import *\n"
        "from langchain_lmswitch.ledger.sqlite import SqliteLedger\n"
        "ledger = SqliteLedger(Path(sys.argv[1]))\n"
        "ledger.note_load(load(0)); ledger.flush()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "for number in range(1, 900):\n"
        "    ledger.note_load(load(number))\n"
        "    if number % 100 == 0: ledger.flush()\n"
        "print(len(ledger.loads(HOST)))"
    )
    done = _run(code, path)

    assert done.stdout.split() == ["900"]
    assert done.stderr.count("remembered in this process only") == 1
    assert 0 < len(again(path).loads(HOST)) < 900


def spoiled(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + os.urandom(8000))


def torn(path: Path) -> None:
    """Fill a ledger and write over the middle of it."""
    store = Store(path)
    store.add([decision(number) for number in range(500)])
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\0" * 4096 * 3)


def text(path: Path) -> None:
    path.write_text("Dear diary, " * 100)


def foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE loads (title TEXT)")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("spoil", [spoiled, torn, text, foreign])
def test_what_is_no_ledger_is_set_aside(
    spoil: Callable[[Path], None], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    spoil(path)
    before = path.read_bytes()
    ledger = SqliteLedger(path)
    ledger.loads(HOST)  # reading does not fail, nor change the file
    assert path.read_bytes() == before
    ledger.note_load(load(2))
    ledger.note_decision(decision(2))
    assert ledger.flush()

    [aside] = path.parent.glob("ledger.sqlite.corrupt-*")
    assert aside.read_bytes() == before
    assert again(path).loads(HOST) == [load(2)]
    [warning] = warned(caplog)
    assert aside.name in warning
    ledger.close()


def test_a_newer_ledger_is_left_alone(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Store(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    connection.close()
    ledger = SqliteLedger(path)
    ledger.note_load(load(1))
    assert ledger.flush()

    assert ledger.loads(HOST) == [load(1)]
    assert [one.name for one in path.parent.iterdir() if "corrupt" in one.name] == []
    [warning] = warned(caplog)
    assert "newer version" in warning
    ledger.close()


def test_the_file_tells_whose_it_is(path: Path) -> None:
    Store(path).close()
    connection = sqlite3.connect(path)
    found = [
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("application_id", "user_version", "journal_mode")
    ]
    connection.close()

    assert found == [APPLICATION, SCHEMA, "wal"]


def test_rows_that_cannot_be_read_are_passed_over(path: Path) -> None:
    store = Store(path)
    store.add([load(1), decision(1)])
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO loads (at_s, host, record) VALUES (0, ?, '{}')", (HOST,))
    connection.execute(
        "INSERT INTO decisions (at_s, kind, version, facts, outcome) VALUES (0, 'x', '', '', 'y')"
    )
    connection.commit()
    connection.close()

    assert again(path).loads(HOST) == [load(1)]
    assert numbers(again(path).decisions(5)) == [1]


def test_facts_that_are_no_values_do_not_stop_the_others(path: Path) -> None:
    ledger = SqliteLedger(path)
    strange = decision(1)
    object.__setattr__(strange, "facts", {"no value": object()})
    ledger.note_decision(strange)
    ledger.note_decision(decision(2))
    ledger.close()

    assert numbers(again(path).decisions(5)) == [2]


def test_several_processes_begin_and_write_at_once(tmp_path: Path) -> None:
    """None takes what another is just making for damage, and nothing is lost."""
    code = (
        "import sys, time; from pathlib import Path; from unit_tests.ledger.notes import *\n"
        "from langchain_lmswitch.ledger.sqlite import SqliteLedger\n"
        "for turn in range(10):\n"
        f"    time.sleep(max(0, {time.time() + 2} + turn / 10 - time.time()))\n"
        "    ledger = SqliteLedger(Path(sys.argv[1]) / f'{turn}.sqlite')\n"
        "    for number in range(20):\n"
        "        ledger.note_load(load(number)); ledger.note_decision(decision(number))\n"
        "    ledger.close()"
    )
    threads = [threading.Thread(target=_run, args=(code, tmp_path)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    ledgers = [again(tmp_path / f"{turn}.sqlite") for turn in range(10)]
    assert [len(one.loads(HOST)) for one in ledgers] == [80] * 10
    assert [len(one.decisions(200)) for one in ledgers] == [80] * 10
    assert list(tmp_path.glob("*corrupt*")) == []


def test_several_processes_find_the_damage_at_once(path: Path) -> None:
    """One of them sets the file aside; none what another has put in its place."""
    path.parent.mkdir()
    spoiled(path)
    code = (
        "import sys; from pathlib import Path; from unit_tests.ledger.notes import *\n"
        "from langchain_lmswitch.ledger.sqlite import SqliteLedger\n"
        "ledger = SqliteLedger(Path(sys.argv[1]))\n"
        "ledger.note_load(load(1)); ledger.close()"
    )
    threads = [threading.Thread(target=_run, args=(code, path)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(again(path).loads(HOST)) == 4
    assert len(list(path.parent.glob("*.corrupt-*"))) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_opens_the_file_anew(path: Path) -> None:
    """The child writes its own, and nothing twice; the parent goes on."""
    code = (
        "import os, sys; from pathlib import Path; from unit_tests.ledger.notes import *\n"
        "from langchain_lmswitch.ledger.sqlite import SqliteLedger\n"
        "ledger = SqliteLedger(Path(sys.argv[1]))\n"
        "ledger.note_load(load(1)); ledger.flush(); ledger.note_load(load(2))\n"
        "child = os.fork()\n"
        "ledger.note_load(load(3 if child else 4))\n"
        "ledger.close()\n"
        "if not child: os._exit(0)\n"
        "_, status = os.waitpid(child, 0)\n"
        "ledger.note_load(load(5)); ledger.close()\n"
        "sys.exit(status)"
    )
    _run(code, path)

    found = [one.at_s for one in again(path).loads(HOST)]
    assert sorted(found) == [1, 2, 3, 4, 5]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_no_file_is_open_while_a_process_forks(path: Path) -> None:
    ledger = SqliteLedger(path)
    ledger.note_load(load(1))
    ledger.flush()
    code = _open_files(path.parent)
    assert code  # it is open before
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, b"open" if _open_files(path.parent) else b"shut")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"shut"
    os.close(reading)
    os.close(writing)
    ledger.note_load(load(2))
    ledger.close()

    assert again(path).loads(HOST) == [load(1), load(2)]


def _open_files(folder: Path) -> list[str]:
    found = []
    for one in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(one.readlink()))
        except OSError:
            continue
    return [one for one in found if one.startswith(str(folder))]


class _locked:  # noqa: N801 - reads as a sentence
    """Hold the write lock of a ledger's file as another process would."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)

    def __enter__(self) -> Callable[[], None]:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._release

    def _release(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def __exit__(self, *_: object) -> None:
        self._release()
        self._connection.close()


def _run(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    tests, root = Path(__file__).parents[2], Path(__file__).parents[3]
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code, str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(root), str(tests)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done
