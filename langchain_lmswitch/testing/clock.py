"""An event loop whose clock jumps to the next timer: hours pass at once, in a fixed order."""

import asyncio
import math
import selectors
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

T = TypeVar("T")

MOST_S: Final = 36_000.0
"""Work that takes longer than this, by the virtual clock, is taken for endless."""
_MOST_IDLE_TURNS: Final = 200_000
"""Turns of the loop in which no time passes, after which nothing gets done any more."""
_RESOLUTION_S: Final = 1e-9
"""What a loop adds to its clock to see which timers are due."""


class _Selector(selectors.SelectSelector):
    """Does not wait, but says how long it would have.

    Args:
        most_s: When to give up.
    """

    def __init__(self, most_s: float) -> None:
        super().__init__()
        self.now_s = 0.0
        self._most_s = most_s
        self._idle_turns = 0
        self._watched = 0

    def register(self, *args: Any, **kwargs: Any) -> selectors.SelectorKey:
        self._watched += 1
        return super().register(*args, **kwargs)

    def unregister(self, *args: Any, **kwargs: Any) -> selectors.SelectorKey:
        self._watched -= 1
        return super().unregister(*args, **kwargs)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let the time pass; look at real files and sockets only if there are any."""
        if timeout is None:
            raise RuntimeError("Deadlock: everybody waits for somebody else")
        self._pass(timeout)
        self._idle_turns = 0 if timeout > 0 else self._idle_turns + 1
        if self._idle_turns > _MOST_IDLE_TURNS:
            raise RuntimeError("Everybody is busy and nothing gets done")
        return super().select(0) if self._watched > 1 else []  # one is the loop's own

    def _pass(self, timeout_s: float) -> None:
        later_s = self.now_s + timeout_s
        if later_s + _RESOLUTION_S == later_s:
            # Half a year on, that is lost in rounding, and a timer that is due now never would be.
            later_s = math.nextafter(later_s, math.inf)
        self.now_s = later_s
        if later_s > self._most_s:
            raise RuntimeError("This takes for ever")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Virtual time; it also finds deadlocks, and waits that have no end.

    Args:
        most_s: Work that takes longer than this is taken for endless.
    """

    def __init__(self, *, most_s: float = MOST_S) -> None:
        self._virtual = _Selector(most_s)
        super().__init__(self._virtual)

    def time(self) -> float:
        """Give the virtual seconds since the loop was made."""
        return self._virtual.now_s


class LoopClock:
    """The clock of whatever loop is running; outside of it, the time when it was last read."""

    def __init__(self) -> None:
        self._read_s = 0.0

    def __call__(self) -> float:
        """Give seconds on the loop's clock."""
        with suppress(RuntimeError):
            self._read_s = asyncio.get_running_loop().time()
        return self._read_s


def run_virtually(work: Coroutine[Any, Any, T], *, most_s: float = MOST_S) -> T:
    """Run `work` in virtual time: what sleeps for an hour is done at once.

    It is for work on a host in memory. What happens in threads, processes and sockets takes real
    time, which this clock does not know.

    Example:
        >>> async def sleepy() -> float:
        ...     await asyncio.sleep(3600)
        ...     return asyncio.get_running_loop().time()
        >>> run_virtually(sleepy())
        3600.0

    Args:
        work: What to run.
        most_s: Virtual seconds after which it is taken for endless.

    Raises:
        RuntimeError: Everybody waits for somebody else, or there is no end to it.
    """
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(most_s=most_s)) as runner:
        return runner.run(work)
