"""`lmswitch chat` in a pipe: each line a message, answers to stdout, all else to stderr."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.errors import LoadFailed
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card
from langchain_lmswitch.testing.replies import in_turn
from langchain_lmswitch.types.events import Fragment, PredictEvent
from langchain_lmswitch.types.requests import JsonObject


def run(host: ScriptedHost, stdin: str, *args: str) -> Result:
    session = Session(host=host, monitor=FixedMachine())
    return CliRunner().invoke(app, ("chat", *args), obj=session, input=stdin)


def asked(host: ScriptedHost) -> list[list[tuple[str, str]]]:
    """Every prompt that reached a model, as roles and words."""
    prompts = [call.request.messages for call in host.called("predict") if call.request]
    return [[(one["role"], words(one)) for one in prompt] for prompt in prompts]


def words(message: JsonObject) -> str:
    return "".join(part["text"] for part in message["content"])


def test_each_line_is_a_message_of_one_conversation() -> None:
    host = ScriptedHost(replies=in_turn("Hello!", "It is 4."))

    done = run(host, "Hello\n\nAnd 2+2?\n")

    assert done.exit_code == 0
    assert done.stdout == "Hello!\nIt is 4.\n"
    assert asked(host)[-1] == [("user", "Hello"), ("assistant", "Hello!"), ("user", "And 2+2?")]


def test_remarks_go_to_stderr_one_line_for_each_answer() -> None:
    done = run(ScriptedHost(replies="Hi."), "Hello\nHello again\n")

    told = done.stderr.splitlines()
    assert len(told) == 2
    assert all(line.startswith("scripted-chat for chat (") for line in told)
    assert "context " in told[0]
    assert "of 8,192" in told[0]


def test_a_switch_is_marked() -> None:
    host = ScriptedHost(["small", "other"])

    done = run(host, "/model small\nHello\n/model other\nHello\n")

    first, second = [line for line in done.stderr.splitlines() if ", as you asked" in line]
    assert first.startswith("small, as you asked, ")
    assert second.startswith("small -> other, as you asked, ")


def test_backslash_at_the_end_of_a_line_joins_the_next() -> None:
    host = ScriptedHost()

    run(host, "first\\\nsecond\\\n\\\nthird\nlast\\")

    assert [prompt[-1][1] for prompt in asked(host)] == ["first\nsecond\n\nthird", "last"]


def test_nothing_of_a_model_is_read_as_markup() -> None:
    host = ScriptedHost(replies="[bold]a[/bold] :smile: [/]")

    assert run(host, "[red]x[/nothing]\n").stdout == "[bold]a[/bold] :smile: [/]\n"


def test_thinking_is_folded_and_can_be_unfolded() -> None:
    script: list[PredictEvent] = [
        Fragment(text="Let me ", reasoning=True),
        Fragment(text="see.", reasoning=True),
        Fragment(text="\n\n"),
        Fragment(text="Four."),
    ]

    done = run(ScriptedHost(replies=script), "2+2?\n/thinking\n")

    assert done.stdout == "Four.\n"
    assert "(/thinking shows it)" in done.stderr
    assert done.stderr.endswith("Let me see.\n")


def test_empty_lines_of_an_answer_stay_however_it_is_cut() -> None:
    pieces = ["\n", "Code:", "\n", "\n", "```", "python", "\n", "x", "\n", "\n\n", "```", "\n"]
    script: list[PredictEvent] = [Fragment(text=piece) for piece in pieces]

    done = run(ScriptedHost(replies=script), "Code\n")

    assert done.stdout == "Code:\n\n```python\nx\n\n\n```\n"


def test_options_reach_the_model() -> None:
    host = ScriptedHost(["one", "other"])
    options = ("--system", "Be brief.", "--max-tokens", "7", "--temperature", "0.5", "-m", "other")

    run(host, "Hello\n", *options)

    (call,) = host.called("predict")
    assert call.request is not None
    assert (call.request.max_tokens, call.request.temperature) == (7, 0.5)
    assert asked(host) == [[("system", "Be brief."), ("user", "Hello")]]
    assert [load.model for load in host.called("load")] == ["other"]


def test_json_lines() -> None:
    host = ScriptedHost(replies=in_turn("One\nline.", "Two."))

    done = run(host, "First\n/models\nSecond\n", "--json")

    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["question"], first["text"]) == ("First", "One\nline.")
    assert (second["question"], second["text"]) == ("Second", "Two.")
    assert second["model"] == second["decision"]["model"] == "scripted-chat"
    assert second["finish_reason"] == "stop"
    assert "scripted-chat" in done.stderr, "the table that was asked for is beside them"


def test_an_error_is_told_and_the_chat_goes_on() -> None:
    failing = {"big": LoadFailed("big", reason="no [luck].")}
    host = ScriptedHost(["big", "small"], replies="Hi.", fail_load=failing)

    done = run(host, "/model big\nHello\n/model auto\n/retry\n")

    assert done.stdout == "Hi.\n"
    assert "lmswitch: Loading 'big' failed: no [luck]." in done.stderr
    assert done.exit_code == 5, "of the first line that failed"


def test_an_error_in_json_is_one_object_on_stderr() -> None:
    host = ScriptedHost(["big"], fail_load={"big": LoadFailed("big", reason="no luck.")})

    done = run(host, "Hello\n", "--json")

    assert done.stdout == ""
    assert json.loads(done.stderr)["error"] == "LoadFailed"


def test_an_answer_that_breaks_off_stays_in_the_conversation() -> None:
    host = ScriptedHost(replies="one two three", vanish_after={"scripted-chat": [1]})

    done = run(host, "Count\nGo on\n")

    assert done.stdout == "one\none two three\n"
    assert asked(host)[-1] == [("user", "Count"), ("assistant", "one"), ("user", "Go on")]
    assert done.exit_code == 1


def test_a_question_without_an_answer_is_not_sent_again() -> None:
    failing = {"one": [LoadFailed("one", reason="no.")]}
    host = ScriptedHost(["one", "two"], fail_load=failing)

    run(host, "/model one\nHello\n/model two\nWhat else?\n")

    assert asked(host) == [[("user", "What else?")]]


@pytest.mark.parametrize(
    ("stdin", "told"),
    [
        ("/model nosuch\n", "No model 'nosuch' on this host. Nearest: 'coder', 'writer'."),
        ("/model codr\n", "Nearest: 'coder'."),
        ("/model writ\n", "From now on: model writer."),
        ("/model\n", "/model coder"),
        ("/task code\n/quality 0.9\n", "From now on: model auto, task code, quality 0.9."),
        ("/system Be kind.\n", "Instructions: Be kind."),
        ("/system off\n", "The model has no instructions."),
        ("/modle x\n", "Do you mean /model?"),
        ("/why\n", "Nothing was asked yet."),
        ("/retry\n", "Nothing was asked yet."),
        ("/undo\n", "There is nothing to take back."),
        ("/context\n", "No model has seen anything yet."),
        ("/thinking\n", "There was no thinking to show."),
        ("/save x.md\n", "There is nothing to save yet."),
        ("/good\n", "there is none yet"),
        ("/help\n", "/quality [0..1|auto]"),
        ("/models\n", "writer"),
        ("/memory\n", "RAM"),
    ],
)
def test_commands_say_what_they_did(stdin: str, told: str) -> None:
    host = ScriptedHost(["coder", "writer"])

    done = run(host, stdin)

    assert told in done.stderr
    assert done.stdout == ""
    assert host.called("predict") == []


def test_why_lists_the_candidates_of_the_last_answer() -> None:
    done = run(ScriptedHost(["coder", "writer"]), "Hello\n/why\n")

    _, _, table = done.stderr.partition("score")
    assert "coder" in table
    assert "writer" in table


def test_why_after_a_failure_tells_the_decision_as_it_would_be() -> None:
    failing = {"one": LoadFailed("one", reason="no.")}

    done = run(ScriptedHost(["one"], fail_load=failing), "Hello\n/why\n")

    assert "score" in done.stderr


def test_context_tells_what_was_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_CONTEXT_TOKENS", "512")
    host = ScriptedHost(replies="word " * 100)

    done = run(
        host, "Tell me of birds\nAnd of fish\nAnd of trees\nAnd of bees\nAnd of birds?\n/context\n"
    )

    assert "scripted-chat was loaded with a context of 512 tokens." in done.stderr
    told = done.stderr.rpartition("was loaded")[2]
    assert "old messages were left out." in told
    assert 'you: "Tell me of birds" (' in told
    assert "for birds" in told
    assert "left out (/context)" in done.stderr


def test_undo_and_clear() -> None:
    host = ScriptedHost(replies=in_turn("A.", "B.", "C.", "D."))

    run(host, "One\nTwo\n/undo\nThree\n/clear\nFour\n")

    assert asked(host)[2] == [("user", "One"), ("assistant", "A."), ("user", "Three")]
    assert asked(host)[3] == [("user", "Four")]


def test_a_retry_that_fails_leaves_the_earlier_answer() -> None:
    host = ScriptedHost(
        ["one", "two"], replies="A.", fail_load={"two": LoadFailed("two", reason="no.")}
    )

    run(host, "/model one\nQ\n/model two\n/retry\n/model one\nNext\n")

    assert asked(host)[-1] == [("user", "Q"), ("assistant", "A."), ("user", "Next")]


def test_judgment_is_remembered() -> None:
    done = run(ScriptedHost(), "Hello\n/bad\n/good\n")

    assert "gets fewer of such requests" in done.stderr
    assert "gets more of such requests" in done.stderr
    assert done.exit_code == 0


def test_saving_never_writes_over_a_file_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.md").write_text("mine")

    done = run(ScriptedHost(replies="Hi."), "Hello\n/save notes.md\n")

    assert (tmp_path / "notes.md").read_text() == "mine"
    assert "`/save notes-2.md`" in done.stderr
    assert "`/save -f notes.md`" in done.stderr


def test_saving_goes_on_in_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.md").write_text("mine")

    run(ScriptedHost(replies="Hi."), "One\n/save -f notes.md\nTwo\n/save\n")

    assert [path.name for path in tmp_path.iterdir()] == ["notes.md"]
    assert "## Two" in (tmp_path / "notes.md").read_text()


def test_a_saved_conversation_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "chat.json"
    run(ScriptedHost(replies="Hi."), f"Hello\n/save {file}\n", "--system", "Be brief.")
    host = ScriptedHost(["scripted-chat", "other"])

    done = run(host, "/why\nAnd now?\n", "--load", str(file))

    assert done.stderr.startswith("scripted-chat for chat"), "the decision came back as well"
    assert asked(host) == [
        [("system", "Be brief."), ("user", "Hello"), ("assistant", "Hi."), ("user", "And now?")]
    ]


def test_a_file_that_is_no_conversation_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")

    done = run(ScriptedHost(), "Hello\n", "--load", str(tmp_path / "x.json"))

    assert done.exit_code == 2
    assert "`/save NAME.json`" in done.stderr


def test_a_wrong_setting_is_told_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_EXPLORE", "7")

    done = run(ScriptedHost(), "Hello\nHello\n")

    assert done.exit_code == 2
    assert done.stderr.count("LMSWITCH_EXPLORE") == 1


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    done = run(ScriptedHost(), f"Hello\n/save {tmp_path}/none/x.md\nGo on\n")

    assert "No such file" in done.stderr
    assert done.stdout.count("\n") == 2
    assert done.exit_code == 1


def test_nothing_is_written_unless_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LMSWITCH_HOME", str(tmp_path / "home"))

    run(ScriptedHost(), "A secret\n/quit\nnever read\n")

    assert list(tmp_path.iterdir()) == []


def test_quit_ends_it() -> None:
    host = ScriptedHost()

    done = run(host, "/quit\nHello\n")

    assert done.exit_code == 0
    assert host.called("predict") == []


def test_large_answer_of_a_coder_is_not_wrapped() -> None:
    long = "x = " + "1 + " * 100 + "1"

    assert run(ScriptedHost([card("tiny-coder")], replies=long), "Code\n").stdout == f"{long}\n"
