"""What a person types: keys become lines, Ctrl-C stops an answer and nothing else."""

import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
import typer
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.history import History, InMemoryHistory
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.chat.completing import Commands
from langchain_lmswitch.cli.chat.doing import take
from langchain_lmswitch.cli.chat.greeting import toolbar
from langchain_lmswitch.cli.chat.loop import talk_with_person, talk_with_program
from langchain_lmswitch.cli.chat.piping import Piped
from langchain_lmswitch.cli.chat.prompting import Typed, kept_history
from langchain_lmswitch.cli.chat.state import News, State
from langchain_lmswitch.cli.chat.view import View
from langchain_lmswitch.cli.chat.warming import Warm
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.errors import LoadFailed
from langchain_lmswitch.testing import FixedMachine, ScriptedHost
from langchain_lmswitch.testing.replies import in_turn
from langchain_lmswitch.types.events import LoadProgress

ENTER, ESCAPE_ENTER, CTRL_C, CTRL_D = "\r", "\x1b\r", "\x03", "\x04"


def state_of(host: ScriptedHost, view: View | None = None) -> State:
    session = Session(host=host, monitor=FixedMachine())
    ctx = typer.Context(typer.main.get_command(app), obj=session)
    news = News()
    return State(ctx=ctx, warm=Warm(session, on_event=news.tell), news=news, view=view or View())


@contextmanager
def typing(
    state: State, *, history: History | None = None, hinted: Callable[[], None] = lambda: None
) -> Iterator[tuple[Typed, PipeInput]]:
    with create_pipe_input() as keyboard:
        lines = Typed(
            state.warm,
            history=history or InMemoryHistory(),
            toolbar=lambda: toolbar(state),
            on_first_interrupt=hinted,
            keyboard=keyboard,
            screen=DummyOutput(),
        )
        yield lines, keyboard


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (f"Hello{ENTER}", "Hello"),
        (f"one{ESCAPE_ENTER}two{ENTER}", "one\ntwo"),
        (f"one\\{ENTER}two{ENTER}", "one\ntwo"),
        (f"\x1b[200~pasted\r\nlines\n\x1b[201~{ENTER}", "pasted\nlines\n"),
        (f"forget it{CTRL_C}Hello{ENTER}", "Hello"),
        (CTRL_D, None),
        (CTRL_C + CTRL_C, None),
        (f"{CTRL_C}Hello{ENTER}", "Hello"),
    ],
)
def test_keys_become_one_line(keys: str, line: str | None) -> None:
    with typing(state_of(ScriptedHost())) as (lines, keyboard):
        keyboard.send_text(keys)

        assert lines.read() == line


def test_first_ctrl_c_tells_how_to_leave() -> None:
    hints: list[str] = []

    with typing(state_of(ScriptedHost()), hinted=lambda: hints.append("hint")) as (lines, keyboard):
        keyboard.send_text(CTRL_C + CTRL_D)
        lines.read()

    assert hints == ["hint"]


def test_line_that_is_cleared_can_be_found_again() -> None:
    history = InMemoryHistory()

    with typing(state_of(ScriptedHost()), history=history) as (lines, keyboard):
        keyboard.send_text(f"forget it{CTRL_C}{CTRL_D}")
        lines.read()

    assert history.get_strings() == ["forget it"]


def test_draft_can_be_edited() -> None:
    with typing(state_of(ScriptedHost())) as (lines, keyboard):
        keyboard.send_text(f" again{ENTER}")

        assert lines.read("Hello") == "Hello again"


def test_undo_puts_the_question_back_for_editing(capsys: pytest.CaptureFixture[str]) -> None:
    host = ScriptedHost(replies="Hi.")
    state = state_of(host)
    state.warm.begin()

    with typing(state) as (lines, keyboard):
        keyboard.send_text(f"Hello{ENTER}/undo{ENTER}, you{ENTER}{CTRL_D}")
        talk_with_person(lines, state)

    assert [turn.question for turn in state.conversation.turns] == ["Hello, you"]
    assert capsys.readouterr().out == "Hi.\nHi.\n"


def test_toolbar_tells_what_is_known() -> None:
    state = state_of(ScriptedHost(["one", "two"], address="here:1"))

    assert toolbar(state) == "model auto, looking for models..."
    state.warm.begin()
    state.warm.cards()
    assert toolbar(state) == "model auto, 2 models at here:1"


def test_toolbar_tells_that_there_is_no_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_BASE_URL", "127.0.0.1:9")
    session, found = Session(), threading.Event()
    warm = Warm(session)
    state = replace(state_of(ScriptedHost()), warm=warm)
    warm.when_found(found.set)

    warm.begin()

    assert found.wait(60)
    assert toolbar(state) == "model auto, no model host found"


def test_reader_that_is_gone_ends_the_chat() -> None:
    class Gone(View):
        def piece(self, text: str) -> None:  # noqa: ARG002 - nobody gets it
            raise BrokenPipeError

    state = state_of(ScriptedHost(), Gone())
    state.warm.begin()

    with pytest.raises(BrokenPipeError):
        take("Hello", state)


class Faulty(View):
    """A screen with a mistake in it."""

    def piece(self, text: str) -> None:
        raise ZeroDivisionError(text)


def test_mistake_of_ours_does_not_cost_the_conversation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    state = state_of(ScriptedHost(replies="Hi."), Faulty())
    state.warm.begin()

    with typing(state) as (lines, keyboard):
        keyboard.send_text(f"Hello{ENTER}{CTRL_D}")
        talk_with_person(lines, state)

    told = capsys.readouterr().err
    assert "a mistake in lmswitch (ZeroDivisionError" in told
    assert [turn.question for turn in state.conversation.turns] == ["Hello"]


def test_debug_shows_where_a_mistake_is() -> None:
    state = state_of(ScriptedHost(), Faulty())
    state.ctx.obj = replace(state.ctx.obj, debug=True)
    state.warm.begin()

    with typing(state) as (lines, keyboard):
        keyboard.send_text(f"Hello{ENTER}")
        with pytest.raises(ZeroDivisionError):
            talk_with_person(lines, state)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("/mo", ["/model ", "/models"]),
        ("/model c", ["coder"]),
        ("/model rit", ["writer"]),
        ("/model a", ["auto"]),
        ("/task cr", ["creative"]),
        ("/system o", ["off"]),
        ("/why ", []),
        ("mo", []),
        ("text\n/mo", []),
        ("/nosuch x", []),
    ],
)
def test_tab_offers(typed: str, offered: list[str]) -> None:
    completer = Commands(lambda: ("coder", "writer"))

    found = completer.get_completions(Document(typed), CompleteEvent())

    assert [one.text for one in found] == offered


def test_tab_offers_files_to_save_to(tmp_path: Path) -> None:
    (tmp_path / "notes.md").touch()
    completer = Commands(tuple)

    found = completer.get_completions(Document(f"/save -f {tmp_path}/no"), CompleteEvent())

    assert [one.text for one in found] == ["tes.md"]


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such permissions")
def test_history_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "home" / "history"
    file.parent.mkdir()
    file.touch(0o644)

    with typing(state_of(ScriptedHost()), history=kept_history(file)) as (lines, keyboard):
        keyboard.send_text(f"Hello{ENTER}")
        lines.read()

    assert "Hello" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_question_that_failed_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    failing = {"one": [LoadFailed("one", reason="no.")]}
    host = ScriptedHost(["one"], replies="Hi.", fail_load=failing)
    state = state_of(host)
    state.warm.begin()

    with typing(state) as (lines, keyboard):
        keyboard.send_text(f"Hello{ENTER}/model one{ENTER}/retry{ENTER}{CTRL_D}")
        talk_with_person(lines, state)

    told = capsys.readouterr()
    assert "Loading 'one' failed: no." in told.err
    assert told.err.count("The question is kept; /retry asks it again.") == 1
    assert told.out == "Hi.\n"


def press_ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


class PressedAtFirstWord(View):
    """A screen in front of which somebody presses Ctrl-C at the first word of an answer."""

    def __init__(self) -> None:
        super().__init__()
        self._press = press_ctrl_c

    def piece(self, text: str) -> None:
        super().piece(text)
        press, self._press = self._press, lambda: None
        press()


@pytest.fixture
def terminal() -> Iterator[None]:
    """Ctrl-C as in a terminal: a job that a shell started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("terminal")
def test_ctrl_c_stops_an_answer_and_keeps_what_came(capsys: pytest.CaptureFixture[str]) -> None:
    host = ScriptedHost(replies=in_turn("word " * 400, "Done."), token_s=0.02)
    state = state_of(host, PressedAtFirstWord())
    state.warm.begin()

    with typing(state) as (lines, keyboard):
        keyboard.send_text(f"Talk{ENTER}Go on{ENTER}{CTRL_D}")
        talk_with_person(lines, state)

    stopped, whole = state.conversation.turns
    assert (stopped.ending, whole.ending) == ("stopped", "")
    assert stopped.text.startswith("word")
    assert len(stopped.text) < 400
    assert stopped.record["model"] == "scripted-chat"
    assert whole.text == "Done."
    assert [call.method for call in host.cancelled] == ["predict"], "its host was told to stop"
    told = capsys.readouterr()
    assert "\nDone.\n" in told.out, "on a line of its own"
    assert "stopped scripted-chat; what came so far stays" in told.err


@pytest.mark.usefixtures("terminal")
def test_ctrl_c_ends_a_chat_with_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    host = ScriptedHost(replies="word " * 400, token_s=0.02)
    state = state_of(host, PressedAtFirstWord())
    state.warm.begin()

    with pytest.raises(KeyboardInterrupt):
        talk_with_program(Piped(StringIO("Talk\nGo on\n")), state)

    assert capsys.readouterr().out == "word\n"
    assert [call.method for call in host.cancelled] == ["predict"]


@pytest.mark.usefixtures("terminal")
def test_ctrl_c_during_a_load_cancels_it(capsys: pytest.CaptureFixture[str]) -> None:
    host = ScriptedHost(progress=[0.01] * 200, load_step_s=0.02)
    state = state_of(host)
    state.warm = Warm(
        state.ctx.obj,
        on_event=lambda event: press_ctrl_c() if isinstance(event, LoadProgress) else None,
    )
    state.warm.begin()

    with typing(state) as (lines, keyboard):
        keyboard.send_text(f"Talk{ENTER}{CTRL_D}")
        talk_with_person(lines, state)

    assert [call.method for call in host.cancelled] == ["load"]
    assert host.called("predict") == []
    assert "/retry asks the last question again" in capsys.readouterr().err
