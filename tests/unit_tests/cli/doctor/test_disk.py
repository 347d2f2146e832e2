"""Folders, the ledger and model files, as they lie on a disk."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from unit_tests.embedded.gguf_writer import write_model

from langchain_lmswitch.cli.doctor.findings import Finding
from langchain_lmswitch.cli.doctor.probes.folders import Folders, Obstacle, Why
from langchain_lmswitch.cli.doctor.verdicts.folders import judge_disk, judge_folders
from langchain_lmswitch.ledger.schema import APPLICATION, prepare

Examine = Callable[..., Finding]


@pytest.fixture
def ledger(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the ledger lies; it is not there yet."""
    monkeypatch.setenv("LMSWITCH_REMEMBER", "true")
    home.mkdir()
    return home / "ledger.sqlite"


def begin(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        prepare(connection)


def test_empty_home_is_in_order_and_stays_empty(look_at: Examine, home: Path) -> None:
    assert look_at("folders").state == "ok"
    assert look_at("model files").state == "ok"
    assert look_at("ledger").state == "ok"
    assert not home.exists()


def test_file_where_a_folder_should_be(look_at: Examine, home: Path) -> None:
    home.write_text("")

    told = look_at("folders")

    assert told.state == "problem"
    assert f"{home} is a file" in told.what


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission(look_at: Examine, home: Path) -> None:
    home.mkdir(mode=0o500)

    told = look_at("folders")

    assert told.state == "problem"
    assert told.remedy == f"chmod u+rwx {home}"


@pytest.mark.parametrize(
    ("why", "at_home", "remedy"),
    [
        ("no permission", True, "chmod u+rwx '/some where'"),
        ("another user's", True, "sudo chown -R \"$(id -un)\" '/some where'"),
        ("another user's", False, 'export LMSWITCH_HOME="$HOME/lmswitch"'),
        ("read-only disk", True, 'export LMSWITCH_HOME="$HOME/lmswitch"'),
    ],
)
def test_what_opens_a_folder(tmp_path: Path, why: Why, *, at_home: bool, remedy: str) -> None:
    at = Path("/some where")
    found = Obstacle(folder=at / "run", at=at, why=why, at_home=at_home)
    facts = Folders(
        home=at, obstacles=(found,), models=at, free_bytes=None, ledger=tmp_path / "ledger"
    )

    told = judge_folders(facts)

    assert told.what.startswith(f"{at / 'run'} cannot be written: ")
    assert told.remedy == remedy


@pytest.mark.skipif(os.name != "posix", reason="Windows has no modes")
def test_token_that_others_can_read(look_at: Examine, home: Path) -> None:
    (home / "run").mkdir(parents=True)
    (home / "run" / "token").touch(mode=0o644)

    told = look_at("folders")

    assert told.state == "problem"
    assert told.remedy == f"chmod 600 {home / 'run' / 'token'}"


@pytest.mark.parametrize(
    ("free_bytes", "state"), [(2**28, "problem"), (2**31, "note"), (2**34, "ok"), (None, "unknown")]
)
def test_space_on_the_disk(tmp_path: Path, free_bytes: int | None, state: str) -> None:
    facts = Folders(home=tmp_path, models=tmp_path, free_bytes=free_bytes, ledger=tmp_path)

    assert judge_disk(facts).state == state


def test_sound_ledger(look_at: Examine, ledger: Path) -> None:
    begin(ledger)
    before = ledger.read_bytes()

    assert look_at("ledger").state == "ok"
    assert ledger.read_bytes() == before


def test_ledger_that_another_program_holds(look_at: Examine, ledger: Path) -> None:
    begin(ledger)
    with closing(sqlite3.connect(ledger, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        told = look_at("ledger")

    assert told.state == "problem"
    assert "held by another program" in told.what


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"\1" * 4096])
def test_damaged_ledger(look_at: Examine, ledger: Path, content: bytes) -> None:
    ledger.write_bytes(content)

    told = look_at("ledger")

    assert told.state == "problem"
    assert "damaged" in told.what
    assert ledger.read_bytes() == content, "it only looks"


def test_database_of_somebody_else(look_at: Examine, ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("CREATE TABLE theirs (x)")

    assert "is no ledger" in look_at("ledger").what


def test_ledger_of_a_newer_version(look_at: Examine, ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute("PRAGMA user_version = 999")

    told = look_at("ledger")

    assert told.remedy == "pip install --upgrade langchain-lmswitch"


def test_model_file_that_cannot_be_read(look_at: Examine, home: Path) -> None:
    folder = home / "models" / "someone" / "some-model"
    folder.mkdir(parents=True)
    (folder / "half.gguf").write_bytes(b"GGUF\x03")
    write_model(folder / "whole.gguf")

    told = look_at("model files")

    assert told.state == "problem"
    assert str(folder / "half.gguf") in told.what
    assert told.remedy == f"rm {folder / 'half.gguf'}"
    assert look_at("models").what == "1 model file on this machine"


def test_folder_of_models_that_is_not_there(
    look_at: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, gone = tmp_path / "here", tmp_path / "gone"
    here.mkdir()
    monkeypatch.setenv("LMSWITCH_MODEL_FOLDERS", f"{gone}{os.pathsep}{here}")

    told = look_at("model files")

    assert told.state == "problem"
    assert str(gone) in told.what
    assert told.remedy == f"export LMSWITCH_MODEL_FOLDERS={here}"
