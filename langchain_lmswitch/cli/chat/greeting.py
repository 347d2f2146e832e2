"""What a person sees before the first question, and below the line while typing."""

from langchain_lmswitch.cli.chat.state import State


def greet(state: State) -> None:
    """Say what this is, in a line, and where a conversation that goes on was."""
    state.view.remark("Every message goes to the model that suits it. /help lists the commands.")
    answered = state.conversation.answered
    if answered:
        count = f"{len(answered)} answer{'s' if len(answered) > 1 else ''}"
        state.view.remark(f"Going on after {count}; the last question was:")
        state.view.remark(f"  {answered[-1].question}")


def toolbar(state: State) -> str:
    """Tell what holds for the next message: what is asked for, where the models are."""
    return f"{state.wishes.told()}, {_place(state)}"


def _place(state: State) -> str:
    warm = state.warm
    if warm.address:
        count = len(warm.names)
        return f"{count} model{'s' if count != 1 else ''} at {warm.address}"
    return "looking for models..." if warm.looking else "no model host found"
