"""The progress bar between a question and the first token of its answer."""

from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, assert_never

from langchain_lmswitch.cli.screen import console
from langchain_lmswitch.types.events import (
    Compressed,
    Evicted,
    FellBack,
    Loaded,
    LoadProgress,
    LoadStarted,
    MemoryChanged,
    Queued,
    SwitchEvent,
)
from langchain_lmswitch.types.units import size

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

_WIDE_COLUMNS: Final = 64
"""From here on there is room for the bar and the memory beside the words."""


class LoadBar:
    """Shows on stderr what the first token waits for; nothing unless that is a terminal.

    It leaves no trace on the screen.

    Args:
        doing: What is done before the first event.
    """

    def __init__(self, doing: str = "looking for a model") -> None:
        from rich.progress import Progress

        screen = console(stderr=True)
        self._progress = Progress(
            *_columns(screen.width),
            console=screen,
            transient=True,
            disable=not screen.is_interactive,
        )
        self._task = self._progress.add_task(doing, total=None, free="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the bar away; safe to repeat."""
        self._progress.stop()

    def tell(self, event: SwitchEvent) -> None:
        """Show an event."""
        match event:
            case LoadStarted():
                self._show(_loading(event), fraction=0.0)
            case LoadProgress():
                self._progress.update(self._task, completed=event.fraction)
            case MemoryChanged():
                self._progress.update(self._task, free=_free(event))
            case _:
                self._show(_words(event))

    def _show(self, what: str, *, fraction: float | None = None) -> None:
        total = None if fraction is None else 1.0
        self._progress.update(self._task, description=what, total=total, completed=fraction or 0.0)


def _columns(width: int) -> "list[ProgressColumn]":
    """Choose the columns; a narrow screen gets a short bar, and not the memory."""
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    wide = width >= _WIDE_COLUMNS
    what = Column(no_wrap=True, overflow="ellipsis", max_width=None if wide else width - 19)
    memory = [TextColumn("{task.fields[free]}", markup=False)] if wide else []
    return [
        TextColumn("{task.description}", markup=False, table_column=what),
        BarColumn(40 if wide else 8),
        TimeElapsedColumn(),
        *memory,
    ]


def _loading(event: LoadStarted) -> str:
    cost = f", {size(event.expected_bytes)}" if event.expected_bytes else ""
    room = f", unloading {', '.join(event.evicting)}" if event.evicting else ""
    return f"loading {event.key}{cost}{room}"


def _words(event: Loaded | Queued | Evicted | FellBack | Compressed) -> str:
    match event:
        case Loaded():
            return f"{event.key} reads the question"
        case Queued():
            return f"{event.key} has to wait: {event.reason}"
        case Evicted():
            return f"{event.key} was unloaded to make room for {event.room_for}"
        case FellBack():
            return f"{event.key} cannot be used: {event.reason}"
        case Compressed():
            back = f", {event.recalled_passages} passages of them put back"
            left_out = f"{event.evicted_messages} old messages do not fit and are left out"
            return left_out + (back if event.recalled_passages else "")
        case _:
            assert_never(event)


def _free(event: MemoryChanged) -> str:
    if event.ram_free_bytes is None:
        return ""
    gpus = event.gpu_free_bytes or ()
    cards = "".join(f" and {size(one)} of a GPU" for one in gpus if one is not None)
    return f"{size(event.ram_free_bytes)}{cards} free"
