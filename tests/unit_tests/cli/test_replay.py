"""`lmswitch replay`: the requests of this machine, decided anew."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from langchain_lmswitch._version import __version__
from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.ledger.sqlite import SqliteLedger
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.boards import boards
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card

SMALL = card("small-chat", params="1B", size_bytes=200 * 2**20)
LARGE = card("large-chat", params="7B", size_bytes=900 * 2**20)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteLedger]:
    """The ledger of a home of our own."""
    monkeypatch.setenv("LMSWITCH_HOME", str(tmp_path))
    made = SqliteLedger(Settings().ledger_path)
    yield made
    made.close()


def run(*args: str, session: Session | None = None) -> Result:
    return CliRunner().invoke(app, list(args), obj=session or Session())


def asked(ledger: SqliteLedger, *texts: str) -> ScriptedHost:
    """Ask a host with two models, each request recorded."""
    host = ScriptedHost([SMALL, LARGE])
    session = Session(host=host, monitor=FixedMachine())

    async def record() -> None:
        boards().given(host, session.monitor, Settings(), ledger=ledger)

    portal().call(record())
    for text in texts:
        assert run("ask", text, session=session).exit_code == 0
    ledger.close()
    return host


def alter(ledger: SqliteLedger, *, version: str = __version__) -> None:
    """Note the first choice again as if the smaller model had been chosen."""
    record = next(one for one in ledger.decisions(9) if one.kind == "choice")
    outcome = {**record.outcome, "model": "small-chat", "reason": "small is beautiful"}
    ledger.note_decision(replace(record, outcome=outcome, version=version))
    ledger.close()


def test_nothing_recorded_is_said(ledger: SqliteLedger) -> None:
    done = run("replay")

    assert done.exit_code == 0
    assert str(ledger.path) in done.stderr.replace("\n", "")
    assert not ledger.path.exists()


def test_the_same_rules_decide_the_same(ledger: SqliteLedger) -> None:
    """Who answers, three times, and how that model got into memory."""
    host = asked(ledger, "Hello", "Write a python function.", "Hello")
    calls = len(host.calls)
    done = run("replay")

    assert (done.exit_code, done.stdout) == (0, "4 of 4 decisions come out the same.\n")
    assert len(host.calls) == calls


def test_what_comes_out_otherwise_is_shown(ledger: SqliteLedger) -> None:
    asked(ledger, "Hello")
    alter(ledger)
    done = run("replay")

    assert done.exit_code == 1
    assert done.stdout.startswith("2 of 3 decisions come out the same.")
    [line] = [line for line in done.stdout.splitlines() if "small is beautiful" in line]
    assert "load small-chat" in line
    assert "load large-chat" in line
    assert line.endswith("model, reason")
    assert "version" not in done.stdout + done.stderr


def test_the_latest_only(ledger: SqliteLedger) -> None:
    asked(ledger, "Hello")
    alter(ledger)

    assert run("replay", "--last", "1").stdout.startswith("0 of 1 ")


def test_a_decision_of_another_version_is_said_to_be_one(ledger: SqliteLedger) -> None:
    asked(ledger, "Hello")
    alter(ledger, version="0.0.1")
    done = run("replay")

    assert "(decided by version 0.0.1)" in done.stdout
    assert "0.0.1" in done.stderr


def test_as_json(ledger: SqliteLedger) -> None:
    asked(ledger, "Hello")
    alter(ledger)
    done = run("replay", "--json")
    report = json.loads(done.stdout)

    assert done.exit_code == 1
    assert (report["decisions"], report["same"], report["version"]) == (3, 2, __version__)
    [one] = report["differing"]
    assert (one["then"]["model"], one["now"]["model"]) == ("small-chat", "large-chat")
    assert one["differs"] == ["model", "reason"]


def test_no_question_is_on_the_disk(ledger: SqliteLedger) -> None:
    asked(ledger, "My password is swordfish.")
    choice, plan = ledger.decisions(5)

    assert "swordfish" not in json.dumps([choice.facts, choice.outcome, plan.facts, plan.outcome])
    assert choice.facts["task"]["kind"] == "chat"
