"""What a line of a chat asks for: values only, made by `parsing` and carried out by the others."""

from dataclasses import dataclass
from pathlib import Path

from langchain_lmswitch.types.tasks import TaskKind


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty line."""


@dataclass(frozen=True, slots=True)
class Say:
    """A message for the model."""

    text: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Ask the last question again."""


@dataclass(frozen=True, slots=True)
class Undo:
    """Take the last question and its answer back."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Begin anew."""


@dataclass(frozen=True, slots=True)
class UseModel:
    """Let one model answer; `auto` is the router's choice, `None` only tells."""

    name: str | None


@dataclass(frozen=True, slots=True)
class SetTask:
    """Say what the questions are; `auto` lets the router find out, `None` only tells."""

    task: TaskKind | None
    auto: bool = False


@dataclass(frozen=True, slots=True)
class SetQuality:
    """Weigh speed against quality; `auto` is half way, `None` only tells."""

    quality: float | None
    auto: bool = False


@dataclass(frozen=True, slots=True)
class SetSystem:
    """Give instructions; an empty text takes them away, `None` only tells."""

    text: str | None


@dataclass(frozen=True, slots=True)
class ShowWhy:
    """Show the decision behind the last answer."""


@dataclass(frozen=True, slots=True)
class ShowModels:
    """List the models."""


@dataclass(frozen=True, slots=True)
class ShowMemory:
    """Show the memory, and what is loaded."""


@dataclass(frozen=True, slots=True)
class ShowContext:
    """Show what of the conversation the model saw."""


@dataclass(frozen=True, slots=True)
class ShowThinking:
    """Show what the model thought before its last answer."""


@dataclass(frozen=True, slots=True)
class ShowHelp:
    """List the commands."""


@dataclass(frozen=True, slots=True)
class Save:
    """Write the conversation into a file."""

    file: Path | None
    """`None` is the file it was last saved to, or a new one."""
    over: bool = False
    """Whether a file that is there may be written over."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Say whether the last answer was good."""

    good: bool


@dataclass(frozen=True, slots=True)
class Quit:
    """Leave."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A command that cannot be; nothing is done."""

    why: str


Talk = Say | Retry | Undo | Clear
Wish = UseModel | SetTask | SetQuality | SetSystem
Look = ShowWhy | ShowModels | ShowMemory | ShowContext | ShowThinking | ShowHelp
Keep = Save | Judge
Command = Nothing | Talk | Wish | Look | Keep | Quit | Wrong
