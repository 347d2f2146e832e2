"""The one line that is shown while a model thinks."""

import time
from typing import Any

from langchain_lmswitch.cli.screen import console
from langchain_lmswitch.types.units import duration


class ThinkingLine:
    """Counts on stderr how long a model thinks; nothing unless that is a terminal.

    It leaves no trace on the screen.
    """

    def __init__(self) -> None:
        from rich.live import Live

        screen = console(stderr=True)
        self._began_s = time.monotonic()
        self._tokens = 0
        self._live: Live | None = None
        if screen.is_terminal and not screen.is_dumb_terminal:
            self._live = Live(
                get_renderable=self._line, console=screen, transient=True, refresh_per_second=4
            )
            self._live.start()

    def count(self) -> None:
        """Count a token more."""
        self._tokens += 1

    def stop(self) -> float:
        """Take the line away, and give the seconds that the thinking took."""
        if self._live:
            self._live.stop()
        return time.monotonic() - self._began_s

    def _line(self) -> Any:
        from rich.text import Text

        passed_s = int(time.monotonic() - self._began_s)
        return Text(f"thinking... {duration(passed_s)}, {self._tokens:,} tokens", style="dim")
