"""Where the recent window begins, replayed from the first message on."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from langchain_lmswitch.context.chunks import Chunk
from langchain_lmswitch.context.units import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """How far the window fills, in tokens."""

    full: int
    """What the whole conversation may take, while nothing has been evicted."""
    high: int
    """What the window may take from then on."""
    low: int
    """To what it is brought down when it would take more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The recent units that stand in the prompt."""

    start: int = 0
    """The first of them."""
    pinned: int | None = None
    """A user message before it that stays: the loop that it began is longer than the window."""
    evicted_at: int = -1
    """The unit that came when something was evicted for the last time; -1 if nothing was."""
    tokens: int = 0

    @property
    def units(self) -> tuple[int, ...]:
        """Indices of what is before the window and stays."""
        return () if self.pinned is None else (self.pinned,)


def replay(
    units: Sequence[Unit],
    chunks: Sequence[Chunk],
    *,
    whole: Sequence[int],
    costs: Sequence[int],
    levels: Levels,
) -> Window:
    """Find where the window begins, from the messages and their costs alone.

    Nothing has to be remembered between turns: the same beginning gives the same boundaries, so
    the prompt of a turn begins as the one before it did, unless something was evicted.

    1. While everything fits, everything stays.
    2. When the window would grow too large, whole chunks leave it, down to half: evicting a little
       each turn would make the model read everything again each turn.
    3. If even the last chunk is too large, whole turns of it leave, then single units.
    4. The last user message stays in any case.

    Args:
        units: The conversation.
        chunks: Its chunks.
        whole: Tokens of each unit as it is.
        costs: Tokens of each unit cut to its place, as it stands in a window.
        levels: How far the window fills.
    """
    at_first, before = [0, *accumulate(whole)], [0, *accumulate(costs)]
    asking = [at for at, unit in enumerate(units) if unit.asks]
    starts = [one.start for one in chunks]
    window = Window()
    while (full_at := _overflow(window, at_first, before, costs, levels)) is not None:
        cuts = _Cuts(starts, asking, full_at)
        window = _evicted(window, cuts, before, costs, levels)
    sums = before if window.evicted_at >= 0 else at_first
    tokens = sums[-1] - sums[window.start] + _pinned_tokens(window, costs)
    return Window(
        start=window.start, pinned=window.pinned, evicted_at=window.evicted_at, tokens=tokens
    )


@dataclass(frozen=True, slots=True)
class _Cuts:
    """Where the window may begin when a unit came that was too much."""

    starts: Sequence[int]
    asked: Sequence[int]
    at: int

    @property
    def last_asked(self) -> int | None:
        """The last user message so far."""
        count = bisect_right(self.asked, self.at)
        return self.asked[count - 1] if count else None

    def after(self, start: int, least: int) -> int:
        """Find the first cut after `start` and not before `least`, the coarsest first."""
        low = max(start + 1, least)
        for cuts in (self.starts, self.asked):  # 2, 3
            found = bisect_left(cuts, low)
            if found < len(cuts) and cuts[found] <= self.at:
                return cuts[found]
        return min(low, self.at)  # 3


def _overflow(
    window: Window,
    at_first: Sequence[int],
    before: Sequence[int],
    costs: Sequence[int],
    levels: Levels,
) -> int | None:
    """Tell with which unit the window became too large; `None` if it has not."""
    sums, most = (before, levels.high) if window.evicted_at >= 0 else (at_first, levels.full)  # 1
    allowed = sums[window.start] + most - _pinned_tokens(window, costs)
    # The unit that overflowed it the last time may be too large for any window.
    found = bisect_right(sums, allowed, lo=min(window.evicted_at + 2, len(sums))) - 1
    return found if max(found, 0) < len(sums) - 1 else None


def _evicted(
    window: Window, cuts: _Cuts, before: Sequence[int], costs: Sequence[int], levels: Levels
) -> Window:
    asked = cuts.last_asked
    for extra in (0, costs[asked] if asked is not None else 0):
        least = bisect_left(before, before[cuts.at + 1] - levels.low + extra)
        start = max(cuts.after(window.start, least), window.start)
        if asked is None or start <= asked:
            return Window(start=start, evicted_at=cuts.at)
    return Window(start=start, pinned=asked, evicted_at=cuts.at)  # 4


def _pinned_tokens(window: Window, costs: Sequence[int]) -> int:
    return 0 if window.pinned is None else costs[window.pinned]
