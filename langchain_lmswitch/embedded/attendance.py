"""Who is connected, and for how long nobody has been."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Attendance:
    """Counts the sockets of each client."""

    def __init__(self, *, on_leave: Callable[[str], None]) -> None:
        self._sockets: Counter[str] = Counter()
        self._on_leave = on_leave
        self._changed = asyncio.Event()
        self.visited: bool = False
        """Whether anybody has ever been here."""

    @contextmanager
    def present(self, client: str) -> Iterator[None]:
        """Count one socket of a client."""
        self.visited = True
        self._sockets[client] += 1
        self._changed.set()
        try:
            yield
        finally:
            self._sockets[client] -= 1
            self._changed.set()
            if not self._sockets[client]:
                del self._sockets[client]
                self._on_leave(client)

    async def useless(
        self, *, needed: Callable[[], bool], first_s: float, linger_s: float, look_s: float
    ) -> None:
        """Wait until it is `deserted` and not `needed` all the same; that is looked at anew."""
        await self.deserted(first_s=first_s, linger_s=linger_s)
        while needed():
            await asyncio.sleep(look_s)
            await self.deserted(first_s=first_s, linger_s=linger_s)

    async def deserted(self, *, first_s: float, linger_s: float) -> None:
        """Wait until nobody came for `first_s`, or all have been gone for `linger_s`."""
        while True:
            self._changed.clear()
            patience_s = linger_s if self.visited else first_s
            try:
                async with asyncio.timeout(None if self._sockets else patience_s):
                    await self._changed.wait()
            except TimeoutError:
                return
