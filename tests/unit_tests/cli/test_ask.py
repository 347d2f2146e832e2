"""`lmswitch ask`: what goes to stdout, what to stderr, and what a program gets."""

import json
from collections.abc import Sequence

import pytest
from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.loading import LoadBar
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card
from langchain_lmswitch.types.events import (
    Compressed,
    Evicted,
    FellBack,
    Finished,
    Fragment,
    Loaded,
    LoadProgress,
    LoadStarted,
    MemoryChanged,
    PredictEvent,
    Queued,
    SwitchEvent,
)

QUESTION = "Write a Python function that reverses a string."


def run(host: ScriptedHost, *args: str, stdin: str | None = None) -> Result:
    session = Session(host=host, monitor=FixedMachine())
    return CliRunner().invoke(app, args, obj=session, input=stdin)


def test_answer_goes_to_stdout_and_one_line_about_it_to_stderr() -> None:
    coder = card("tiny-coder", params="1B")
    # A load of less than half a millisecond is not worth telling.
    host = ScriptedHost([coder], replies="def reverse(s): ...", load_step_s=0.001)

    done = run(host, "ask", QUESTION)

    assert done.exit_code == 0
    assert done.stdout == "def reverse(s): ...\n"
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("tiny-coder for code (")
    assert "Loaded in" in done.stderr


def test_final_newline_is_not_doubled() -> None:
    host = ScriptedHost(replies="one line\n")

    assert run(host, "ask", "Hello").stdout == "one line\n"


def test_markup_in_question_and_answer_is_text() -> None:
    host = ScriptedHost(replies="[bold]a[/bold] :smile: [/]")

    assert run(host, "ask", "[red]x[/nothing]").stdout == "[bold]a[/bold] :smile: [/]\n"


def test_decision_line_tells_the_rate_that_the_host_reports() -> None:
    script: list[PredictEvent] = [
        Fragment(text="Yes."),
        Finished(stop_reason="eosFound", tokens_per_second=41.26),
    ]

    assert "41.3 tokens/s" in run(ScriptedHost(replies=script), "ask", "Hello").stderr


def test_decision_line_tells_that_the_answer_was_cut_off() -> None:
    done = run(ScriptedHost(replies="one two three"), "ask", "Count", "--max-tokens", "1")

    assert done.stdout == "one\n"
    assert "ut off at the token limit." in done.stderr


def test_question_is_read_from_stdin() -> None:
    host = ScriptedHost()

    assert run(host, "ask", "-", stdin="From a pipe").exit_code == 0
    (call,) = host.called("predict")
    assert call.request is not None
    assert "From a pipe" in str(call.request.messages)


@pytest.mark.parametrize(("text", "stdin"), [("", None), ("  ", None), ("-", "\n")])
def test_empty_question_is_wrong_usage(text: str, stdin: str | None) -> None:
    host = ScriptedHost()

    done = run(host, "ask", text, stdin=stdin)

    assert done.exit_code == 2
    assert "empty" in done.stderr
    assert host.calls == []


def test_options_reach_the_model() -> None:
    host = ScriptedHost(["one", "other"])

    args = (
        "--system",
        "Be brief.",
        "--max-tokens",
        "7",
        "--temperature",
        "0.5",
        "--model",
        "other",
    )
    assert run(host, "ask", "Hello", *args).exit_code == 0

    assert [call.model for call in host.called("load")] == ["other"]
    (call,) = host.called("predict")
    assert call.request is not None
    assert call.request.max_tokens == 7
    assert call.request.temperature == 0.5
    assert [one["role"] for one in call.request.messages] == ["system", "user"]


def test_json_is_one_object_with_the_answer_and_its_story() -> None:
    script: list[PredictEvent] = [
        Fragment(text="Yes."),
        Finished(stop_reason="eosFound", time_to_first_token_s=0.25, tokens_per_second=40.0),
    ]
    host = ScriptedHost(["scripted-chat", "other"], replies=script, load_step_s=0.002)

    done = run(host, "ask", QUESTION, "--task", "math", "--json")

    assert done.exit_code == 0
    assert done.stderr == ""
    record = json.loads(done.stdout)
    assert record.keys() == {
        "text",
        "model",
        "reason",
        "task",
        "candidates",
        "usage",
        "timings",
        "decision",
    }
    assert record["text"] == "Yes."
    assert record["task"] == "math"
    assert {one["key"] for one in record["candidates"]} == {"scripted-chat", "other"}
    assert record["usage"]["output_tokens"] == 1
    timings = record["timings"]
    assert timings.keys() == {
        "load_s",
        "queued_s",
        "time_to_first_token_s",
        "tokens_per_second",
        "total_s",
    }
    assert timings["time_to_first_token_s"] == 0.25
    assert timings["tokens_per_second"] == 40.0
    assert 0 < timings["load_s"] < timings["total_s"]
    assert record["decision"]["model"] == record["model"]


@pytest.mark.parametrize("args", [["ask"], ["ask", "x", "--task", "poetry"], ["nonsense"]])
def test_wrong_usage_calls_nothing(args: Sequence[str]) -> None:
    host = ScriptedHost()

    assert run(host, *args).exit_code == 2
    assert host.calls == []


def test_answer_that_breaks_off_keeps_its_line_to_itself() -> None:
    done = run(ScriptedHost(replies="one two three", vanish_after={"scripted-chat": 1}), "ask", "x")

    assert done.exit_code == 1
    assert done.stdout == "one\n"
    assert done.stderr.startswith("lmswitch: The model ")


def test_bar_leaves_a_terminal_alone_that_can_only_print(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes the stream for a terminal
    monkeypatch.setenv("TERM", "dumb")

    with LoadBar() as bar:
        bar.stop()

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (LoadStarted(key="x", expected_bytes=2**30), "loading x, 1.0 GiB"),
        (LoadStarted(key="x", evicting=("old",)), "loading x, unloading old"),
        (LoadProgress(key="x", fraction=0.5), "looking for a model"),
        (Loaded(key="x", identifier="x", context_tokens=1, load_s=1), "x reads the question"),
        (Queued(key="x", reason="[no] room"), "x has to wait: [no] room"),
        (
            Evicted(key="old", identifier="lmswitch/old", room_for="x"),
            "old was unloaded to make room for x",
        ),
        (FellBack(key="x", reason="No luck."), "x cannot be used: No luck."),
        (
            Compressed(evicted_messages=3, recalled_passages=2, prompt_tokens=1, context_tokens=1),
            "3 old messages do not fit and are left out, 2 passages of them put back",
        ),
    ],
)
def test_bar_says_what_the_first_token_waits_for(event: SwitchEvent, shown: str) -> None:
    bar = LoadBar()

    bar.tell(event)

    assert bar._progress.tasks[0].description == shown


@pytest.mark.parametrize(
    ("ram_free_bytes", "gpu_free_bytes", "shown"),
    [
        (3 * 2**29, (), "1.5 GiB free"),
        (2**30, (2**31, None), "1.0 GiB and 2.0 GiB of a GPU free"),
        (2**30, None, "1.0 GiB free"),
        (None, (2**30,), ""),
    ],
)
def test_bar_says_what_memory_is_free_beside_it(
    ram_free_bytes: int | None, gpu_free_bytes: tuple[int | None, ...] | None, shown: str
) -> None:
    bar = LoadBar()

    bar.tell(LoadStarted(key="x"))
    bar.tell(
        MemoryChanged(
            ram_total_bytes=2**32, ram_free_bytes=ram_free_bytes, gpu_free_bytes=gpu_free_bytes
        )
    )

    [task] = bar._progress.tasks
    assert (task.description, task.fields["free"]) == ("loading x", shown)
