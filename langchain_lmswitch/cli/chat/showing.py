"""One answer as it comes: the way to its first token, its thinking, its words."""

from types import TracebackType
from typing import Self

from langchain_lmswitch.cli.chat.thinking import ThinkingLine
from langchain_lmswitch.cli.chat.view import View
from langchain_lmswitch.cli.chat.wrapping import Wrapping
from langchain_lmswitch.cli.loading import LoadBar
from langchain_lmswitch.types.events import SwitchEvent
from langchain_lmswitch.types.units import duration


class Showing:
    """Shows an answer as it comes; whatever ends it, the screen is left on a line of its own."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._bar = LoadBar()
        self._thinking: ThinkingLine | None = None
        self._wrapping = Wrapping(view.columns)
        self._begun = False
        self._open_line = False

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
        self._settle_thinking(broken=error is not None)
        self._put(self._wrapping.end())
        if self._open_line:
            self._put("\n")

    def tell(self, event: SwitchEvent) -> None:
        """Show what the first token waits for."""
        self._bar.tell(event)

    def thought(self) -> None:
        """Count a token of thinking."""
        if self._thinking is None:
            self._bar.stop()
            self._thinking = ThinkingLine()
        self._thinking.count()

    def said(self, text: str) -> None:
        """Show a piece of the answer."""
        if not self._begun and not text.strip():
            return  # what stands between the thinking and the answer
        self._begun = True
        self._bar.stop()
        self._settle_thinking()
        self._put(self._wrapping.feed(text))

    def _settle_thinking(self, *, broken: bool = False) -> None:
        if self._thinking is not None:
            took = duration(round(self._thinking.stop(), 1))
            self._thinking = None
            if not broken:
                self._view.remark(f"thought for {took} (/thinking shows it)")

    def _put(self, text: str) -> None:
        if text:
            self._open_line = not text.endswith("\n")  # Ctrl-C may come while it is shown
            self._view.piece(text)
