"""`lmswitch doctor` as it is typed: all of it, in order, and nothing changed."""

import asyncio
import json
from pathlib import Path
from typing import Any, NoReturn

import pytest
from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.doctor.checks import CHECKS, Check
from langchain_lmswitch.cli.doctor.command import record
from langchain_lmswitch.cli.doctor.examination import Examination
from langchain_lmswitch.cli.doctor.examine import examine
from langchain_lmswitch.cli.doctor.findings import Finding, note, ok, problem, unknown, verdict
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.testing import FixedMachine, ScriptedHost


def run(host: ScriptedHost, *args: str) -> Result:
    session = Session(host=host, monitor=FixedMachine())
    return CliRunner().invoke(app, ["doctor", *args], obj=session)


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def test_all_is_well(tmp_path: Path) -> None:
    host, before = ScriptedHost(), files(tmp_path)

    done = run(host)

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1].startswith("Nothing is wrong.")
    assert "PROBLEM" not in done.stdout
    assert {call.method for call in host.calls} <= {"cards", "residents", "estimate", "engine"}
    assert files(tmp_path) == before


def test_what_is_wrong_comes_last_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://[nowhere")

    done = run(ScriptedHost([]))

    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line]
    marks = [words[0] for words in lines if words[0] in {"ok", "note", "unknown", "PROBLEM"}]
    assert done.exit_code == 1
    assert marks.index("PROBLEM") > max(at for at, one in enumerate(marks) if one != "PROBLEM")
    assert ["->", "unset ALL_PROXY"] in lines
    assert ["->", "lmswitch pull starter"] in lines
    assert done.stdout.endswith("2 problems: proxy, models. Begin with: unset ALL_PROXY\n")


def test_as_json() -> None:
    done = run(ScriptedHost([]), "--json")

    told = json.loads(done.stdout)
    by_name = {one["name"]: one for one in told["findings"]}
    assert done.exit_code == 1
    assert told["wrong"] is True
    assert list(by_name) == [one.name for one in CHECKS]
    assert by_name["models"]["state"] == "problem"
    assert by_name["python"]["remedy"] is None


def test_setting_that_cannot_be_is_diagnosed_and_not_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LMSWITCH_PARALLEL", "many")

    done = CliRunner().invoke(app, ["doctor"])

    assert done.exit_code == 1
    assert "LMSWITCH_PARALLEL cannot be 'many'" in done.stdout
    assert done.stdout.count("the settings cannot be read") == 1, "told once for all"


def test_base_url_on_the_command_line() -> None:
    done = CliRunner().invoke(app, ["doctor", "--base-url", "https://box"])

    assert done.exit_code == 1
    assert "TLS" in done.stdout


async def faint(_: Examination) -> NoReturn:
    raise RuntimeError("the probe broke")


async def sleep(_: Examination) -> None:
    await asyncio.sleep(60)


async def answer(_: Examination) -> str:
    return "here"


async def test_a_check_that_fails_or_hangs_is_told_and_stops_no_other() -> None:
    checks: list[Check[Any]] = [
        Check("faint", faint, lambda _: ok("faint", "")),
        Check("slow", sleep, lambda _: ok("slow", "")),
        Check("well", answer, lambda facts: ok("well", facts)),
    ]

    told = await examine(Session(), checks=checks, within_s=0.1)

    assert told == [
        unknown("faint", "could not check: the probe broke"),
        unknown("slow", "could not check: it took too long"),
        ok("well", "here"),
    ]


async def test_facts_are_gathered_once_for_all_that_ask() -> None:
    calls = []

    async def count(_: Examination) -> int:
        calls.append(1)
        return len(calls)

    checks = [Check(name, count, lambda facts: ok("x", str(facts))) for name in ("a", "b")]

    told = await examine(Session(), checks=checks)

    assert [one.what for one in told] == ["1", "1"]


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        ([ok("a", "")], "Nothing is wrong."),
        ([note("a", ""), unknown("b", "")], "Nothing is wrong. 1 thing could not be told."),
        ([problem("a", "", "do x")], "1 problem: a. Begin with: do x"),
        (
            [problem("a", "", "do x"), problem("b", "", "y")],
            "2 problems: a, b. Begin with: do x",
        ),
    ],
)
def test_verdict(findings: list[Finding], said: str) -> None:
    assert verdict(findings) == said
    assert record(findings)["verdict"] == said
