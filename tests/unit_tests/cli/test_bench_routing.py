"""`lmswitch bench routing`: an object for a program, tables for a person, errors for both."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result
from unit_tests.testing.bench.routing.judged import halves, split_table, write_lines

from langchain_lmswitch.cli.app import app


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command sets this for its own process, and that is the tests'."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")


def run(*args: str) -> Result:
    return CliRunner().invoke(app, ["bench", "routing", *args])


def answers(folder: Path, *, count: int = 80) -> str:
    return str(write_lines(folder / "answers.jsonl", split_table(count)))


def test_json_is_one_object_with_the_pools_as_rows(tmp_path: Path) -> None:
    done = run("--data", answers(tmp_path), "--json")

    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [*found] == ["rows", "unseen", "cold_start", "apgr", "latency", "tasks", "means"]
    assert [row["pool"] for row in found["rows"]] == ["answers <=10B"]
    assert [*found["rows"][0]][:11] == [
        "pool",
        "gain_pct",
        "gain_lo",
        "gain_hi",
        "skill_z",
        "save100_pct",
        "save95_pct",
        "score",
        "best_single",
        "oracle",
        "random",
    ]
    assert "answers: 80 prompts, 2 models" in done.stderr


def test_sizes_decide_the_pools(tmp_path: Path) -> None:
    file = answers(tmp_path)
    (tmp_path / "models.csv").write_text("model,total_b,active_b\nbob-7b,40,40\n")
    other = tmp_path / "others.csv"
    other.write_text("model,total_b,active_b\nbob-7b,80,12\n")

    beside, named = (
        json.loads(run("--data", file, "--rows-only", "--json", *more).stdout)
        for more in ((), ("--models", str(other)))
    )

    assert [*beside] == ["rows", "unseen", "means"]
    assert [row["pool"] for row in beside["rows"]] == ["answers <=50B"]
    assert [row["pool"] for row in named["rows"]] == ["answers <=100B"]


def test_holdout_is_graded_and_its_other_tasks_are_told_apart(tmp_path: Path) -> None:
    known, held_out = halves(split_table(80))
    code = np.array([task == "code" for task in known.tasks])
    data = write_lines(tmp_path / "known.jsonl", known.where(code))
    held = write_lines(tmp_path / "held.jsonl", held_out)

    done = run("--data", str(data), "--holdout", str(held), "--rows-only", "--json")

    found = json.loads(done.stdout)
    assert [(row["pool"], row["tasks"], row["n"]) for row in found["rows"]] == [
        ("held <=10B", "seen", 20)
    ]
    assert [(row["tasks"], row["n"]) for row in found["unseen"]] == [("unseen", 20)]


def test_tables_for_a_person_tell_every_measure(tmp_path: Path) -> None:
    done = run("--data", answers(tmp_path, count=40), "--rivals")

    assert done.exit_code == 0, done.output
    for heading in ("gain", "nothing learnt", "APGR", "ms p50", "% right"):
        assert heading in done.stdout
    rows = [line for line in done.stdout.splitlines() if line.startswith("answers <=10B")]
    assert re.search(r"lmswitch +seen +[+-]\d+\.\d % +[+-]\d+\.\d to [+-]\d+\.\d", rows[0])
    assert any("task label" in row for row in rows)


def test_a_file_without_answers_is_a_usage_error(tmp_path: Path) -> None:
    (file := tmp_path / "a.csv").write_text("prompt\nHello\n")

    done = run("--data", str(file), "--json")

    assert done.exit_code == 2
    told = json.loads(done.stderr)
    assert told["error"] == "InvalidRequest"
    assert str(file) in told["message"]
