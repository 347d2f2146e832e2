"""What happens, shown while it happens."""

import logging
import threading
import time
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Final, Self

from langchain_lmswitch.notebook.scene import Scene
from langchain_lmswitch.notebook.screens import Screen, screen
from langchain_lmswitch.notebook.view import View, view
from langchain_lmswitch.switch.listeners import OnNote
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.types.history import Note

log: logging.Logger = logging.getLogger(__name__)

PERIOD_S: Final = 0.25
"""Between two pictures: more would only tire the eye, and the notebook's connection."""

Follow = Callable[[OnNote], Awaitable[Callable[[], None]]]
"""Has a listener told what happens; on the portal's loop. Ends by calling what it returns."""


class Live:
    """Shows loads, memory, answers and why, for as long as a `with` block lasts.

    All requests that this process sends to the host are seen, from any thread and any agent. What
    is shown in the end stays: in the notebook's file, or in the terminal.

    Args:
        follow: The way to the switchboard.
        show_on: Where to show it; the best there is here unless given.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        follow: Follow,
        *,
        show_on: Screen | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._follow = follow
        self._given = show_on
        self._clock = clock
        self._scene = Scene(begun_s=clock())
        self._news = threading.Event()
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self._begin()
        self._stop = portal().call(self._listen())
        self._start()
        return self

    def __exit__(self, *error: object) -> None:
        try:
            portal().call(_called(self._stop))
        finally:
            self._end()

    async def __aenter__(self) -> Self:
        self._begin()
        self._stop = await portal().acall(self._listen())
        self._start()
        return self

    async def __aexit__(self, *error: object) -> None:
        try:
            await portal().acall(_called(self._stop))
        finally:
            self._end()

    def __repr__(self) -> str:
        return repr(self._view())

    def _repr_html_(self) -> str:
        return self._view()._repr_html_()

    def _begin(self) -> None:
        self._scene = Scene(begun_s=self._clock())
        self._over.clear()
        self._screen = self._given or screen()

    async def _listen(self) -> Callable[[], None]:
        return await self._follow(self._hear)

    def _hear(self, note: Note) -> None:
        """Take a note in; on the portal's loop, which is not to wait for any screen."""
        self._scene = self._scene.heard(note)
        self._news.set()

    def _start(self) -> None:
        self._paint(self._screen.show)
        # With this cell's context: a notebook knows by it which output is meant.
        context = copy_context()
        self._painter = threading.Thread(
            target=context.run, args=(self._painting,), name="lmswitch-live", daemon=True
        )
        self._painter.start()

    def _end(self) -> None:
        self._over.set()
        self._painter.join()
        self._paint(self._screen.leave)

    def _painting(self) -> None:
        while not self._over.wait(PERIOD_S):
            if self._news.is_set() or self._scene.busy:
                self._news.clear()
                self._paint(self._screen.show)

    def _paint(self, show: Callable[[View], None]) -> None:
        try:
            show(self._view())
        except Exception as error:
            log.warning("The live view could not be shown: %s", type(error).__name__)
            log.debug("It was this:", exc_info=error)

    def _view(self) -> View:
        return view(self._scene, self._clock())


async def _called(stop: Callable[[], None]) -> None:
    stop()
