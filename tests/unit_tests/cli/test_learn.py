"""`lmswitch learn`: what answers have taught, shown, forgotten and carried off."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result
from unit_tests.ledger.grades import CODE, HERE, answer, grade, grades
from unit_tests.ledger.notes import load

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.ledger.base import MOST_GRADES
from langchain_lmswitch.ledger.sqlite import SqliteLedger
from langchain_lmswitch.policy.lessons import Lessons
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.types.grades import Expected, Grade
from langchain_lmswitch.types.tasks import Features

PRIORS = {
    key: Expected(quality=0.5, prior=0.5) for key in ("coder", "chat/modell-ä", "small", "other")
}


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteLedger]:
    """The ledger of a home of our own."""
    monkeypatch.setenv("LMSWITCH_HOME", str(tmp_path))
    made = SqliteLedger(Settings().ledger_path)
    yield made
    made.close()


def run(*args: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["learn", *args], obj=Session(), input=stdin)


def filled(ledger: SqliteLedger) -> None:
    for number in range(4):
        ledger.note_answer(answer(number))
        ledger.note_grade(grade(number, score=number / 4))
    ledger.note_answer(answer(9, key="other"))
    asked = replace(load().configuration, host=HERE, key="coder")
    ledger.note_load(replace(load(), configuration=asked))
    ledger.close()


def test_nothing_learnt_is_said(ledger: SqliteLedger) -> None:
    done = run("show")

    assert (done.exit_code, done.stdout) == (0, "")
    assert "Nothing has been learnt yet" in done.stderr
    assert not ledger.path.exists()


def test_each_model_has_a_line(ledger: SqliteLedger) -> None:
    filled(ledger)
    done = run("show")

    assert done.exit_code == 0
    coder, other = (line.split() for line in done.stdout.splitlines()[2:4])
    assert coder[:9] == ["coder", "4", "4", "0.38", "40.0", "0.5", "s", "2.5", "s"]
    assert other[:6] == ["other", "1", "0", "unknown", "40.0", "0.5"]
    assert "code" in coder


def test_as_json(ledger: SqliteLedger) -> None:
    filled(ledger)
    ledger.note_grade(grade(1, host="far:1"))
    ledger.close()
    found = json.loads(run("show", "--json").stdout)

    assert found["ledger"] == str(ledger.path)
    far, coder, other = found["models"]
    assert (far["host"], far["answers"], far["grades"], far["mean"]) == ("far:1", 0, 1, 1.0)
    learnt = Lessons(ledger.grades(HERE)).expect(Features(kinds={"code": 1.0}), PRIORS)
    points = 100 * (learnt["coder"].quality - learnt["small"].quality)
    assert coder["learnt_points"] == {"code": pytest.approx(points, abs=0.01)}
    assert points < 0
    assert other["learnt_points"]["code"] == 0
    assert coder["tokens_per_second"] == 40.0
    assert (coder["first_token_s"], coder["load_s"]) == (0.5, 2.5)
    assert (other["mean"], other["load_s"], other["answers"]) == (None, None, 1)
    assert "far:1" in run("show").stdout


def test_all_is_forgotten(ledger: SqliteLedger) -> None:
    filled(ledger)
    done = run("reset", "--yes")

    assert done.exit_code == 0
    assert "4 grades of all models are forgotten" in done.stderr
    assert (ledger.grades(), ledger.answers()) == ([], [])
    assert len(ledger.loads(HERE)) == 1
    assert run("reset", "--yes").exit_code == 0


def test_what_is_done_is_told_as_json(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The grades themselves are JSON already: nothing else is written where they go."""
    filled(ledger)
    file = str(tmp_path / "grades.jsonl")

    assert json.loads(run("export", file, "--json").stdout) == {"file": file, "written": 4}
    assert len(run("export", "-", "--json").stdout.splitlines()) == 4
    done = run("reset", "--yes", "--json")
    assert json.loads(done.stdout) == {"model": None, "forgotten": 4}
    assert done.stderr == ""


def test_one_model_is_forgotten(ledger: SqliteLedger) -> None:
    filled(ledger)
    ledger.note_grade(grade(1, key="other"))
    ledger.close()
    done = run("reset", "--model", "cod", "--yes")

    assert "4 grades of coder are forgotten" in done.stderr
    assert [one.key for one in ledger.grades()] == ["other"]
    assert [one.key for one in ledger.answers()] == ["other"]


@pytest.mark.parametrize("name", ["nobody", "o"])
def test_a_model_that_is_not_meant_clearly_is_asked_for(ledger: SqliteLedger, name: str) -> None:
    filled(ledger)
    done = run("reset", "--model", name, "--yes")

    assert done.exit_code == 2
    assert "give one of: coder, other" in done.stderr
    assert len(ledger.grades()) == 4


@pytest.mark.parametrize(("said", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 4), ("", 1, 4)])
def test_it_asks_first(ledger: SqliteLedger, said: str, code: int, left: int) -> None:
    filled(ledger)

    assert run("reset", stdin=said).exit_code == code
    assert len(ledger.grades()) == left


def test_a_damaged_ledger_is_told(ledger: SqliteLedger) -> None:
    ledger.path.write_text("Dear diary, " * 100)

    assert run("show").exit_code == 0
    done = run("reset", "--yes")
    assert done.exit_code == 1
    assert "cannot be changed" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_carried_off_comes_back_once(ledger: SqliteLedger, tmp_path: Path) -> None:
    filled(ledger)
    before, file = ledger.grades(), tmp_path / "grades.jsonl"
    assert "4 grades written" in run("export", str(file)).stderr
    run("reset", "--yes")

    assert "4 grades added, 0 were known" in run("import", str(file)).stderr
    assert "0 grades added, 4 were known" in run("import", str(file)).stderr
    assert ledger.grades() == before
    file.write_text(file.read_text() * 2)
    assert json.loads(run("import", "--json", str(file)).stdout) == {
        "added": 0,
        "known": 8,
        "skipped": 0,
        "why_skipped": [],
    }


def test_what_was_said_last_wins(ledger: SqliteLedger, tmp_path: Path) -> None:
    """But for what weighs less than the caller's word."""
    file = tmp_path / "grades.jsonl"
    ledger.note_grade(grade(5, request="a", score=0.5))
    ledger.note_grade(grade(5, request="b", score=0.5))
    ledger.note_grade(grade(5, request="c", score=0.5))
    ledger.close()
    run("export", str(file))
    run("reset", "--yes")
    ledger.note_grade(grade(9, request="a", score=1.0))
    ledger.note_grade(grade(1, request="b", score=1.0))
    ledger.note_grade(grade(1, request="c", score=1.0, source="fine", weight=0.05))
    ledger.close()
    run("import", str(file))

    scores = {one.request: one.score for one in ledger.grades()}
    assert scores == {"a": 1.0, "b": 0.5, "c": 0.5}


BAD = [
    b"not json",
    b"[]",
    b"7",
    b'{"grade": {}}',
    b'{"lmswitch": 1}',
    b'{"lmswitch": 1, "grade": []}',
    b'{"lmswitch": 2, "grade": {}}',
    b'{"lmswitch": 1, "grade": {"score": NaN}}',
    b"\xff\xfe\x00",
    b'{"lmswitch": 1, "grade": ' + b"[" * 5000,
    b'{"lmswitch": 1, "grade": {"key": "' + b"k" * 200_000 + b'"}}',
]


def test_a_poisoned_file_loses_its_bad_lines(ledger: SqliteLedger, tmp_path: Path) -> None:
    file = tmp_path / "grades.jsonl"
    filled(ledger)
    run("export", str(file))
    run("reset", "--yes")
    good = file.read_bytes().splitlines()
    spoiled = [line.replace(b'"score":', b'"score":1e9,"was":') for line in good]
    file.write_bytes(b"\n".join([*BAD, b"", good[0], *spoiled[1:2], *good[1:]]))
    done = run("import", str(file))

    assert done.exit_code == 0
    assert f"{len(BAD) + 1} lines passed over; line 1: " in done.stderr
    assert len(ledger.grades()) == 4


def test_a_file_without_any_grade_fails(ledger: SqliteLedger, tmp_path: Path) -> None:
    file = tmp_path / "grades.jsonl"
    file.write_bytes(b"\n".join(BAD))
    done = run("import", "--json", str(file))

    assert done.exit_code == 1
    assert json.loads(done.stdout)["skipped"] == len(BAD)
    assert not ledger.path.exists()
    assert run("import", str(tmp_path / "nowhere")).exit_code == 1


def test_no_more_is_taken_than_is_kept(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The newest of both."""
    ledger.note_grade(grade(10**6))
    ledger.close()
    file = tmp_path / "grades.jsonl"
    line = (
        '{{"lmswitch": 1, "grade": {{"at_s": {0}, "key": "k", "features": {{}}, "score": 1.0}}}}\n'
    )
    file.write_text("".join(line.format(float(number)) for number in range(MOST_GRADES + 50)))
    run("import", str(file))

    found = ledger.grades()
    assert len(found) == MOST_GRADES
    assert (found[0].at_s, found[-1]) == (51.0, grade(10**6))


def taught(notes: list[Grade], home: Path) -> SqliteLedger:
    ledger = SqliteLedger(home / "ledger.sqlite")
    for one in notes:
        ledger.note_grade(one)
    ledger.close()
    return ledger


@settings(max_examples=25, deadline=None)
@given(st.lists(grades, max_size=12))
def test_a_fresh_ledger_learns_the_same_from_what_another_wrote(notes: list[Grade]) -> None:
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patched:
        here, there = Path(home, "here"), Path(home, "there")
        first = taught(notes, here)
        patched.setenv("LMSWITCH_HOME", str(here))
        written = run("export", "-").stdout
        patched.setenv("LMSWITCH_HOME", str(there))
        done = run("import", "-", stdin=written)
        second = SqliteLedger(there / "ledger.sqlite")

        assert done.exit_code == 0
        assert second.grades() == first.grades()
        for host in (HERE, "far:1234"):
            one, two = Lessons(first.grades(host)), Lessons(second.grades(host))
            assert one.expect(CODE, PRIORS) == two.expect(CODE, PRIORS)


def test_two_processes_through_a_pipe(ledger: SqliteLedger, tmp_path: Path) -> None:
    filled(ledger)
    command = [sys.executable, "-m", "langchain_lmswitch", "learn"]
    there = {**os.environ, "LMSWITCH_HOME": str(tmp_path / "there")}
    with subprocess.Popen(  # noqa: S603 - our own code
        [*command, "export", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as writing:
        read = subprocess.run(  # noqa: S603 - as above
            [*command, "import", "-"],
            stdin=writing.stdout,
            env=there,
            check=True,
            capture_output=True,
            text=True,
        )
        assert writing.wait() == 0

    assert "4 grades added" in read.stderr
    assert SqliteLedger(tmp_path / "there" / "ledger.sqlite").grades() == ledger.grades()
