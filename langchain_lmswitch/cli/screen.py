"""Where output goes: answers and tables to stdout, everything about them to stderr.

Nothing that a model, a host or a user wrote is read as markup, nor by a terminal as a command.
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

_PIPED_COLUMNS: Final = 240
"""Wide enough that no row of a table is broken where another program reads it."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What steers a terminal, or turns the direction in which it is read."""


def console(*, stderr: bool = False) -> "Console":
    """Make the console of one stream; in a pipe it has no color and long lines."""
    from langchain_lmswitch.cli.inert import InertConsole

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPED_COLUMNS
    return InertConsole(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)


def is_plain(screen: "Console") -> bool:
    """Tell whether a console can show ASCII only."""
    return not (screen.encoding or "").lower().startswith("utf")


def show(*renderables: "RenderableType") -> None:
    """Print text and tables for a person."""
    out = console()
    if out.is_terminal:
        out.print(*renderables, sep="\n")
        return
    with out.capture() as caught:
        out.print(*renderables, sep="\n")
    # Tables are filled up with blanks, which nobody wants in a file.
    typer.echo("\n".join(line.rstrip() for line in caught.get().splitlines()))


def show_beside(*renderables: "RenderableType") -> None:
    """Print to stderr what a question is about."""
    console(stderr=True).print(*renderables, sep="\n")


def show_json(record: Mapping[str, Any]) -> None:
    """Print one JSON object for a program."""
    say(json.dumps(record, ensure_ascii=False, indent=2))


def show_piece(text: str) -> None:
    """Print a piece of an answer at once."""
    say(text, end="")


def say(text: str, *, stderr: bool = False, end: str = "\n") -> None:
    """Print text as it is; a terminal gets none of the control sequences in it."""
    stream = sys.stderr if stderr else sys.stdout
    typer.echo(f"{plain(text) if stream.isatty() else text}{end}", nl=False, err=stderr)


def plain(text: str) -> str:
    """Take out what a terminal could read as a control sequence."""
    return _CONTROL.sub("", text)


def remark(text: str, *, marked: str = "") -> None:
    """Print one dim line about the output to stderr; a terminal breaks it between words.

    Args:
        text: It.
        marked: What it begins with, and catches the eye.
    """
    from rich.text import Text

    err = console(stderr=True)
    mark = Text(f"{marked} ", style="bold") if marked else Text()
    line = mark + Text(" ".join(text.split()), style="dim")
    err.print(line, soft_wrap=not err.is_terminal)


def table(
    *columns: str, rows: Sequence[Sequence["RenderableType"]], right: Sequence[str] = ()
) -> "Table":
    """Lay out rows under their headings; `right` names the columns of numbers."""
    from rich import box
    from rich.table import Table

    laid = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        header_style="bold",
    )
    for name in columns:
        laid.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        laid.add_row(*row)
    return laid
