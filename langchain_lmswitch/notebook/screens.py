"""Where a live view is shown: in a notebook, in a terminal, or line by line in a log."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from langchain_lmswitch.notebook.scene import Step
from langchain_lmswitch.notebook.view import INDENT, View, line, lines
from langchain_lmswitch.types.displays.sheets import printable

if TYPE_CHECKING:
    from rich.padding import Padding


class Screen(Protocol):
    """Shows a view, and then others in its place."""

    def show(self, view: View) -> None:
        """Show how things are now."""

    def leave(self, view: View) -> None:
        """Show how things were in the end; that stays."""


def screen() -> Screen:
    """Find the best there is here."""
    if in_notebook():
        return NotebookScreen()
    if sys.stdout.isatty():
        return TerminalScreen()
    return LogScreen()


def in_notebook() -> bool:
    """Tell whether a notebook's kernel runs this; IPython is not imported to find out."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


class NotebookScreen:
    """One output of a cell, updated in place: the last update stays in the saved notebook."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, view: View) -> None:
        """Put it into the cell's output, or in the place of what is there."""
        from IPython.display import display  # noqa: PLC0415 - there is one: a kernel runs this

        if self._handle is None:
            self._handle = display(view, display_id=True)  # type: ignore[no-untyped-call]  # IPython's
        else:
            self._handle.update(view)

    def leave(self, view: View) -> None:
        """Put the last one in."""
        self.show(view)


class TerminalScreen:
    """Some lines of a terminal, written over and over; what is printed meanwhile stands above.

    Where the terminal's library cannot show two views at once, the second one shows nothing.
    """

    def __init__(self) -> None:
        from rich.live import Live  # noqa: PLC0415 - few want it

        self._live = Live(auto_refresh=False)
        self._shows = False

    def show(self, view: View) -> None:
        """Write over what is there."""
        from rich.console import Group  # noqa: PLC0415 - few want it
        from rich.errors import LiveError  # noqa: PLC0415 - few want it

        if not self._live.is_started:
            with suppress(LiveError):
                self._live.start()
                self._shows = True
        if self._shows:
            self._live.update(Group(*_wrapped(view)), refresh=True)

    def leave(self, view: View) -> None:
        """Write the last one, and let the terminal go."""
        self.show(view)
        if self._shows:
            self._live.stop()


class LogScreen:
    """One line for each step, when it is over; for a load, which takes long, when it begins too."""

    def __init__(self) -> None:
        self._told: set[tuple[int, bool]] = set()

    def show(self, view: View) -> None:
        """Write the steps that are news."""
        for step in view.steps:
            if self._is_news(step):
                self._told.add((step.number, step.over))
                why = f": {printable(step.why)}" if step.why else ""
                told = f"{line(replace(step, part=None), view.begun_s)}{why}"
                print(f"lmswitch {told}", file=sys.stderr, flush=True)  # noqa: T201

    def leave(self, view: View) -> None:
        """Write what is left to be told."""
        self.show(view)

    def _is_news(self, step: Step) -> bool:
        return (step.over or step.kind == "load") and (step.number, step.over) not in self._told


def _wrapped(view: View) -> Iterator["Padding"]:
    """Give each line, to be wrapped where a narrow terminal ends."""
    from rich.padding import Padding  # noqa: PLC0415 - few want it
    from rich.text import Text  # noqa: PLC0415 - few want it

    for told in lines(view):
        left = len(INDENT) if told.startswith(INDENT) else 0
        yield Padding(Text(told[left:]), (0, 0, 0, left))
