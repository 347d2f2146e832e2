"""The memory of a timeline: what each model held, what others held, and what there was."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Final, Literal

from langchain_lmswitch.types.history import (
    LoadSpan,
    MemorySample,
    Occupancy,
    Past,
    Share,
    others_bytes,
)
from langchain_lmswitch.types.units import size

WHOLE_SHARE: Final = 0.15
"""Models that hold less of the memory would be too thin to be seen beside all of it."""
_AIR: Final = 1.15
"""Height of a drawing above the highest that is drawn."""

Place = Literal["ram", "vram", "any"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What one model held, from each of the panel's times on."""

    key: str
    heights: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """Memory that a load was expected to take, on top of what was there when it began."""

    key: str
    start_s: float
    end_s: float
    bottom_bytes: int
    height_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One kind of memory."""

    name: str
    times_s: tuple[float, ...]
    bands: tuple[Band, ...]
    """Models, from the bottom up."""
    others: tuple[int, ...] = ()
    """What other programs held, from each time on; empty if it is unknown, or not drawn."""
    coming: tuple[Coming, ...] = ()
    limit_bytes: int | None = None
    limit_name: str = ""
    note: str = ""
    """What is not drawn."""

    @property
    def sums(self) -> tuple[int, ...]:
        """What all that is drawn held, from each time on."""
        layers = [*(band.heights for band in self.bands), self.others or (0,) * len(self.times_s)]
        return tuple(sum(column) for column in zip(*layers, strict=True))

    @property
    def top_bytes(self) -> float:
        """How high the drawing is."""
        comings = [one.bottom_bytes + one.height_bytes for one in self.coming]
        return _AIR * max(*self.sums, *comings, self.limit_bytes or 1, 1)


def panels(past: Past, keys: Sequence[str], *, from_s: float, to_s: float) -> tuple[Panel, ...]:
    """Lay out the memory between two moments.

    1. If the user has set a budget, it is for models in any memory, and all that matters.
    2. Else accelerators with memory of their own have a panel, and main memory has one; but none
       in which no model was or was to be.
    """
    times_s = _times(past, from_s, to_s)
    samples = [_latest(past.samples, at_s) for at_s in times_s]
    places: list[Place] = ["vram", "ram"]
    if samples[-1] and samples[-1].budget_bytes is not None:  # 1
        places = ["any"]
    found = [_panel(past, keys, times_s, samples, place) for place in places]
    return tuple(one for one in found if one.bands or one.coming)  # 2


_HELD: Final[dict[Place, Callable[[Share], int]]] = {
    "ram": lambda share: share.ram_bytes,
    "vram": lambda share: share.vram_bytes,
    "any": lambda share: share.total_bytes,
}
_EXPECTED: Final[dict[Place, Callable[[LoadSpan], int]]] = {
    "ram": lambda load: max(0, (load.expected_bytes or 0) - load.expected_vram_bytes),
    "vram": lambda load: load.expected_vram_bytes,
    "any": lambda load: load.expected_bytes or 0,
}
_NAMES: Final[dict[Place, str]] = {"ram": "RAM", "vram": "VRAM", "any": "memory"}


def _panel(
    past: Past,
    keys: Sequence[str],
    times_s: Sequence[float],
    samples: Sequence[MemorySample | None],
    place: Place,
) -> Panel:
    """Lay out one kind of memory.

    1. With a budget, models stand against it.
    2. Where models hold a good part of the memory, all of it is drawn.
    3. Else the models alone, and the rest in words.
    """
    columns = [_held(past.occupancies, at_s, place) for at_s in times_s]
    bands = [Band(key=key, heights=tuple(one.get(key, 0) for one in columns)) for key in keys]
    made = Panel(
        name=_NAMES[place],
        times_s=tuple(times_s),
        bands=tuple(band for band in bands if any(band.heights)),
    )
    last = samples[-1]
    total_bytes, free_bytes = _of(last, place)
    if last and place == "any":  # 1
        made = replace(made, limit_bytes=last.budget_bytes, limit_name="budget")
    elif total_bytes and max(made.sums) >= WHOLE_SHARE * total_bytes:  # 2
        others = _others(samples, made.sums, place)
        made = replace(made, others=others, limit_bytes=total_bytes)
    elif total_bytes and free_bytes is not None:  # 3
        made = replace(made, note=f"{size(free_bytes)} free of {size(total_bytes)}")
    return replace(made, coming=tuple(_coming(past, made, _EXPECTED[place])))


def _others(
    samples: Sequence[MemorySample | None], models: Sequence[int], place: Place
) -> tuple[int, ...]:
    """Reckon what is neither free nor a model's; nothing if it is unknown at any time."""
    found = []
    for sample, models_bytes in zip(samples, models, strict=True):
        others = others_bytes(*_of(sample, place), models_bytes=models_bytes)
        if others is None:
            return ()
        found.append(others)
    return tuple(found)


def _of(sample: MemorySample | None, place: Place) -> tuple[int | None, int | None]:
    """Give all there is and what is free of it."""
    if sample is None:
        return None, None
    if place == "vram":
        return sample.vram_total_bytes, sample.vram_free_bytes
    return sample.ram_total_bytes, sample.ram_free_bytes


def _times(past: Past, from_s: float, to_s: float) -> list[float]:
    told = {one.at_s for one in past.occupancies} | {one.at_s for one in past.samples}
    return [from_s, *sorted(one for one in told if from_s < one < to_s), to_s]


def _latest(samples: Sequence[MemorySample], at_s: float) -> MemorySample | None:
    """Find what was measured last; before the first measurement, the first one."""
    found = bisect_right(samples, at_s, key=lambda one: one.at_s)
    return samples[max(0, found - 1)] if samples else None


def _held(occupancies: Sequence[Occupancy], at_s: float, place: Place) -> dict[str, int]:
    """Add up what each model held at a moment."""
    found = bisect_right(occupancies, at_s, key=lambda one: one.at_s)
    held: dict[str, int] = {}
    for share in occupancies[found - 1].shares if found else ():
        held[share.key] = held.get(share.key, 0) + _HELD[place](share)
    return held


def _coming(past: Past, panel: Panel, expected: Callable[[LoadSpan], int]) -> Iterator[Coming]:
    """Lay the loads on top of what was there; that may change while they are made."""
    steps = list(zip(pairwise(panel.times_s), panel.sums, strict=False))
    for load in past.loads:
        end_s = past.now_s if load.ended_s is None else load.ended_s
        height_bytes = expected(load)
        first = bisect_right(steps, load.started_s, key=lambda one: one[0][1])
        last = bisect_left(steps, end_s, key=lambda one: one[0][0])
        pieces = [
            (max(start, load.started_s), min(end, end_s), bottom_bytes)
            for (start, end), bottom_bytes in steps[first:last]
            if height_bytes and load.started_s < end_s
        ]
        for bottom_bytes, level in groupby(pieces, key=lambda one: one[2]):
            edges = list(level)
            yield Coming(
                key=load.key,
                start_s=edges[0][0],
                end_s=edges[-1][1],
                bottom_bytes=bottom_bytes,
                height_bytes=height_bytes,
            )
