"""Which model answered last in a conversation, and to what."""

from collections import OrderedDict
from typing import Final

_MOST: Final = 1024
"""Conversations remembered; the one that has been silent longest goes first."""


class Threads:
    """Remembers for each conversation the key of the model that answered last."""

    def __init__(self) -> None:
        self._models: OrderedDict[str, tuple[str, int]] = OrderedDict()

    def note(self, thread: str, key: str, *, request: int = 0) -> None:
        """Remember who answers now, and a hash of the request; 0 if it is not to be told again."""
        self._models[thread] = key, request
        self._models.move_to_end(thread)
        if len(self._models) > _MOST:
            self._models.popitem(last=False)

    def last(self, thread: str) -> str:
        """Give the key of the model that answered last; empty if none is known."""
        return self._models.get(thread, ("", 0))[0]

    def again(self, thread: str, request: int) -> bool:
        """Tell whether the last answer was to this very request."""
        return bool(request) and self._models.get(thread, ("", 0))[1] == request
