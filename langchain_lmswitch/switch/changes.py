"""Waiting until something has changed: a lease has ended, a load was finished, a model left."""

import asyncio
from typing import Final

_POLL_S: Final = 0.25
"""What other processes do is not told to us; whoever waits looks again after this."""


class Changes:
    """Wakes all who wait, at every change; confined to the portal's loop."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def tell(self) -> None:
        """Wake all who wait now."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def next(self) -> None:
        """Wait for the next change, or until it is time to look at other processes."""
        try:
            async with asyncio.timeout(_POLL_S):
                await self._changed.wait()
        except TimeoutError:
            return
