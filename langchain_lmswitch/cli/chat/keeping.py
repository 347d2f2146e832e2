"""Saving a conversation, and judging its last answer."""

from datetime import datetime
from pathlib import Path
from typing import Final, assert_never

from langchain_lmswitch.cli.chat.commands import Judge, Keep, Save
from langchain_lmswitch.cli.chat.saving import written
from langchain_lmswitch.cli.chat.state import State

_TO_CONTINUE: Final = " To go on with it another day, save it as .json and start with --load."


def keep(command: Keep, state: State) -> None:
    """Carry a command out.

    Raises:
        OSError: A file could not be written.
        LMSwitchError: The answer is not remembered.
    """
    match command:
        case Save(file=file, over=over):
            _save(file, state, over=over)
        case Judge(good=good):
            _judge(state, good=good)
        case _:
            assert_never(command)


def _save(file: Path | None, state: State, *, over: bool) -> None:
    """Write the conversation; a file is only written over if it is its own, or if asked to."""
    if not state.conversation.turns:
        state.view.remark("There is nothing to save yet.")
        return
    now = datetime.now().astimezone()
    named = file or state.saved_as or Path(f"chat-{now:%Y-%m-%d-%H%M%S}.md")
    own = state.saved_as is not None and named.resolve() == state.saved_as.resolve()
    if named.exists() and not (own or over):
        free = _free(named)
        state.view.remark(
            f"{named} is there already, and nothing was written. `/save {free}` takes another "
            f"name, `/save -f {named}` writes over it."
        )
        return
    text = written(state.conversation, named, when=f"{now:%Y-%m-%d %H:%M}")
    named.write_text(text, "utf-8", "replace")  # a terminal may give what is no text
    state.saved_as = named
    state.view.remark(f"Saved to {named}.{'' if named.suffix == '.json' else _TO_CONTINUE}")


def _free(file: Path) -> Path:
    """Name a file that is not there yet."""
    others = (file.with_stem(f"{file.stem}-{number}") for number in range(2, 1000))
    return next((one for one in others if not one.exists()), file)


def _judge(state: State, *, good: bool) -> None:
    last = state.conversation.last
    if last is None or last.answer is None or last.ending:
        state.view.remark("Only a whole answer can be judged, and there is none yet.")
        return
    state.warm.llm().feedback(last.answer, good)
    model = last.record.get("model", "this model")
    state.view.remark(
        f"Noted: {model} gets more of such requests."
        if good
        else f"Noted: {model} gets fewer of such requests."
    )
