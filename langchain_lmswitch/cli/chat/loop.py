"""From one line to the next, until somebody leaves."""

from typing import Protocol

from langchain_lmswitch.cli.chat.doing import take
from langchain_lmswitch.cli.chat.echo import unechoed
from langchain_lmswitch.cli.chat.state import State
from langchain_lmswitch.cli.guard import FAILED


class Lines(Protocol):
    """Where lines come from: a person, or a pipe."""

    def read(self, draft: str = "") -> str | None:
        """Give the next line, `None` at the end; `draft` is what a person finds there."""


def talk_with_person(lines: Lines, state: State) -> None:
    """Take lines until the person leaves.

    1. Ctrl-C stops what is going on, not the chat.
    2. Nobody reads the answers any more: it ends.
    3. A mistake of ours must not cost the conversation; with --debug it shows where it is.
    """
    while not state.ended and (line := lines.read(_draft(state))) is not None:
        failures = len(state.failures)
        try:
            with unechoed():
                take(line, state)
        except KeyboardInterrupt:  # 1
            _stopped(state)
        except BrokenPipeError:  # 2
            raise
        except Exception as error:  # 3
            if state.debug:
                raise
            _erred(error, state)
        if len(state.failures) > failures:
            _offer_retry(state)


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


def _erred(error: Exception, state: State) -> None:
    state.failures.append(FAILED)
    state.view.remark(
        f"That is a mistake in lmswitch ({type(error).__name__}: {error}). The conversation is "
        "still here; /save keeps it, and `lmswitch --debug chat` shows where the mistake is."
    )


def _offer_retry(state: State) -> None:
    last = state.conversation.last
    if last and not last.text:
        state.view.remark("The question is kept; /retry asks it again.")
