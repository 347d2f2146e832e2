"""What the user asks of the answers to come."""

from dataclasses import replace
from typing import assert_never

from langchain_lmswitch.cli.chat.commands import SetQuality, SetSystem, SetTask, UseModel, Wish
from langchain_lmswitch.cli.chat.forms import AUTO
from langchain_lmswitch.cli.chat.state import State


def wish(command: Wish, state: State) -> None:
    """Carry a command out, and say what holds now."""
    match command:
        case UseModel(name=None):
            _tell_models(state)
            return
        case UseModel(name=name):
            state.wishes = replace(state.wishes, model=_model(name or AUTO, state))
        case SetTask(task=task, auto=auto):
            if task or auto:
                state.wishes = replace(state.wishes, task=task)
        case SetQuality(quality=quality, auto=auto):
            if quality is not None or auto:
                state.wishes = replace(state.wishes, quality=quality)
        case SetSystem(text=text):
            _instruct(text, state)
            return
        case _:
            assert_never(command)
    state.view.remark(f"From now on: {state.wishes.told()}.")


def _model(name: str, state: State) -> str | None:
    """Give the key of a model that the user names.

    Raises:
        UnknownModel: The host has none of that name, or several; it names the nearest, or all.
    """
    from langchain_lmswitch.errors import UnknownModel
    from langchain_lmswitch.policy.naming import find_card

    if name == AUTO:
        return None
    cards = state.warm.cards()
    try:
        return find_card(name, cards).key
    except UnknownModel as unknown:
        raise UnknownModel(name, nearest=unknown.nearest or state.warm.names) from None


def _tell_models(state: State) -> None:
    state.warm.cards()
    asked = state.wishes.model
    state.view.remark(f"{asked} answers." if asked else "The best model for each message answers.")
    state.view.show(*(f"  /model {name}" for name in (*state.warm.names, AUTO)))


def _instruct(text: str | None, state: State) -> None:
    if text is not None:
        state.conversation.system = text
    holds = state.conversation.system
    state.view.remark(f"Instructions: {holds}" if holds else "The model has no instructions.")
