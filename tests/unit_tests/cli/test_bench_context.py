"""`lmswitch bench context`: an object for a program, a table for a person, errors for both."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result
from unit_tests.testing.bench.context.talks import talk, write_talks

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.boards import boards
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.testing import ScriptedHost


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command sets this for its own process, and that is the tests'."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")


def run(*args: str, host: ScriptedHost | None = None) -> Result:
    session = Session(host=host, monitor=host)
    return CliRunner().invoke(app, ["bench", "context", *args], obj=session)


@pytest.fixture
def data(tmp_path: Path) -> str:
    return str(write_talks(tmp_path / "talks.jsonl", talk(200)))


def test_json_is_one_object(data: str) -> None:
    done = run("--data", data, "--ratio", "6", "--json")

    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert {
        "evidence_recall",
        "all_evidence",
        "over_budget",
        "n",
        "by_category",
        "prefill_ratio",
    } < found.keys()
    assert (found["ratio"], found["n"], found["counter"]) == (6, 2, "estimate")
    assert found["embedder"] is None
    assert "rows" not in found
    assert "talks.jsonl: 1 conversations, 2 questions" in done.stderr


def test_files_are_measured_as_one_and_ratios_are_rows(data: str) -> None:
    more = ("--ratio", "6", "--ratio", "3", "--no-prefill", "--no-priors", "--json")
    found = json.loads(run("--data", data, "--data", data, *more).stdout)

    assert [(row["ratio"], row["n"]) for row in found["rows"]] == [(6, 4), (3, 4)]
    assert found["ratio"] == 6
    assert found["priors"] is False
    assert found["prefill_ratio"] is None


def test_table_for_a_person_has_the_rivals_below_us(data: str) -> None:
    done = run("--data", data, "--ratio", "6", "--rivals")

    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.stdout.splitlines() if line.strip().startswith("6")]
    assert [row[1] for row in rows] == ["lmswitch", "window", "bm25"]
    assert rows[0][2:4] == ["100.0", "%"]
    assert rows[1][2:4] == ["0.0", "%"]
    assert re.search(r"estimate counted [\d,]+ texts", done.stderr)


def test_a_model_counts_and_stays_no_longer_leased(data: str) -> None:
    host = ScriptedHost(["tiny"])

    done = run(
        "--data", data, "--ratio", "6", "--no-prefill", "--model", "tiny", "--json", host=host
    )

    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["counter"], found["over_budget"]) == ("tiny", 0)
    assert found["evidence_recall"] == 1.0
    asked = {call.method for call in host.calls}
    assert {"load", "render", "count_tokens"} <= asked
    assert not portal().call(_leased(host))


async def _leased(host: ScriptedHost) -> bool:
    board = boards().given(host, host, Settings())
    [resident] = await host.residents()
    return board.leased(resident.identifier)


def test_a_model_that_is_not_there_is_told(data: str) -> None:
    done = run("--data", data, "--ratio", "6", "--model", "huge", host=ScriptedHost(["tiny"]))

    assert done.exit_code == 4
    assert "huge" in done.stderr


def test_a_file_without_conversations_is_a_usage_error(tmp_path: Path) -> None:
    (file := tmp_path / "a.jsonl").write_text('{"turns": []}\n')

    done = run("--data", str(file), "--ratio", "6", "--json")

    assert done.exit_code == 2
    told = json.loads(done.stderr)
    assert told["error"] == "InvalidRequest"
    assert f"{file}, line 1" in told["message"]
