"""A live view of a chat model at work; what is shown is kept by a screen of the test's own."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from langchain.agents import create_agent
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from rich.console import Console
from rich.live import Live as RichLive

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import NoSuitableModel
from langchain_lmswitch.notebook import screens
from langchain_lmswitch.notebook.live import PERIOD_S, Live
from langchain_lmswitch.notebook.view import View
from langchain_lmswitch.testing import ScriptedHost

if TYPE_CHECKING:
    from langchain_lmswitch.types.events import SwitchEvent


class Kept:
    """A screen that keeps what it is shown."""

    def __init__(self) -> None:
        self.shown: list[View] = []
        self.at_s: list[float] = []
        self.last: View | None = None

    def show(self, view: View) -> None:
        self.shown.append(view)
        self.at_s.append(time.monotonic())

    def leave(self, view: View) -> None:
        self.last = view

    @property
    def end(self) -> list[str]:
        """What stays, step by step."""
        assert self.last is not None
        return [f"{step.key} {step.text.split(' in ')[0]}" for step in self.last.steps]


def chat(**fields: Any) -> ChatLMSwitch:
    host = ScriptedHost(["talker"], load_step_s=0.02)
    return ChatLMSwitch(host=host, monitor=host, **fields)


def live(llm: ChatLMSwitch, screen: Any) -> Live:
    return Live(llm._controls().follow, show_on=screen)


DONE = ["talker loaded", "talker answered (chat)"]


def test_what_was_shown_last_is_all_that_happened() -> None:
    llm, kept = chat(), Kept()
    with live(llm, kept) as shown:
        llm.invoke("Hello")
    assert kept.end == DONE
    assert kept.shown[0].steps == ()
    assert "RAM" in repr(shown)
    assert "answered (chat)" in shown._repr_html_()


async def test_an_async_block_shows_the_same() -> None:
    llm, kept = chat(), Kept()
    async with live(llm, kept):
        await llm.ainvoke("Hello")
    assert kept.end == DONE


def test_requests_of_agents_and_other_threads_and_other_chat_models_are_seen() -> None:
    llm, kept = chat(), Kept()
    other = ChatLMSwitch(host=llm.host, monitor=llm.host)
    with live(llm, kept):
        create_agent(llm, tools=[]).invoke({"messages": "Hello"})  # type: ignore[call-overload]  # a text is a message
        llm.bind(temperature=0).invoke("Hello")
        thread = threading.Thread(target=other.invoke, args=("Hello",))
        thread.start()
        thread.join()
    assert kept.end == [*DONE, DONE[-1], DONE[-1]]


def test_the_users_own_listener_still_hears() -> None:
    heard: list[SwitchEvent] = []
    llm, kept = chat(on_event=heard.append), Kept()
    with live(llm, kept):
        llm.invoke("Hello")
    assert heard
    assert kept.end == DONE


def test_an_error_in_the_block_is_raised_and_the_view_is_left_as_it_was() -> None:
    llm, kept = chat(), Kept()
    with pytest.raises(NoSuitableModel), live(llm, kept):
        llm.invoke([llm.invoke("Hello")], require=["vision"])
    assert kept.end == DONE


def test_one_view_in_another_shows_its_own_time() -> None:
    llm, outer, inner = chat(), Kept(), Kept()
    with live(llm, outer):
        llm.invoke("Hello")
        with live(llm, inner):
            llm.invoke("Hello again")
    assert outer.end == [*DONE, DONE[-1]]
    assert inner.end == DONE[-1:]


def test_what_is_shown_comes_no_faster_than_four_times_a_second() -> None:
    host = ScriptedHost(["talker"], load_step_s=0.15, progress=[n / 50 for n in range(5)])
    llm, kept = ChatLMSwitch(host=host, monitor=host), Kept()
    with live(llm, kept):
        llm.invoke("Hello")
    gaps = [after - before for before, after in zip(kept.at_s, kept.at_s[1:], strict=False)]
    assert len(kept.shown) >= 2
    assert min(gaps) >= 0.9 * PERIOD_S
    assert kept.end == DONE


def test_a_screen_that_fails_hurts_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Kept):
        def show(self, view: View) -> None:
            raise ValueError(view)

    llm, broken = chat(), Broken()
    with live(llm, broken):
        assert llm.invoke("Hello").text
    assert broken.end == DONE
    assert "ValueError" in caplog.text


def test_nobody_listens_any_more_after_the_block() -> None:
    llm = chat()
    with live(llm, Kept()):
        pass
    board = llm._controls()._open

    async def listeners() -> int:
        found = await board()
        return len(found.history._listeners._listeners) + len(found._watch._subscribed)

    assert asyncio.run(_on_portal(listeners)) == 0
    assert not [one for one in threading.enumerate() if one.name == "lmswitch-live"]


async def _on_portal(work: Callable[[], Any]) -> Any:
    from langchain_lmswitch.switch.portal import portal  # noqa: PLC0415 - for this alone

    return await portal().acall(work())


def test_a_log_has_one_line_for_each_step(capsys: pytest.CaptureFixture[str]) -> None:
    llm = chat()
    with llm.live():  # neither a notebook nor a terminal
        llm.invoke("Hello")
    out, err = capsys.readouterr()
    assert out == ""
    told = [line.split("s  ")[1].split(" in ")[0] for line in err.splitlines()]
    assert told[-2:] == DONE
    assert all(line.startswith("lmswitch ") for line in err.splitlines())


def test_a_log_is_not_steered_by_the_name_of_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    llm = ChatLMSwitch(host=ScriptedHost(["evil\x1b[2J\u202e"]), monitor=ScriptedHost())
    with llm.live():
        llm.invoke("Hello")
    _, err = capsys.readouterr()
    assert r"evil\x1b[2J\u202e for chat" in err  # why it answers
    assert not {"\x1b", "\u202e"} & set(err)


def test_a_terminal_has_lines_that_stay() -> None:
    console = Console(force_terminal=True, width=60, record=True)
    screen = screens.TerminalScreen()
    screen._live = RichLive(auto_refresh=False, console=console)
    llm = chat()
    with live(llm, screen):
        llm.invoke("Hello")
    text = console.export_text()
    assert "talker answered (chat)" in text
    assert "\n          MiB, it fits." in text  # wrapped below where it began


def test_the_best_screen_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(screens.screen(), screens.LogScreen)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert isinstance(screens.screen(), screens.TerminalScreen)


SETUP = """\
import asyncio, time
from langchain_lmswitch.notebook.live import Live
from langchain_lmswitch.switch.history import History
from langchain_lmswitch.types.decisions import Decision
history = History("here")
async def follow(listener):
    return history.subscribe(listener)
decision = Decision(model="talker", identifier="one", task="chat", reason="the only one")
"""
BLOCK = """\
with Live(follow), history.answering(decision):
    time.sleep(0.6)
print("done")
"""
ASYNC_BLOCK = """\
async with Live(follow):
    with history.answering(decision):
        await asyncio.sleep(1)
"""


def test_a_notebook_keeps_the_last_state_in_its_file() -> None:
    """Executed by a real kernel, as people do."""
    cells = [new_code_cell(cell) for cell in (SETUP, BLOCK, ASYNC_BLOCK)]  # type: ignore[no-untyped-call]  # its own
    book = new_notebook(cells=cells)  # type: ignore[no-untyped-call]  # its own
    NotebookClient(book, timeout=60).execute()
    _, first, second = (cell.outputs for cell in book.cells)
    shown, printed = first
    assert shown.output_type == "display_data"
    for text in (shown.data["text/html"], shown.data["text/plain"]):
        assert "answered (chat) in 0." in text
        assert "the only one" in text
    assert printed.text == "done\n"
    [again] = second
    assert "answered (chat) in 1." in again.data["text/html"]
