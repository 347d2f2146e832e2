"""The queue of those who wait for a load; it has an end."""

from collections.abc import Iterator
from contextlib import contextmanager

from langchain_lmswitch.errors import QueueFull


class Queue:
    """Counts the requests that wait for a load, theirs or another's.

    Whoever leaves, however that comes about, gives the place back at once.

    Args:
        limit: The most that may wait at the same time.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.waiting: int = 0
        """Requests that wait now."""

    @contextmanager
    def place(self, *, always: bool = False) -> Iterator[None]:
        """Wait inside.

        Args:
            always: Whether there is a place in any case, for one that has waited before.

        Raises:
            QueueFull: All places are taken.
        """
        if self.waiting >= self._limit and not always:
            raise QueueFull(limit=self._limit)
        self.waiting += 1
        try:
            yield
        finally:
            self.waiting -= 1
