"""How many requests one instance gets at a time, and who is next."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Final

AHEAD: Final = 1
"""Requests that a host has in hand beside those that it answers: it begins the next one at once."""
_LOOK_S: Final = 1.0
"""After this, whoever stands in line looks whether the instance is still there."""


class _Line:
    def __init__(self) -> None:
        self.waiting: dict[str, asyncio.Event] = {}
        self.promised: set[str] = set()


class Slots:
    """Gives the slots of instances out in the order in which they were asked for.

    What a host is sent it keeps in an order of its own, and a load that needs the instance's place
    waits for all of it. So a host is sent no more than it can begin.

    1. An instance has as many slots as it answers requests at the same time, and `AHEAD` more.
    2. Whoever finds none free stands in line; a slot that becomes free is promised to the first.
    3. Nobody goes before those in line. A promise that is not wanted any more passes on.

    Args:
        limit: Counts the slots that an instance has.
        taken: Counts the slots of an instance that are in use.
    """

    def __init__(self, limit: Callable[[str], int], taken: Callable[[str], int]) -> None:
        self._limit = limit
        self._taken = taken
        self._lines: defaultdict[str, _Line] = defaultdict(_Line)

    def open(self, identifier: str, call: str) -> bool:
        """Tell whether a call may take a slot now."""
        line = self._lines.get(identifier)
        if line is None:
            return self._taken(identifier) < self._limit(identifier)
        return call in line.promised  # 3

    def waiting(self, identifier: str) -> int:
        """Count who stands in line."""
        return len(self._lines[identifier].waiting) if identifier in self._lines else 0

    async def next(self, identifier: str, call: str) -> None:
        """Wait until a slot is promised, or until it is time to look at the instance again.

        The place in line stays until `leave`.
        """
        line = self._lines[identifier]
        if call in line.promised:
            return
        turn = line.waiting.setdefault(call, asyncio.Event())
        self.freed(identifier)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await turn.wait()

    def freed(self, identifier: str) -> None:
        """Promise what is free to those in line."""
        line = self._lines.get(identifier)
        if line is None:
            return
        limit = self._limit(identifier)
        while line.waiting and self._taken(identifier) + len(line.promised) < limit:
            call = next(iter(line.waiting))
            line.promised.add(call)
            line.waiting.pop(call).set()
        if not line.waiting and not line.promised:
            del self._lines[identifier]

    def leave(self, call: str) -> None:
        """Take a call out of every line, and what it was promised back; safe to repeat."""
        for identifier, line in tuple(self._lines.items()):
            if call in line.promised or call in line.waiting:
                line.promised.discard(call)
                line.waiting.pop(call, None)
                self.freed(identifier)
