"""The progress of downloads: bars on a terminal, a line now and then elsewhere."""

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from langchain_lmswitch.cli.screen import console, say
from langchain_lmswitch.types.units import size

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_STEPS: Final = 10
"""Lines for each download where there is no terminal."""


class DownloadBar:
    """Shows on stderr how much of each download has arrived."""

    def __init__(self) -> None:
        self._progress = _bars()
        self._tasks: dict[str, TaskID] = {}
        self._steps: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def watch(self, name: str) -> Callable[[int, int], None]:
        """Start a download; give what is to be called with its bytes so far, and of all."""
        self._tasks[name] = self._progress.add_task(name, total=None)
        return lambda done, total: self._show(name, done, total)

    def finish(self, name: str) -> None:
        """Say that a download is complete: of what was there before nothing has been reported."""
        task = self._progress.tasks[self._tasks[name]]
        if task.total is None:
            self._progress.update(task.id, visible=False)
            self._progress.console.print(f"{name}: there already", soft_wrap=True)
            return
        self._progress.update(task.id, completed=task.total)
        if self._progress.disable:
            say(f"{name}: complete", stderr=True)

    def _show(self, name: str, done_bytes: int, total_bytes: int) -> None:
        self._progress.update(self._tasks[name], total=total_bytes, completed=done_bytes)
        step = done_bytes * _STEPS // max(total_bytes, 1)
        if self._progress.disable and step > self._steps.get(name, -1):
            self._steps[name] = step
            say(f"{name}: {size(done_bytes)} of {size(total_bytes)}", stderr=True)


def _bars() -> "Progress":
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.table import Column

    screen = console(stderr=True)
    name = Column(no_wrap=True, overflow="ellipsis")
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=name),
        BarColumn(),
        DownloadColumn(binary_units=True, table_column=Column(no_wrap=True)),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=screen,
        disable=not screen.is_terminal,
    )
