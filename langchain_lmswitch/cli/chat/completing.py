"""What Tab offers in a chat: commands, models, tasks, files."""

from collections.abc import Callable, Iterable, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from langchain_lmswitch.cli.chat.forms import AUTO, FORMS, OFF, TASKS


class Commands(Completer):
    """Completes the commands of a chat, and nothing else.

    Args:
        names: Gives the names of the models that are known by now.
    """

    def __init__(self, names: Callable[[], Sequence[str]]) -> None:
        self._names = names
        self._paths = PathCompleter(expanduser=True)

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Offer what may stand where the cursor is."""
        typed = document.text_before_cursor
        command, blank, argument = typed.partition(" ")
        if not typed.startswith("/") or "\n" in typed:
            return
        if not blank:
            yield from _commands(command)
        elif command == "/save":
            files = Document(argument.removeprefix("-f "))
            yield from self._paths.get_completions(files, complete_event)
        else:
            yield from _starting(argument, self._arguments(command))

    def _arguments(self, command: str) -> Sequence[str]:
        match command:
            case "/model":
                return (*self._names(), AUTO)
            case "/task":
                return (*TASKS, AUTO)
            case "/quality":
                return (AUTO,)
            case "/system":
                return (OFF,)
            case _:
                return ()


def _commands(typed: str) -> Iterable[Completion]:
    for form in FORMS:
        if f"/{form.name}".startswith(typed.lower()):
            after = " " if form.argument else ""
            yield Completion(
                f"/{form.name}{after}",
                start_position=-len(typed),
                display=f"/{form.name}",
                display_meta=form.help,
            )


def _starting(typed: str, words: Sequence[str]) -> Iterable[Completion]:
    """Offer the words that begin with what is typed, else those that hold it."""
    low = typed.lower()
    found = [one for one in words if one.lower().startswith(low)]
    for word in found or [one for one in words if low in one.lower()]:
        yield Completion(word, start_position=-len(typed))
