"""Which model answered last in a conversation."""

from collections import OrderedDict
from typing import Final

_MOST: Final = 1024
"""Conversations remembered; the one that has been silent longest goes first."""


class Threads:
    """Remembers for each conversation the key of the model that answered last."""

    def __init__(self) -> None:
        self._models: OrderedDict[str, str] = OrderedDict()

    def note(self, thread: str, key: str) -> None:
        """Remember who answers now."""
        self._models[thread] = key
        self._models.move_to_end(thread)
        if len(self._models) > _MOST:
            self._models.popitem(last=False)

    def last(self, thread: str) -> str:
        """Give the key of the model that answered last; empty if none is known."""
        return self._models.get(thread, "")
