"""An event loop whose clock jumps to the next timer: hours pass at once, in a fixed order."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Does not wait, but says how long it would have."""

    now_s = 0.0
    turns_left = 200_000

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("Deadlock: everybody waits for somebody else")
        self.turns_left -= 1
        if not self.turns_left:
            raise RuntimeError("Everybody is busy and nothing gets done")
        self.now_s += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Virtual time; it also finds deadlocks, and waits that have no end."""

    def __init__(self, *, most_s: float = 36_000) -> None:
        self._virtual = _Selector()
        self._most_s = most_s
        super().__init__(self._virtual)

    def time(self) -> float:
        if self._virtual.now_s > self._most_s:
            raise RuntimeError("This takes for ever")
        return self._virtual.now_s


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
