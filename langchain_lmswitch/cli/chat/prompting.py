"""The line that a person types: editing, completion, history."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prompt_toolkit import PromptSession
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.styles import Style

from langchain_lmswitch.cli.chat.completing import Commands

if TYPE_CHECKING:
    from prompt_toolkit.input import Input
    from prompt_toolkit.key_binding import KeyPressEvent
    from prompt_toolkit.output import Output

    from langchain_lmswitch.cli.chat.warming import Warm

_STYLE: Final = Style.from_dict({"bottom-toolbar": "noreverse #888888", "prompt": "bold"})
_ROWS_OF_COMPLETIONS: Final = 6


class Typed:
    """Reads what a person types.

    Args:
        warm: Knows the names to complete, and whether the host is found.
        history: Where the lines typed before are.
        toolbar: Gives the line below the prompt.
        on_first_interrupt: Called for Ctrl-C where there is nothing to clear.
        keyboard: Where keys come from, and `screen` where the line is shown, if not the terminal.
    """

    def __init__(
        self,
        warm: "Warm",
        *,
        history: History,
        toolbar: Callable[[], str],
        on_first_interrupt: Callable[[], None],
        keyboard: "Input | None" = None,
        screen: "Output | None" = None,
    ) -> None:
        self._on_first_interrupt = on_first_interrupt
        self._prompt: PromptSession[str] = PromptSession(
            history=history,
            completer=Commands(lambda: warm.names),
            complete_while_typing=Condition(self._is_command),
            reserve_space_for_menu=_ROWS_OF_COMPLETIONS,
            multiline=True,
            prompt_continuation="  ",
            key_bindings=_keys(),
            bottom_toolbar=toolbar,
            enable_suspend=True,
            style=_STYLE,
            input=keyboard,
            output=screen or _terminal(),
        )
        warm.when_found(self._prompt.app.invalidate)

    def read(self, draft: str = "") -> str | None:
        """Give what was typed; `None` if the person leaves: Ctrl-D, or Ctrl-C twice."""
        warned = False
        while True:
            try:
                return self._prompt.prompt("\n> ", default=draft)
            except EOFError:
                return None
            except KeyboardInterrupt:
                if warned:
                    return None
                warned, draft = True, ""
                self._on_first_interrupt()

    def _is_command(self) -> bool:
        typed = self._prompt.default_buffer.text
        return typed.startswith("/") and "\n" not in typed


def kept_history(file: Path) -> History:
    """Give the history that is kept in a file which nobody else can read."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(file, os.O_CREAT | os.O_APPEND, 0o600))
    with suppress(OSError):  # it was there, with wider permissions
        file.chmod(0o600)
    return FileHistory(str(file))


def passing_history() -> History:
    """Give the history that ends with the process."""
    return InMemoryHistory()


def _terminal() -> "Output":
    from prompt_toolkit.output import create_output

    # An answer may go into a file while the line is typed on the terminal.
    return create_output(always_prefer_tty=True)


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: "KeyPressEvent") -> None:
        """Send the message; a backslash before the cursor begins another line instead."""
        buffer = event.current_buffer
        if buffer.document.text_before_cursor.endswith("\\"):
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _(event: "KeyPressEvent") -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("c-c")
    def _(event: "KeyPressEvent") -> None:
        """Clear the line, which can be found again in the history; an empty one is left."""
        buffer = event.current_buffer
        if buffer.text:
            buffer.append_to_history()
            buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt)

    return keys
