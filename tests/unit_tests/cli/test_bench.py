"""`lmswitch bench switching`: rows for a program, a table for a person, errors for both."""

import json
import re
from pathlib import Path

from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.testing.bench import MIX


def run(*args: str) -> Result:
    return CliRunner().invoke(app, ["bench", "switching", *args])


def test_json_is_one_object_of_rows() -> None:
    done = run("--requests", "30", "--json")

    assert done.exit_code == 0
    rows = json.loads(done.stdout)["rows"]
    assert [*rows[0]] == [
        "stream",
        "budget_gb",
        "concurrency",
        "policy",
        "load_s",
        "load_ratio",
        "load_ratio_max",
        "worst_skip",
    ]
    assert {"sticky-zipf", "8-rag-agents"} < {row["stream"] for row in rows}
    assert "sticky-zipf: 30 requests" in done.stderr


def test_seeds_are_played_one_after_the_other_and_told_together() -> None:
    once, twice = (
        json.loads(run("--requests", "60", "--seeds", seeds, "--json").stdout)["rows"]
        for seeds in ("1", "2")
    )

    assert len(twice) == len(once)
    assert all(row["load_ratio"] <= row["load_ratio_max"] for row in twice)
    assert any(row["load_ratio"] < row["load_ratio_max"] for row in twice)
    worst = {(row["stream"], row["budget_gb"], row["policy"]): row for row in twice}
    for row in once:
        assert row["load_ratio_max"] == row["load_ratio"]
        both = worst[row["stream"], row["budget_gb"], row["policy"]]
        assert both["load_ratio_max"] >= row["load_ratio"]


def test_table_for_a_person_tells_what_was_laid_over() -> None:
    done = run("--requests", "30")

    assert done.exit_code == 0
    lines = [line for line in done.stdout.splitlines() if "lmswitch" in line]
    assert len(lines) == 7 * 2
    assert lines[0].split()[:4] == ["sticky-zipf", "24", "GB", "1"]
    assert MIX in done.stderr


def test_traces_are_played_first(tmp_path: Path) -> None:
    file = tmp_path / "mooncake-fast25" / "some.csv"
    file.parent.mkdir()
    rows = [f"{at * 100},{at % 7 * 900},5,0,1" for at in range(40)]
    file.write_text(
        "\n".join(["timestamp_ms,input_length,output_length,first_block,n_blocks", *rows])
    )

    played = json.loads(run("--data", str(tmp_path), "--requests", "30", "--json").stdout)["rows"]
    assert played[0]["stream"] == "mooncake-fast25"


def test_folder_without_traces_is_a_usage_error(tmp_path: Path) -> None:
    done = run("--data", str(tmp_path), "--json")

    assert done.exit_code == 2
    told = json.loads(done.stderr)
    assert told["error"] == "InvalidRequest"
    assert str(tmp_path) in told["message"]


def test_help_tells_the_mix_that_is_laid_over() -> None:
    told = run("--help").stdout

    assert set(re.findall(r"\d+\.\d", MIX)) <= set(re.findall(r"\d+\.\d", told))
