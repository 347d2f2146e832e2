"""What others wrote does not steer the terminal."""

import io

import pytest
from rich.live import Live
from rich.text import Text
from typer.testing import CliRunner

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.inert import InertConsole
from langchain_lmswitch.cli.screen import plain, say, show_json, show_piece, table
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card
from langchain_lmswitch.types.machine import Gpu, Snapshot

EVIL = "evil\x1b]0;title\x07\x1b[2J\x9b31m\u202e[bold]"
HARMLESS = "evil]0;title[2J31m[bold]"
MACHINE = Snapshot(
    ram_total_bytes=8 * 2**30,
    ram_free_bytes=6 * 2**30,
    gpus=(Gpu(name=EVIL, total_bytes=2**30, free_bytes=2**29),),
)


def test_control_sequences_are_taken_out_and_lines_stay() -> None:
    assert plain(f"{EVIL}\n\t漢") == f"{HARMLESS}\n\t漢"


def test_a_console_keeps_its_own_colors_and_nobody_elses() -> None:
    shown = io.StringIO()
    screen = InertConsole(file=shown, force_terminal=True, color_system="standard", width=80)

    screen.print(table("model", rows=[(Text(EVIL, style="red"),)]), EVIL, markup=False)

    assert f"\x1b[31m{HARMLESS}\x1b[0m" in shown.getvalue()
    assert "\x1b]" not in shown.getvalue()
    assert "\x1b[2J" not in shown.getvalue()
    assert not {"\x07", "\x9b", "\u202e"} & set(shown.getvalue())


def test_what_moves_the_cursor_stays_where_it_is_ours() -> None:
    shown = io.StringIO()
    screen = InertConsole(file=shown, force_terminal=True, width=80)

    with Live(EVIL, console=screen, auto_refresh=False, transient=True):
        pass

    assert "\x1b[2K" in shown.getvalue()  # the line is taken away again
    assert "\x1b[2J" not in shown.getvalue()


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_text_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    show_piece(EVIL)
    say(EVIL)
    show_json({"key": "\x9b\x7f"})

    assert terminal.getvalue() == f'{HARMLESS}{HARMLESS}\n{{\n  "key": ""\n}}\n'


@pytest.mark.parametrize("words", [["models"], ["status"], ["explain", "Hello"]])
def test_a_model_cannot_steer_the_terminal_by_its_name(words: list[str]) -> None:
    session = Session(host=ScriptedHost([card(EVIL)]), monitor=FixedMachine(now=MACHINE))

    done = CliRunner().invoke(app, words, obj=session)

    assert done.exit_code == 0
    assert HARMLESS in done.stdout
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.output)
