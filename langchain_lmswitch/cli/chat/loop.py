"""From one line to the next, until somebody leaves."""

from typing import Protocol

from langchain_lmswitch.cli.chat.doing import take
from langchain_lmswitch.cli.chat.echo import unechoed
from langchain_lmswitch.cli.chat.state import State


class Lines(Protocol):
    """Where lines come from: a person, or a pipe."""

    def read(self, draft: str = "") -> str | None:
        """Give the next line, `None` at the end; `draft` is what a person finds there."""


def talk_with_person(lines: Lines, state: State) -> None:
    """Take lines until the person leaves; Ctrl-C stops what is going on, not the chat."""
    while not state.ended and (line := lines.read(_draft(state))) is not None:
        try:
            with unechoed():
                take(line, state)
        except KeyboardInterrupt:
            _stopped(state)


def talk_with_program(lines: Lines, state: State) -> None:
    """Take lines until they end; Ctrl-C ends the program.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    while not state.ended and (line := lines.read()) is not None:
        take(line, state)


def _draft(state: State) -> str:
    draft, state.draft = state.draft, ""
    return draft


def _stopped(state: State) -> None:
    last = state.conversation.last
    if last and last.ending and last.text:
        model = last.record.get("model", "")
        state.view.remark(f"stopped {model}; what came so far stays in the conversation")
    else:
        state.view.remark("stopped; /retry asks the last question again" if last else "stopped")
