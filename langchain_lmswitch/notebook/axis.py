"""The time axis of a timeline: long silences are cut, so that what happened can be seen."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

Interval = tuple[float, float]
"""From, to."""

QUIET_S: Final = 5.0
"""A silence that is shorter is never cut."""
QUIET_SHARE: Final = 0.25
"""A silence is cut that is a larger part of the whole."""
MOST_CUTS: Final = 8
CUT_WIDTH: Final = 0.045
"""Of a silence that was cut, as a part of the width."""

_STEPS_S: Final = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900),
    *(1_800, 3_600, 7_200, 14_400, 28_800, 86_400),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of the time, and where it is drawn: 0 is the left edge, 1 the right one."""

    from_s: float
    to_s: float
    left: float
    right: float
    cut: bool = False
    """Whether it is a silence, and drawn shorter than it was."""

    def x(self, at_s: float) -> float:
        """Place a moment."""
        whole_s = self.to_s - self.from_s
        part = (at_s - self.from_s) / whole_s if whole_s else 0.0
        return self.left + min(1.0, max(0.0, part)) * (self.right - self.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Where each moment is drawn."""

    stretches: tuple[Stretch, ...]

    @property
    def from_s(self) -> float:
        """Where it begins."""
        return self.stretches[0].from_s

    @property
    def to_s(self) -> float:
        """Where it ends."""
        return self.stretches[-1].to_s

    @property
    def cuts(self) -> tuple[Stretch, ...]:
        """The silences that are drawn shorter than they were."""
        return tuple(one for one in self.stretches if one.cut)

    @property
    def loud_s(self) -> float:
        """How much time is drawn to scale."""
        return sum(one.to_s - one.from_s for one in self.stretches if not one.cut)

    def x(self, at_s: float) -> float:
        """Place a moment; what is outside is at the edge."""
        for stretch in self.stretches:
            if at_s <= stretch.to_s:
                return stretch.x(at_s)
        return self.stretches[-1].right

    def ticks(self, *, least_apart: float, origin_s: float) -> Iterator[float]:
        """Give moments that are round after `origin_s`, `least_apart` of the width or more."""
        step_s = self._step_s(least_apart)
        last = -1.0
        for stretch in self.stretches:
            if stretch.cut:
                continue
            number = -(-(stretch.from_s - origin_s) // step_s)
            while (at_s := origin_s + number * step_s) <= stretch.to_s:
                if last < 0 or self.x(at_s) - last >= least_apart:
                    last = self.x(at_s)
                    yield at_s
                number += 1

    def _step_s(self, least_apart: float) -> float:
        width = 1 - CUT_WIDTH * len(self.cuts)
        for step_s in _STEPS_S:
            if step_s * width >= least_apart * self.loud_s:
                return step_s
        return _STEPS_S[-1]


def axis(busy: Iterable[Interval], *, from_s: float, to_s: float) -> Axis:
    """Lay out the time between two moments.

    1. Of the silences between what is busy the longest are cut, `MOST_CUTS` at most: those that
       are longer than `QUIET_S` and than `QUIET_SHARE` of all that is not cut.
    2. Each takes `CUT_WIDTH`; the rest is drawn to one scale.
    """
    quiet = _cut(_silences(busy, from_s, to_s), to_s - from_s)  # 1
    loud_s = (to_s - from_s) - sum(end - start for start, end in quiet)
    scale = (1 - CUT_WIDTH * len(quiet)) / (loud_s or 1.0)
    return Axis(stretches=tuple(_stretches(quiet, scale, from_s, to_s)))  # 2


def _silences(busy: Iterable[Interval], from_s: float, to_s: float) -> list[Interval]:
    """List the silences, with a little left of them on either side."""
    silences, reached_s = [], from_s
    for start_s, end_s in sorted(busy):
        if start_s > reached_s:
            silences.append((reached_s, min(start_s, to_s)))
        reached_s = max(reached_s, end_s)
    if reached_s < to_s:
        silences.append((reached_s, to_s))
    return silences


def _cut(silences: Sequence[Interval], whole_s: float) -> list[Interval]:
    longest = sorted(silences, key=lambda one: one[0] - one[1])[:MOST_CUTS]
    cut: list[Interval] = []
    for start_s, end_s in longest:
        rest_s = whole_s - (end_s - start_s)
        if rest_s <= 0 or end_s - start_s <= max(QUIET_S, QUIET_SHARE * rest_s):
            break
        margin_s = 0.03 * rest_s
        cut.append((start_s + margin_s, end_s - margin_s))
        whole_s = rest_s + 2 * margin_s
    return sorted(one for one in cut if one[1] > one[0])


def _stretches(
    quiet: Sequence[Interval], scale: float, from_s: float, to_s: float
) -> Iterator[Stretch]:
    left, reached_s = 0.0, from_s
    for start_s, end_s in [*quiet, (to_s, to_s)]:
        right = left + (start_s - reached_s) * scale
        if start_s > reached_s or not quiet:
            yield Stretch(from_s=reached_s, to_s=start_s, left=left, right=right)
        if end_s > start_s:
            left, right = right, right + CUT_WIDTH
            yield Stretch(from_s=start_s, to_s=end_s, left=left, right=right, cut=True)
        left, reached_s = right, end_s
