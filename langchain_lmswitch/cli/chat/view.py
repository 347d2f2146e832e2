"""Where a chat shows things: answers on stdout, all about them on the terminal or stderr."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Any

from langchain_lmswitch.cli.screen import console, remark, say, show, show_piece

if TYPE_CHECKING:
    from rich.console import RenderableType

    from langchain_lmswitch.errors import LMSwitchError


class View:
    """The screen of a chat, or the two streams of a pipe.

    Args:
        as_json: Whether stdout gets one JSON object for each answer and nothing else.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json

    @property
    def columns(self) -> int:
        """The width that answers may take; 0 is any."""
        return console().width if self._on_screen else 0

    def piece(self, text: str) -> None:
        """Show a piece of an answer at once."""
        if not self.as_json:
            show_piece(text)

    def record(self, answer: dict[str, Any]) -> None:
        """Write an answer as one line of JSON."""
        if self.as_json:
            say(json.dumps(answer, ensure_ascii=False))

    def remark(self, text: str, *, marked: str = "") -> None:
        """Show a dim line; `marked` is what it begins with, and catches the eye."""
        remark(text, marked=marked)

    def tell(self, error: "LMSwitchError | OSError") -> None:
        """Show an error as one paragraph, with what to do next."""
        paragraph = " ".join(str(error).split())
        if self.as_json:
            told = {"error": type(error).__name__, "message": paragraph}
            say(json.dumps(told, ensure_ascii=False), stderr=True)
        else:
            err = console(stderr=True)
            err.print(f"lmswitch: {paragraph}", style="red", soft_wrap=not err.is_terminal)

    def show(self, *renderables: "RenderableType") -> None:
        """Show text and tables."""
        with self.beside():
            show(*renderables)

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Have all that is printed shown beside the answers, and not among them."""
        aside = nullcontext() if self._on_screen else redirect_stdout(sys.stderr)
        with aside:
            yield

    @property
    def _on_screen(self) -> bool:
        return sys.stdout.isatty() and not self.as_json
