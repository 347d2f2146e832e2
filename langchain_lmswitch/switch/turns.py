"""Whose turn it is to load, and how often requests for loaded models may go before it."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Final

MOST_PASSES: Final = 8
"""How many requests may pass a load that waits for its victims to become idle."""


class Turn:
    """The turn of one load: from before it is planned until it is made, or given up."""

    def __init__(self) -> None:
        self.claimed: frozenset[str] = frozenset()
        """Identifiers of the models that it needs to evict."""
        self.passes = 0
        """Leases on these, taken since they were claimed."""
        self.over: asyncio.Event = asyncio.Event()

    def claim(self, identifiers: Iterable[str]) -> None:
        """Say what the load needs to evict; see rule 4 of `Turns`."""
        self.claimed |= frozenset(identifiers)


class Turns:
    """Makes loads take turns, and keeps requests for loaded models from passing one for ever.

    1. One load has its turn at a time, in the order in which they came.
    2. Meanwhile requests for loaded models run. One that is leased on a model that the load needs
       to evict makes it wait longer: it passes it.
    3. After `MOST_PASSES` passes nobody may lease these models until the turn is over; all
       others stay open. So answers under way end, one by one, and the load is made.
    4. Claims only grow during a turn. If the best victim were now one model, now another, each
       would be taken again while the other one was closed.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._turn: Turn | None = None
        self.most_passes: int = 0
        """How often the load was passed that was passed most."""

    @property
    def taken(self) -> bool:
        """Whether a load has its turn, so that the next one waits."""
        return self._lock.locked()

    @asynccontextmanager
    async def next(self) -> AsyncGenerator[Turn, None]:
        """Wait for a turn and have it while inside."""
        async with self._lock:  # 1
            self._turn = turn = Turn()
            try:
                yield turn
            finally:
                self._turn = None
                turn.over.set()

    def claimed(self, identifier: str) -> bool:
        """Tell whether the load whose turn it is needs to evict an instance."""
        return self._turn is not None and identifier in self._turn.claimed

    def closed(self, identifier: str) -> bool:
        """Tell whether an instance may not be leased any more until that load is made."""
        used_up = self._turn is not None and self._turn.passes >= MOST_PASSES  # 3
        return used_up and self.claimed(identifier)

    def note_lease(self, identifier: str) -> None:
        """Count a lease that was taken, if it passes a load."""
        if self._turn is not None and self.claimed(identifier):
            self._turn.passes += 1  # 2
            self.most_passes = max(self.most_passes, self._turn.passes)

    async def over(self) -> None:
        """Wait until the load whose turn it is now has been made, or given up."""
        if self._turn is not None:
            await self._turn.over.wait()
