"""The commands of a chat as they are typed: name, argument, meaning."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast, get_args

from langchain_lmswitch.cli.chat.commands import (
    Clear,
    Command,
    Judge,
    Quit,
    Retry,
    Save,
    SetQuality,
    SetSystem,
    SetTask,
    ShowContext,
    ShowHelp,
    ShowMemory,
    ShowModels,
    ShowThinking,
    ShowWhy,
    Undo,
    UseModel,
    Wrong,
)
from langchain_lmswitch.types.tasks import TaskKind

AUTO: Final = "auto"
OFF: Final = "off"
TASKS: Final[tuple[str, ...]] = get_args(TaskKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One command as it is typed."""

    name: str
    argument: str = ""
    """What may follow it; empty if nothing may."""
    help: str
    read: Callable[[str], Command]
    """Makes the command of its argument."""


def _plain(command: Command) -> Callable[[str], Command]:
    return lambda _: command


def _model(argument: str) -> Command:
    if len(argument.split()) > 1:
        return Wrong("/model takes one name; `/model` alone lists them.")
    return UseModel(argument or None)


def _task(argument: str) -> Command:
    if argument in {"", AUTO}:
        return SetTask(None, auto=bool(argument))
    if argument not in TASKS:
        return Wrong(f"There is no task {argument!r}; it is one of {', '.join(TASKS)}, or auto.")
    return SetTask(cast("TaskKind", argument))


def _quality(argument: str) -> Command:
    if argument in {"", AUTO}:
        return SetQuality(None, auto=bool(argument))
    try:
        quality = float(argument)
    except ValueError:
        quality = -1
    if not 0 <= quality <= 1:
        return Wrong("/quality takes a number from 0 (fastest) to 1 (best), or auto.")
    return SetQuality(quality)


def _system(argument: str) -> Command:
    return SetSystem("" if argument == OFF else argument or None)


def _save(argument: str) -> Command:
    over, name = argument == "-f" or argument.startswith("-f "), argument
    if over:
        name = argument.removeprefix("-f").strip()
    return Save(Path(name).expanduser() if name else None, over=over)


FORMS: Final[tuple[Form, ...]] = (
    Form(
        name="model",
        argument="[NAME|auto]",
        help="let one model answer, or the best one for each message",
        read=_model,
    ),
    Form(name="why", help="show why this model gave the last answer", read=_plain(ShowWhy())),
    Form(name="models", help="list the models and whether they fit", read=_plain(ShowModels())),
    Form(name="memory", help="show the memory, and what is loaded", read=_plain(ShowMemory())),
    Form(
        name="context",
        help="show what of the conversation the model saw",
        read=_plain(ShowContext()),
    ),
    Form(
        name="thinking",
        help="show what the model thought before it answered",
        read=_plain(ShowThinking()),
    ),
    Form(name="retry", help="ask the last question again", read=_plain(Retry())),
    Form(name="undo", help="take the last question and its answer back", read=_plain(Undo())),
    Form(name="clear", help="begin a new conversation", read=_plain(Clear())),
    Form(name="good", help="say that the last answer was good", read=_plain(Judge(good=True))),
    Form(
        name="bad", help="say that it was not; later choices learn", read=_plain(Judge(good=False))
    ),
    Form(name="system", argument="[TEXT|off]", help="give the model instructions", read=_system),
    Form(
        name="task",
        argument="[TASK|auto]",
        help="say what kind of questions these are",
        read=_task,
    ),
    Form(
        name="quality",
        argument="[0..1|auto]",
        help="weigh the fastest answer (0) against the best (1)",
        read=_quality,
    ),
    Form(
        name="save",
        argument="[-f] [FILE]",
        help="write the conversation, as .md or .json; -f writes over a file",
        read=_save,
    ),
    Form(name="help", help="list the commands", read=_plain(ShowHelp())),
    Form(name="quit", help="leave, as Ctrl-D does", read=_plain(Quit())),
)
BY_NAME: Final = {form.name: form for form in FORMS}
OTHER_NAMES: Final = {"exit": "quit", "bye": "quit", "?": "help", "reset": "clear"}
