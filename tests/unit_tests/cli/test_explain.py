"""`lmswitch explain`: the decision, and nothing but the decision."""

import json
from typing import Final

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.comparison import TOLD, comparison, meanings, verdicts
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card
from langchain_lmswitch.types.decisions import Candidate, Decision, Part
from langchain_lmswitch.types.machine import Snapshot

SMALL = card("small-chat", params="1B", size_bytes=200 * 2**20)
HUGE = card("huge-chat", params="70B", size_bytes=40 * 2**30)


PARTS: Final[tuple[Part, ...]] = ("prior", "learnt", "answer", "load", "margin")


def run(host: ScriptedHost, *args: str, text: str = "Hello there") -> Result:
    machine = FixedMachine(
        now=Snapshot(ram_total_bytes=8 * 2**30, ram_free_bytes=4 * 2**30, gpus=())
    )
    return CliRunner().invoke(
        app, ["explain", text, *args], obj=Session(host=host, monitor=machine)
    )


def table_of(done: Result) -> dict[str, list[str]]:
    """Read the table: each model's cells after its name."""
    _, _, heading, _, *rows = done.stdout.splitlines()
    assert heading.startswith("model")
    return {row.split()[0]: row.split()[1:] for row in rows[: rows.index("")]}


def words_of(done: Result) -> list[str]:
    """Read what is told below the table."""
    return done.stdout.split("\n\n")[2].splitlines()


def test_explain_says_who_would_answer_and_why_not_the_others() -> None:
    done = run(ScriptedHost([SMALL, HUGE]))

    assert done.exit_code == 0
    assert done.stdout.startswith("small-chat for chat (")
    assert table_of(done)["small-chat"][-3:] == ["yes", "456", "MiB"]
    assert table_of(done)["huge-chat"][-3:-2] == ["no"]
    lines = words_of(done)
    (refused,) = [line for line in lines if line.startswith("huge-chat")]
    assert "does not fit: needs 40,992 MiB" in refused
    assert "small-chat: chosen; not loaded, needs 456 MiB" in lines
    assert any("1B parameters" in line for line in lines)


def test_explain_loads_and_calls_nothing() -> None:
    host = ScriptedHost([SMALL, HUGE])

    assert run(host).exit_code == 0

    assert {call.method for call in host.calls} == {"cards", "residents", "estimate"}


def test_explain_as_json_is_the_decision() -> None:
    record = json.loads(run(ScriptedHost([SMALL, HUGE]), "--json").stdout)

    assert record["model"] == "small-chat"
    assert {one["key"]: one["fits"] for one in record["candidates"]} == {
        "small-chat": True,
        "huge-chat": False,
    }


def test_explain_without_models_says_how_to_get_one() -> None:
    done = run(ScriptedHost([]))

    assert "no model is installed" in done.stdout
    assert "lmswitch pull starter" in done.stderr


def test_explain_tells_what_would_make_others_the_chosen_ones() -> None:
    other = card("middle-chat", params="1B", size_bytes=300 * 2**20)
    done = run(ScriptedHost([SMALL, other]))
    verdict, _, change = words_of(done)[-3:]

    assert done.stdout.startswith("small-chat for chat (")
    assert verdict == "middle-chat: less than 0.001 behind; not loaded, needs 556 MiB"
    assert change.startswith("  would answer ")
    assert "more from feedback" in change


def test_candidate_that_lacks_something_says_what() -> None:
    """It keeps its place in the table, whatever its score would be."""
    words = card("tiny-chat", params="1B", max_context_tokens=256)
    done = run(ScriptedHost([SMALL, words]), text="word " * 2000)

    assert "tiny-chat" in table_of(done)
    (line,) = [line for line in words_of(done) if line.startswith("tiny-chat")]
    assert line == ("tiny-chat: cannot answer this: trained for 256 tokens of context only")


def test_columns_are_the_parts_that_any_candidate_has() -> None:
    candidates = (
        Candidate(key="a", score=0.5, parts={"prior": 0.6, "load": -0.1}, note="chosen"),
        Candidate(key="b", score=0.3, parts={"prior": 0.3, "curious": 0.001}),
    )
    decision = Decision(model="a", identifier="", task="chat", reason="", candidates=candidates)

    laid = comparison(decision, columns=80)

    headings = [str(column.header) for column in laid.columns]
    assert headings == ["model", "score", "prior", "load", "curious"]
    assert [str(cell) for cell in laid.columns[3].cells] == ["-0.100", ""]
    assert meanings(decision).count(":") == 3


@pytest.mark.parametrize(("columns", "has_memory"), [(100, False), (109, False), (110, True)])
def test_names_stay_in_one_piece_before_memory_is_told(columns: int, *, has_memory: bool) -> None:
    name = "qwen2.5-coder-0.5b-instruct"
    parts: dict[Part, float] = dict.fromkeys((*PARTS, "last answer"), 0.123)
    one = Candidate(key=name, score=0.5, parts=parts, fits=True, footprint_bytes=512 * 2**20)
    decision = Decision(model=name, identifier="", task="chat", reason="", candidates=(one,))
    terminal = Console(width=columns, color_system=None)

    with terminal.capture() as captured:
        terminal.print(comparison(decision, columns=columns))

    assert captured.get().splitlines()[-1].startswith(name)
    assert ("512 MiB" in captured.get()) is has_memory


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_every_line_fits_the_terminal(columns: int) -> None:
    decision = Decision(
        model="m0",
        identifier="",
        task="chat",
        reason="",
        candidates=tuple(
            Candidate(
                key=f"a-model-with-quite-a-long-name-{number}b-instruct",
                score=0.5 - number / 100,
                parts=dict.fromkeys(PARTS, 0.01),
                reasons=("said of it +0.100",) * 9,
                note="" if number else "chosen",
            )
            for number in range(TOLD + 2)
        ),
    )
    terminal = Console(width=columns, color_system=None)
    with terminal.capture() as caught:
        terminal.print(comparison(decision, columns=columns), *verdicts(decision), sep="\n")

    lines = caught.get().splitlines()
    assert max(map(len, lines)) <= columns
    assert lines[-1].startswith("and 2 more of lower score")


def test_explain_as_json_has_the_parts_of_each_score() -> None:
    record = json.loads(run(ScriptedHost([SMALL]), "--json").stdout)
    [one] = record["candidates"]

    assert set(one["parts"]) == {"prior", "answer", "load", "margin"}
    assert abs(sum(one["parts"].values()) - one["score"]) < 1e-5
    assert one["wins_if"] == []


def test_explain_weighs_the_answer_against_the_wait() -> None:
    """`ask` takes the same option: what would be explained is what is done."""

    def priced(quality: str) -> float:
        done = run(ScriptedHost([SMALL]), "--json", "--quality", quality)
        return float(json.loads(done.stdout)["candidates"][0]["parts"]["answer"])

    assert priced("0") < priced("1") <= 0
    assert run(ScriptedHost([SMALL]), "--quality", "2").exit_code == 2
