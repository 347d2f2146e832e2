"""What the user wants to see between two questions."""

from typing import TYPE_CHECKING, Final, assert_never

from langchain_lmswitch.cli.chat.commands import (
    Look,
    ShowContext,
    ShowHelp,
    ShowMemory,
    ShowModels,
    ShowThinking,
    ShowWhy,
)
from langchain_lmswitch.cli.chat.contexts import context_lines
from langchain_lmswitch.cli.chat.forms import FORMS
from langchain_lmswitch.cli.chat.state import State
from langchain_lmswitch.cli.screen import console
from langchain_lmswitch.cli.session import session_of
from langchain_lmswitch.types.decisions import Decision

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_TABLE_COLUMNS: Final = 60
"""In less room than that the table cannot be read, and the words tell as much."""


def look(command: Look, state: State) -> None:
    """Carry a command out.

    Raises:
        LMSwitchError: There is no host to ask.
    """
    match command:
        case ShowWhy():
            _why(state)
        case ShowModels():
            from langchain_lmswitch.cli.models import models

            with state.view.beside():
                models(state.ctx)
        case ShowMemory():
            from langchain_lmswitch.cli.status.command import memory

            with state.view.beside():
                memory(session_of(state.ctx, None))
        case ShowContext():
            _context(state)
        case ShowThinking():
            thought = state.conversation.last.thought if state.conversation.last else ""
            state.view.show(thought.strip() or "There was no thinking to show.")
        case ShowHelp():
            _help(state)
        case _:
            assert_never(command)


def _why(state: State) -> None:
    """Show the decision behind the last answer, or what it would be if it failed before one."""
    from langchain_lmswitch.cli.comparison import comparison, verdicts

    if state.conversation.last is None:
        state.view.remark("Nothing was asked yet.")
        return
    decision = _decision(state)
    state.view.show(decision.reason)
    if decision.candidates:
        columns = state.view.columns or console().width
        if columns >= _TABLE_COLUMNS:
            state.view.show("", comparison(decision, columns=columns))
        state.view.show("", *verdicts(decision))


def _decision(state: State) -> Decision:
    last = state.conversation.last
    if last is None or not last.record:
        messages, options = state.conversation.messages(), state.wishes.options()
        return state.warm.llm().explain(messages, **options)
    return Decision.from_dict(last.record)


def _context(state: State) -> None:
    answered = [turn for turn in state.conversation.answered if turn.record]
    if not answered:
        state.view.remark("No model has seen anything yet.")
        return
    last = answered[-1]
    usage = last.answer.usage_metadata if last.answer else None
    said = [(_who(one), one.text) for one in state.conversation.messages()]
    for line in context_lines(Decision.from_dict(last.record), usage, said):
        state.view.show(line)


def _who(message: "BaseMessage") -> str:
    record = message.response_metadata.get("lmswitch") or {}
    return {"human": "you", "system": "instructions"}.get(message.type) or record.get("model", "")


def _help(state: State) -> None:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold")
    for form in FORMS:
        grid.add_row(f"/{form.name} {form.argument}".rstrip(), form.help)
    state.view.show(grid)
    state.view.show(
        "",
        "Esc Enter, or a backslash at the end of a line, begins another line. "
        "Ctrl-C stops an answer. Ctrl-D leaves.",
    )
