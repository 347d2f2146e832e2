"""What a person sees before the first question, and below the line while typing."""

from langchain_lmswitch.cli.chat.state import State
from langchain_lmswitch.types.units import plural


def greet(state: State) -> None:
    """Say what this is, in a line, and where a conversation that goes on was."""
    state.view.remark("Every message goes to the model that suits it. /help lists the commands.")
    answered = state.conversation.answered
    if answered:
        state.view.remark(
            f"Going on after {plural(len(answered), 'answer')}; the last question was:"
        )
        state.view.remark(f"  {answered[-1].question}")


def toolbar(state: State) -> str:
    """Tell what holds for the next message: what is asked for, where the models are."""
    return f"{state.wishes.told()}, {_place(state)}"


def _place(state: State) -> str:
    warm = state.warm
    if warm.address:
        return f"{plural(len(warm.names), 'model')} at {warm.address}"
    return "looking for models..." if warm.looking else "no model host found"
