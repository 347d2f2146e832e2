"""The ledger's file among processes: several, forked ones, ones that end, one that fails."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from unit_tests.ledger.notes import HOST, load

from langchain_lmswitch.ledger.sqlite import SqliteLedger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger is to be."""
    return tmp_path / "home" / "ledger.sqlite"


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


def test_an_ending_process_writes_what_it_noted(path: Path) -> None:
    """Without a word to the ledger."""
    code = (
        "import sys; from pathlib import Path; from unit_tests.ledger.notes import load\n"
        "from langchain_lmswitch.ledger.sqlite import SqliteLedger\n"
        "SqliteLedger(Path(sys.argv[1])).note_load(load(3))"
    )
    _run(code, path)

    assert SqliteLedger(path).loads(HOST) == [load(3)]


@pytest.mark.skipif(sys.platform == "win32", reason="it has no limit on the size of files")
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
    assert 0 < len(SqliteLedger(path).loads(HOST)) < 900


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

    ledgers = [SqliteLedger(tmp_path / f"{turn}.sqlite") for turn in range(10)]
    assert [len(one.loads(HOST)) for one in ledgers] == [80] * 10
    assert [len(one.decisions(200)) for one in ledgers] == [80] * 10
    assert list(tmp_path.glob("*corrupt*")) == []


def test_several_processes_find_the_damage_at_once(path: Path) -> None:
    """One of them sets the file aside; none what another has put in its place."""
    path.parent.mkdir()
    path.write_text("Dear diary, " * 100)
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

    assert len(SqliteLedger(path).loads(HOST)) == 4
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

    found = [one.at_s for one in SqliteLedger(path).loads(HOST)]
    assert sorted(found) == [1, 2, 3, 4, 5]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="it does not tell its open files")
def test_no_file_is_open_while_a_process_forks(path: Path) -> None:
    """SQLite would believe that the child has its parent's locks."""
    code = (
        "import os, sys; from pathlib import Path; from unit_tests.ledger.notes import *\n"
        "from langchain_lmswitch.ledger.sqlite import SqliteLedger\n"
        "def opened():\n"
        "    names = [os.path.realpath(one) for one in Path('/proc/self/fd').iterdir()]\n"
        "    return sum(name.startswith(sys.argv[1]) for name in names)\n"
        "ledger = SqliteLedger(Path(sys.argv[1]))\n"
        "ledger.note_load(load(1)); ledger.flush()\n"
        "before = opened()\n"
        "child = os.fork()\n"
        "if not child: os._exit(opened())\n"
        "_, status = os.waitpid(child, 0)\n"
        "ledger.note_load(load(2)); ledger.close()\n"
        "print(before > 0, status)"
    )

    assert _run(code, path).stdout.split() == ["True", "0"]
    assert SqliteLedger(path).loads(HOST) == [load(1), load(2)]
