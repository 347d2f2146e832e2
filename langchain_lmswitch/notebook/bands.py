"""The memory of a timeline: what each model held, what others held, and what there was."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from langchain_lmswitch.notebook.words import size
from langchain_lmswitch.types.history import MemorySample, Occupancy, Past, Share

WHOLE_SHARE: Final = 0.15
"""Models that hold less of the memory would be too thin to be seen beside all of it."""
_ROOM: Final = 1.35
"""Height above the highest that models reached, if the whole is not drawn."""

Place = Literal["ram", "vram", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What one model held, from each of the panel's times on."""

    key: str
    heights: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """Memory that a load was expected to take, while it was made."""

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
    top_bytes: float
    """Of the drawing."""
    note: str = ""
    """What is not drawn."""

    @property
    def sums(self) -> tuple[int, ...]:
        """What all models held, from each time on."""
        return tuple(
            sum(column) for column in zip(*(one.heights for one in self.bands), strict=True)
        )


def panels(past: Past, keys: Sequence[str], *, from_s: float, to_s: float) -> tuple[Panel, ...]:
    """Lay out the memory between two moments.

    1. If the user has set a budget, it is for models in any memory, and all that matters.
    2. Else accelerators with memory of their own have a panel, and main memory has one.
    """
    times_s = _times(past, from_s, to_s)
    samples = [_latest(past.samples, at_s) for at_s in times_s]
    last = next((one for one in reversed(samples) if one), None)
    if last and last.budget_bytes is not None:  # 1
        return (_panel(past, keys, times_s, samples, "both"),)
    places: list[Place] = ["vram", "ram"] if last and last.vram_total_bytes else ["ram"]
    return tuple(_panel(past, keys, times_s, samples, place) for place in places)  # 2


_HELD: Final[dict[Place, Callable[[Share], int]]] = {
    "ram": lambda share: share.ram_bytes,
    "vram": lambda share: share.vram_bytes,
    "both": lambda share: share.total_bytes,
}
_NAMES: Final[dict[Place, str]] = {"ram": "RAM", "vram": "VRAM", "both": "models"}


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
    bands = tuple(
        Band(key=key, heights=tuple(column.get(key, 0) for column in columns)) for key in keys
    )
    bands = tuple(one for one in bands if any(one.heights))
    coming = _coming(past, times_s, columns)
    peak = max([sum(one.values()) for one in columns] + [_top(one) for one in coming], default=0)
    last = next((one for one in reversed(samples) if one), None)
    made = Panel(
        name=_NAMES[place],
        times_s=tuple(times_s),
        bands=bands,
        coming=coming,
        top_bytes=peak * _ROOM or 1.0,
    )
    if last is None:
        return made
    if place == "both":
        return _against(made, last.budget_bytes or 0, "budget")  # 1
    total, free = _of(last, place)
    if total and peak >= WHOLE_SHARE * total:
        return _whole(made, total, samples, place)  # 2
    return _alone(made, total, free)  # 3


def _against(panel: Panel, limit_bytes: int, name: str) -> Panel:
    top_bytes = max(panel.top_bytes, 1.12 * limit_bytes)
    return replace(
        panel,
        limit_bytes=limit_bytes,
        limit_name=f"{name} {size(limit_bytes)}",
        top_bytes=top_bytes,
    )


def _whole(
    panel: Panel, total_bytes: int, samples: Sequence[MemorySample | None], place: Place
) -> Panel:
    others = []
    for sample, models_bytes in zip(samples, panel.sums, strict=True):
        total, free = _of(sample, place) if sample else (None, None)
        used_bytes = 0 if total is None or free is None else total - free
        others.append(max(0, used_bytes - models_bytes))
    known = any(sample and _of(sample, place)[1] is not None for sample in samples)
    limited = _against(panel, total_bytes, panel.name)
    return replace(limited, others=tuple(others) if known else ())


def _alone(panel: Panel, total_bytes: int | None, free_bytes: int | None) -> Panel:
    parts = [f"{size(free_bytes)} free" if free_bytes is not None else ""]
    parts.append(f"of {size(total_bytes)}" if total_bytes is not None else "")
    return replace(panel, note=" ".join(filter(None, parts)))


def _of(sample: MemorySample, place: Place) -> tuple[int | None, int | None]:
    """Give all there is and what is free of it."""
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


def _coming(
    past: Past, times_s: Sequence[float], columns: Sequence[dict[str, int]]
) -> tuple[Coming, ...]:
    """Lay the loads on top of what was there when they began."""
    found = []
    for load in past.loads:
        end_s = past.now_s if load.ended_s is None else load.ended_s
        start_s = max(load.started_s, times_s[0])
        if load.expected_bytes and start_s < end_s and start_s < times_s[-1]:
            column = columns[bisect_right(times_s, start_s) - 1]
            found.append(
                Coming(
                    key=load.key,
                    start_s=start_s,
                    end_s=min(end_s, times_s[-1]),
                    bottom_bytes=sum(column.values()),
                    height_bytes=load.expected_bytes,
                )
            )
    return tuple(found)


def _top(coming: Coming) -> int:
    return coming.bottom_bytes + coming.height_bytes
