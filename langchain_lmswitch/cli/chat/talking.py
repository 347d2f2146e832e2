"""Questions and their answers, and taking them back."""

from typing import assert_never

from langchain_lmswitch.cli.chat.answering import answer_record, answered
from langchain_lmswitch.cli.chat.commands import Clear, Retry, Say, Talk, Undo
from langchain_lmswitch.cli.chat.conversation import Conversation, Turn
from langchain_lmswitch.cli.chat.footer import footer_of
from langchain_lmswitch.cli.chat.showing import Showing
from langchain_lmswitch.cli.chat.state import State


def talk(command: Talk, state: State) -> None:
    """Carry a command out."""
    match command:
        case Say(text=text):
            _ask(text, state)
        case Retry():
            _ask_again(state)
        case Undo():
            _take_back(state)
        case Clear():
            state.conversation = Conversation(system=state.conversation.system)
            state.saved_as = None
            state.view.remark("A new conversation.")
        case _:
            assert_never(command)


def _ask(question: str, state: State) -> None:
    """Have a question answered.

    Raises:
        LMSwitchError: It could not be; what came of the answer stays.
        KeyboardInterrupt: So did the user stop it.
    """
    llm = state.warm.llm()
    before = [turn.record.get("model", "") for turn in state.conversation.answered]
    turn = state.conversation.begin(question)
    state.news.showing = Showing(state.view)
    try:
        answer = answered(llm, state.conversation, state.wishes, state.news.showing)
    finally:
        state.news.showing = None
    state.view.record(answer_record(turn, answer))
    if not state.view.as_json:
        named = state.wishes.model is not None
        footer = footer_of(answer, before=before[-1] if before else "", named=named)
        state.view.remark(footer.text, marked=footer.mark)


def _ask_again(state: State) -> None:
    """Ask the last question again; its earlier answer returns if no other one comes."""
    earlier = state.conversation.take_back()
    if earlier is None:
        state.view.remark("Nothing was asked yet.")
        return
    try:
        _ask(earlier.question, state)
    finally:
        _keep_better(state.conversation, earlier)


def _keep_better(conversation: Conversation, earlier: Turn) -> None:
    if earlier.text and not (conversation.last and conversation.last.text):
        conversation.take_back()
        conversation.turns.append(earlier)


def _take_back(state: State) -> None:
    turn = state.conversation.take_back()
    if turn is None:
        state.view.remark("There is nothing to take back.")
        return
    state.draft = turn.question
    first, *more = turn.question.splitlines()
    state.view.remark(f"Taken back: {first[:60]}{' ...' if more or len(first) > 60 else ''}")  # noqa: PLR2004
