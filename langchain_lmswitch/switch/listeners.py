"""Those who want to hear what happens."""

import logging
from collections.abc import Callable, Iterable

from langchain_lmswitch.types.history import Note

log: logging.Logger = logging.getLogger(__name__)

OnNote = Callable[[Note], None]


class Listeners:
    """Tells each of them; the fault of one is not the others'."""

    def __init__(self) -> None:
        self._listeners: dict[object, OnNote] = {}

    def add(self, listener: OnNote, known: Iterable[Note]) -> Callable[[], None]:
        """Tell one what is known and what happens from now on, until what this returns is called.

        It must return at once.
        """
        ticket = object()
        self._listeners[ticket] = listener
        for note in known:
            _tell(listener, note)

        def remove() -> None:
            self._listeners.pop(ticket, None)

        return remove

    def tell(self, note: Note) -> None:
        """Tell all."""
        for listener in tuple(self._listeners.values()):
            _tell(listener, note)


def _tell(listener: OnNote, note: Note) -> None:
    try:
        listener(note)
    except Exception as error:  # noqa: BLE001 - one listener's fault is not the others'
        log.warning("A listener to what happens failed: %s", type(error).__name__)
